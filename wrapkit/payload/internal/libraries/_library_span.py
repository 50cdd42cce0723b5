"""The span of one call into a library, from its start to its end."""

import time

from ..._invocation import new_span_id, new_trace_id
from ..._span import FLAG_SAMPLED, KIND_CLIENT, STATUS_ERROR, STATUS_UNSET
from .. import _hook, quietly
from . import _current

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Any, Optional

    from ..._span import Scope
    from ._current import SpanContext

# The end of a stack says what happened; one datagram has to hold it.
_MAX_STACK_CHARACTERS = 8192


class LibrarySpan:
    """A span that is under way. The sink hears of its start as well, and so of what never ends.

    Args:
        attributes: those of the start; ``set`` adds more.
        covers_http: it stands for the HTTP request within it, which gets no span of its own.
    """

    __slots__ = (
        "_token",
        "attributes",
        "covers_http",
        "events",
        "flags",
        "kind",
        "later_attributes",
        "name",
        "parent_span_id",
        "scope",
        "span_id",
        "start_time_unix_nano",
        "status_code",
        "status_message",
        "trace_id",
        "trace_state",
    )

    def __init__(
        self,
        scope: "Scope",
        name: str,
        attributes: "dict[str, Any]",
        *,
        kind: int = KIND_CLIENT,
        covers_http: bool = True,
    ) -> None:
        parent = _current.parent() or (new_trace_id(), "", FLAG_SAMPLED, "")
        self.trace_id, self.parent_span_id, self.flags, self.trace_state = parent
        self.span_id = new_span_id()
        self.scope = scope
        self.name = name
        self.kind = kind
        self.covers_http = covers_http
        self.attributes = attributes
        self.later_attributes: dict[str, Any] = {}
        self.events: list[dict[str, Any]] = []
        self.status_code = STATUS_UNSET
        self.status_message = ""
        self.start_time_unix_nano = time.time_ns()
        self._token: Optional[Token[Any]] = None

    def __repr__(self) -> str:
        return f"<LibrarySpan {self.name} {self.trace_id}-{self.span_id}>"

    @property
    def context(self) -> "SpanContext":
        """The span as its children know it."""
        return self.trace_id, self.span_id, self.flags, self.trace_state

    def start(self) -> None:
        """Tells the sink, and becomes the parent of what begins before ``end``."""
        self._token = _current.activate(self)
        if self.flags & FLAG_SAMPLED:
            quietly(_tell_start, self)

    def set(self, key: str, value: "Any") -> None:
        """Sets an attribute, unless the value is None."""
        if value is not None:
            self.later_attributes[key] = value

    def set_error(self, message: str) -> None:
        """The status of a span that failed."""
        self.status_code, self.status_message = STATUS_ERROR, message

    def record_exception(self, error: BaseException) -> None:
        """Adds the event that describes ``error``."""
        kind = type(error)
        plain = kind.__module__ in ("", "builtins")
        attributes = {
            "exception.type": kind.__qualname__
            if plain
            else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(error),
            "exception.stacktrace": _stack(error),
            "exception.escaped": "False",
        }
        self.events.append({"name": "exception", "time": time.time_ns(), "attributes": attributes})

    def end(self) -> None:
        """The call is over."""
        if self._token is not None:
            quietly(_current.deactivate, self._token)
        if self.flags & FLAG_SAMPLED:
            quietly(_tell_end, self, time.time_ns())


def _stack(error: BaseException) -> str:
    import traceback

    lines = traceback.format_exception(type(error), error, error.__traceback__)
    return "".join(lines)[-_MAX_STACK_CHARACTERS:]


def _tell_start(span: LibrarySpan) -> None:
    hook = _hook.installed
    if hook is not None:
        current = hook.current
        hook.sink.span_started(span, current.request_id if current is not None else "")


def _tell_end(span: LibrarySpan, time_ns: int) -> None:
    hook = _hook.installed
    if hook is not None:
        hook.sink.span_ended(span, time_ns)
