"""The external extension: it registers first and loads the rest while ``next`` is outstanding."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# The name must be the file name of the extension under /opt/extensions.
DEFAULT_NAME = "wrapkit"


def main(argv: "Sequence[str]") -> "NoReturn":
    """Runs the extension to its end; ``argv[1]`` is its name, unless that is ``wrapkit``.

    After the registration nothing that goes wrong in here may fail the function's Init or its
    invocations, so the last resort is an extension that does nothing but wait for its end.
    """
    import sys

    from ._start import call_first_next, register

    started = register(argv[1] if len(argv) > 1 else DEFAULT_NAME)
    try:
        call_first_next(started)
        from ._runner import Runner

        exit_code = Runner(started).run()
    except Exception as error:  # noqa: BLE001 - the one place: whatever it was, the function goes on
        from ._idle import stay_idle

        exit_code = stay_idle(started, error)
    sys.exit(exit_code)
