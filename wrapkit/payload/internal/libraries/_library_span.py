"""The span of one call, of a library or of the function's own, from its start to its end."""

import time

from ..._invocation import new_span_id, new_trace_id
from ..._span import FLAG_SAMPLED, KIND_CLIENT
from .. import _hook, quietly
from . import _current
from ._span_record import SpanRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from ..._span import Scope
    from ._current import SpanContext


_NO_RESOURCE: "dict[str, Any]" = {}


class LibrarySpan(SpanRecord):
    """A span that is under way. The sink hears of its start as well, and so of what never ends.

    Args:
        attributes: those of the start; ``set`` adds more.
        covers_http: it stands for the HTTP request within it, which gets no span of its own.
        parent: by default what is current; a new trace where nothing is. Without a span id it
            names the trace that the span is the root of.
        span_id: of a span that has one already.
    """

    __slots__ = (
        "_token",
        "attributes",
        "covers_http",
        "kind",
        "name",
        "parent_span_id",
        "resource",
        "scope",
        "start_time_unix_nano",
    )

    def __init__(
        self,
        scope: "Scope",
        name: str,
        attributes: "dict[str, Any]",
        *,
        kind: int = KIND_CLIENT,
        covers_http: bool = True,
        parent: "Optional[SpanContext]" = None,
        span_id: str = "",
    ) -> None:
        parent = parent or _current.parent() or (new_trace_id(), "", FLAG_SAMPLED, "")
        trace_id, self.parent_span_id, flags, trace_state = parent
        super().__init__((trace_id, span_id or new_span_id(), flags, trace_state))
        self.scope = scope
        self.name = name
        self.kind = kind
        self.covers_http = covers_http
        self.attributes = attributes
        self.resource = _NO_RESOURCE
        self.start_time_unix_nano = time.time_ns()
        self._token: Any = None

    def __repr__(self) -> str:
        return f"<LibrarySpan {self.name} {self.trace_id}-{self.span_id}>"

    def start(self) -> None:
        """Tells the sink, and becomes the parent of what begins before ``end``."""
        self._token = _current.activate(self)
        self.announce()

    def announce(self) -> None:
        """Tells the sink of the start."""
        if self.flags & FLAG_SAMPLED:
            quietly(_tell_start, self)

    def end(self, time_ns: "Optional[int]" = None) -> None:
        """The call is over."""
        self.has_ended = True
        if self._token is not None:
            quietly(_current.deactivate, self._token)
        if self.flags & FLAG_SAMPLED:
            quietly(_tell_end, self, time_ns or time.time_ns())


def _tell_start(span: LibrarySpan) -> None:
    hook = _hook.installed
    if hook is not None:
        current = hook.current
        hook.sink.span_started(span, current.request_id if current is not None else "")


def _tell_end(span: LibrarySpan, time_ns: int) -> None:
    hook = _hook.installed
    if hook is not None:
        hook.sink.span_ended(span, time_ns)
