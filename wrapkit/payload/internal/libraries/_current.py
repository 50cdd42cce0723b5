"""What a new span is a child of: the span that is active here, else the invocation.

Rule 1. What is active is told apart by thread and by task, as Python's context variables do.
Rule 2. Where nothing is active, the invocation is: a thread that the handler starts works for it,
        and a process runs one at a time.
"""

from _contextvars import ContextVar

from .. import _hook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from ._library_span import LibrarySpan
    from ._open_telemetry import Bridge

    # Trace id and span id in lower-case hex, W3C trace flags, W3C tracestate.
    SpanContext = tuple[str, str, int, str]


_active: "ContextVar[Optional[LibrarySpan]]" = ContextVar("wrapkit_span", default=None)
# To OpenTelemetry's context, once the function has imported its API.
bridge: "Optional[Bridge]" = None


def activate(span: "LibrarySpan") -> "tuple[Any, ...]":
    """Makes ``span`` the parent of what begins before ``deactivate``."""
    token = _active.set(span)
    return (token, bridge, bridge.activate(span)) if bridge is not None else (token,)


def deactivate(tokens: "tuple[Any, ...]") -> None:
    """Undoes ``activate``."""
    if len(tokens) > 1:
        tokens[1].deactivate(tokens[2])
    _active.reset(tokens[0])


def parent() -> "Optional[SpanContext]":
    """The span that is active here, else the invocation's, else None."""
    if bridge is not None:
        return bridge.parent()
    span = _active.get()
    if span is not None:
        return span.context
    hook = _hook.installed
    invocation = hook.current if hook is not None else None
    if invocation is None:
        return None
    context = invocation.context
    return context.trace_id, invocation.span_id, context.flags & 0xFF, context.trace_state


def is_suppressed(*, http: bool = False) -> bool:
    """Whether no span is wanted here; ``http``: of a request that another span stands for."""
    span = _active.get()
    if http and span is not None and span.covers_http:
        return True
    return bridge is not None and bridge.is_suppressed(http)


def baggage() -> str:
    """The W3C baggage that goes along with a request; empty without any."""
    return bridge.baggage() if bridge is not None else ""
