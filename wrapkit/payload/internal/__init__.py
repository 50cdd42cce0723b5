"""The internal extension: the hook inside the function's own interpreter.

Its border stands here, where it costs no module of its own: what fails in wrapkit's code is caught
by ``quietly`` and nowhere else.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def quietly(operation: "Callable[..., Any]", *arguments: "Any") -> "Any":
    """Calls wrapkit's own code from within the function's process: what fails there costs a line,
    and returns None.

    The one such place. ``SystemExit`` and ``KeyboardInterrupt`` are never wrapkit's: they come from
    a signal handler of the function's that ran just then, and belong to the function.
    """
    try:
        return operation(*arguments)
    except Exception as error:  # noqa: BLE001 - the function goes on as if wrapkit were absent
        from .._report import report_once

        name = getattr(operation, "__qualname__", "the hook")
        report_once(f"failed {name}", f"{name} failed, the function goes on without it", error)
        return None
