"""The function's own OpenTelemetry code, from the moment at which it imports the API.

Rule 1. The function's versions are used: nothing of OpenTelemetry is imported here that it has not.
Rule 2. Where no span is current the invocation's is, in every thread; what the code adds to that
        one is added to the invocation's span.
Rule 3. A tracer provider is there from the start, one of wrapkit's that needs no SDK. When the code
        sets its own, that takes its place, and wrapkit's span processor is added to it.
"""

import sys

from ... import _env
from ..._report import report_once
from .. import _hook, quietly
from . import _current
from ._api_spans import Api, RecordingSpan, Tracer, TracerProvider
from ._span_record import SpanRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .._hook import Invocation
    from ._current import SpanContext
    from ._library_span import LibrarySpan


def connect(trace: "Any") -> None:
    """Connects ``opentelemetry.trace``, which has just been loaded, to the invocations."""
    context: Any = sys.modules["opentelemetry.context"]
    if context._RUNTIME_CONTEXT is None:
        context.get_current()  # versions before 1.25 load it at its first use
    api = Api(trace, context)
    trace.Span.register(RecordingSpan)
    trace.Tracer.register(Tracer)
    trace.TracerProvider.register(TracerProvider)
    bridge = Bridge(api)
    context._RUNTIME_CONTEXT = InvocationContext(context._RUNTIME_CONTEXT, bridge)
    _current.bridge = bridge
    # The user names another provider, which the API is going to load.
    if not _env.text(_env.variables(), _env.TRACER_PROVIDER):
        _provide(trace, api)


class InvocationRecord(SpanRecord):
    """What the function's code adds to the span of its invocation."""

    __slots__ = ()

    def end(self, time_ns: "Optional[int]" = None) -> None:
        """The invocation's span is not the function's to end."""


class Bridge:
    """What is current, told from wrapkit's side to OpenTelemetry's and back."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self._key = api.trace.propagation._SPAN_KEY
        self._suppress = (
            "suppress_instrumentation",
            getattr(api.context, "_SUPPRESS_INSTRUMENTATION_KEY", ""),
        )
        self._suppress_http = getattr(api.context, "_SUPPRESS_HTTP_INSTRUMENTATION_KEY", "")
        # Of the invocation that was asked for last: its context with nothing else in it.
        self._invocation: Optional[Invocation] = None
        self._invocation_context: Any = None

    def parent(self) -> "Optional[SpanContext]":
        """The span that is current, None where a new trace is to begin."""
        return self.api.span_context(self.api.trace.get_current_span())

    def activate(self, span: "LibrarySpan") -> "Any":
        """Makes ``span`` current; what undoes it."""
        current = self.api.trace.set_span_in_context(RecordingSpan(self.api, span))
        if span.covers_http and self._suppress_http:
            current = self.api.context.set_value(self._suppress_http, True, current)
        return self.api.context.attach(current)

    def deactivate(self, token: "Any") -> None:
        """Undoes ``activate``."""
        self.api.context.detach(token)

    def is_suppressed(self, http: bool) -> bool:
        """Whether the code wants no spans here, as an exporter does of its own requests."""
        context = self.api.context.get_current()
        keys = (*self._suppress, self._suppress_http) if http else self._suppress
        return any(context.get(key) for key in keys if key)

    def baggage(self) -> str:
        """The W3C baggage of what is current; empty without any."""
        baggage = sys.modules.get("opentelemetry.baggage")
        if baggage is None:
            return ""
        from urllib.parse import quote_plus

        entries: dict[str, Any] = baggage.get_all()
        return ",".join([f"{key}={quote_plus(str(entries[key]))}" for key in entries])

    def with_invocation(self, context: "Any") -> "Any":
        """``context`` with the invocation's span, where it has none."""
        hook = _hook.installed
        invocation = hook.current if hook is not None else None
        if invocation is None or self._key in context:
            return context
        if invocation is not self._invocation:
            span = RecordingSpan(self.api, _record(invocation))
            self._invocation_context = self.api.trace.set_span_in_context(span, type(context)())
            self._invocation = invocation
        if not context:
            return self._invocation_context
        span = self._invocation_context[self._key]
        return self.api.trace.set_span_in_context(span, context)


def _record(invocation: "Invocation") -> InvocationRecord:
    context = invocation.context
    record = InvocationRecord(
        (context.trace_id, invocation.span_id, context.flags & 0xFF, context.trace_state)
    )
    invocation.record = record
    return record


class InvocationContext:
    """OpenTelemetry's runtime context, whose bottom is the invocation rather than nothing."""

    def __init__(self, original: "Any", bridge: Bridge) -> None:
        self._original = original
        self._bridge = bridge

    def get_current(self) -> "Any":
        """The context that is attached here."""
        context = self._original.get_current()
        return quietly(self._bridge.with_invocation, context) or context

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._original, name)  # attach, detach


def _provide(trace: "Any", api: Api) -> None:
    """Has wrapkit's tracer provider be the global one until the code sets its own."""
    provider = TracerProvider(api, lambda: _upgraded(trace, provider))
    trace._TRACER_PROVIDER = provider
    set_tracer_provider = trace.set_tracer_provider

    def set_and_follow(tracer_provider: "Any") -> None:
        set_tracer_provider(tracer_provider)
        if trace._TRACER_PROVIDER is tracer_provider and tracer_provider is not provider:
            quietly(_follow, provider, tracer_provider)

    trace.set_tracer_provider = set_and_follow


def _follow(provider: TracerProvider, theirs: "Any") -> None:
    """Has the function's own provider tell wrapkit of its spans, if it is one of an SDK."""
    provider.successor = theirs
    if hasattr(theirs, "add_span_processor"):
        from ._sdk_spans import SdkSpans
        from ._signals import signals

        signals().flush(theirs)
        theirs.add_span_processor(SdkSpans(theirs))


def _upgraded(trace: "Any", provider: TracerProvider) -> "Any":
    """An SDK's provider in the place of wrapkit's, for what only an SDK has."""
    if provider.successor is None:
        name = "opentelemetry.sdk.trace"
        try:
            __import__(name)
        except ImportError:
            report_once("no SDK", "the tracer provider is used as an SDK's, and there is no SDK")
            raise AttributeError("not without opentelemetry-sdk") from None
        sdk: Any = sys.modules[name]
        trace.set_tracer_provider(sdk.TracerProvider())
    return provider.successor
