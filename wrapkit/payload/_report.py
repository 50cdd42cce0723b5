"""The one way in which shipped code speaks to people: a line on stderr, which Lambda puts into the
function's log.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

# A log event of CloudWatch may be long, a line that people read should not be.
MAX_LINE_CHARACTERS = 500

_said: "set[str]" = set()


def report(text: str, error: "Optional[BaseException]" = None) -> None:
    """Writes ``wrapkit: text`` as one line to stderr; never raises.

    Of ``error`` only the class and the operating system's own words are said: messages of other
    errors may quote what they were given, and that may be a header's value.
    """
    try:
        if error is not None:
            text += ": " + describe(error)
        line = "wrapkit: " + " ".join(text.split())
        sys.stderr.write(line[:MAX_LINE_CHARACTERS] + "\n")
        sys.stderr.flush()
    except Exception:  # noqa: BLE001, S110 - a full stderr must not disturb the function
        pass


def report_once(kind: str, text: str, error: "Optional[BaseException]" = None) -> None:
    """The same, but only the first time for each ``kind`` in this process."""
    if kind not in _said:
        _said.add(kind)
        report(text, error)


def leave_to_the_extension(names: "tuple[str, ...]") -> None:
    """Takes malformed variables as reported: another process reads them, too, and says so."""
    _said.update([f"env {name}" for name in names])


def describe(error: BaseException) -> str:
    """The error's class, and what the operating system says about it (never a value that was given
    to it).
    """
    words = getattr(error, "strerror", None) if isinstance(error, OSError) else None
    name = type(error).__name__
    return f"{name} ({words})" if words else name
