"""The ``wrapkit`` command: a front of lazily imported commands, one module each."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line in ``sys.argv`` and exit."""
    try:
        # Within the function, since Ctrl-C may come as early as this.
        from ._main import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
