"""A file that appears whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ._errors import DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MODE = 0o644


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A stream whose bytes take the place of ``path`` when the block succeeds, with its mode.

    `DiagnosticError` when it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A link stays a link: what it names is written.
        target = path.resolve()
        handle, scratch = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                yield stream
            # mkstemp's own 0600 would keep the file from others.
            os.chmod(scratch, _mode(target))
            os.replace(scratch, target)
        except BaseException:
            os.unlink(scratch)
            raise
    except OSError as error:
        raise DiagnosticError(
            "output-not-writable",
            f"cannot write {path}: {error.strerror or error}",
            "choose another place, or make this one writable",
        ) from error


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else _MODE
