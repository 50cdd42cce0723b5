"""What is added to a span between its start and its end, as the runner is told of it."""

import time

from ..._span import STATUS_ERROR, STATUS_UNSET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from ._current import SpanContext

# The end of a stack says what happened; one message has to hold it.
_MAX_STACK_CHARACTERS = 8192


class SpanRecord:
    """Ids of a span, and what it has gathered. Events and links are as in the messages."""

    __slots__ = (
        "events",
        "flags",
        "has_ended",
        "later_attributes",
        "later_name",
        "links",
        "span_id",
        "status_code",
        "status_message",
        "trace_id",
        "trace_state",
    )

    def __init__(self, context: "SpanContext") -> None:
        self.trace_id, self.span_id, self.flags, self.trace_state = context
        self.later_attributes: dict[str, Any] = {}
        self.later_name = ""
        self.events: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.status_code = STATUS_UNSET
        self.status_message = ""
        self.has_ended = False

    @property
    def context(self) -> "SpanContext":
        """The span as its children know it."""
        return self.trace_id, self.span_id, self.flags, self.trace_state

    def set(self, key: str, value: "Any") -> None:
        """Sets an attribute, unless the value is None."""
        if value is not None:
            self.later_attributes[key] = value

    def set_error(self, message: str) -> None:
        """The status of a span that failed."""
        self.status_code, self.status_message = STATUS_ERROR, message

    def record_exception(
        self,
        error: BaseException,
        *,
        attributes: "Optional[dict[str, Any]]" = None,
        time_ns: "Optional[int]" = None,
        escaped: bool = False,
    ) -> None:
        """Adds the event that describes ``error``."""
        kind = type(error)
        plain = kind.__module__ in ("", "builtins")
        described = {
            "exception.type": kind.__qualname__
            if plain
            else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(error),
            "exception.stacktrace": _stack(error),
            "exception.escaped": str(escaped),
            **(attributes or {}),
        }
        self.events.append(
            {"name": "exception", "time": time_ns or time.time_ns(), "attributes": described}
        )

    def gathered(self) -> "dict[str, Any]":
        """What there is of it, by the keys of the messages."""
        found: dict[str, Any] = {}
        if self.later_name:
            found["name"] = self.later_name
        if self.later_attributes:
            found["attributes"] = self.later_attributes
        if self.status_code:
            found["status"] = [self.status_code, self.status_message]
        if self.events:
            found["events"] = self.events
        if self.links:
            found["links"] = self.links
        return found

    def end(self, time_ns: "Optional[int]" = None) -> None:
        """The span is over, at ``time_ns`` or now."""
        raise NotImplementedError


def _stack(error: BaseException) -> str:
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(lines)[-_MAX_STACK_CHARACTERS:]
