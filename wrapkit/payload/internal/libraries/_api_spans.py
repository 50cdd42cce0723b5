"""wrapkit's spans and tracers as OpenTelemetry's API has them, for the function's own code.

They go to the runner as the libraries' do: no SDK is loaded for them. The classes are the API's own
by registration, since the API may not be imported before the function has.
"""

import functools
import time

from ..._invocation import new_trace_id
from ..._span import KIND_SERVER, STATUS_ERROR, STATUS_OK, STATUS_UNSET
from ._library_span import LibrarySpan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Optional

    from ..._span import Scope
    from ._current import SpanContext

# OpenTelemetry's limits of a span, unless its variables say otherwise
# (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#span-limits).
MAX_ATTRIBUTES = MAX_EVENTS = MAX_LINKS = 128


class Api:
    """What of OpenTelemetry's API is needed here, as the function has loaded it."""

    def __init__(self, trace: "Any", context: "Any") -> None:
        self.trace = trace
        self.context = context

    def span_context(self, span: "Any") -> "Optional[SpanContext]":
        """The context of one of the API's spans; None of one that is in no trace."""
        context = span.get_span_context()
        if not context.is_valid:
            return None
        state = context.trace_state.to_header() if context.trace_state else ""
        return (
            f"{context.trace_id:032x}",
            f"{context.span_id:016x}",
            context.trace_flags & 0xFF,
            state,
        )

    def made_context(self, context: "SpanContext") -> "Any":
        """The API's ``SpanContext`` of a span of this process."""
        trace_id, span_id, flags, state = context
        trace = self.trace
        return trace.SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=False,
            trace_flags=trace.TraceFlags(flags),
            trace_state=trace.TraceState.from_header([state]) if state else trace.TraceState(),
        )


class RecordingSpan:
    """What the API's ``Span`` does, on a record that goes to the runner when the span ends."""

    def __init__(self, api: Api, record: "Any") -> None:
        self._api = api
        self._record = record
        self._context: Any = None

    def __repr__(self) -> str:
        return f"<RecordingSpan {self._record!r}>"

    # What the API's Span has

    def get_span_context(self) -> "Any":
        if self._context is None:
            self._context = self._api.made_context(self._record.context)
        return self._context

    def is_recording(self) -> bool:
        return not self._record.has_ended and bool(self._record.flags & 1)

    def set_attribute(self, key: str, value: "Any") -> None:
        if self.is_recording():
            known = self._record.later_attributes
            if key in known or len(known) < MAX_ATTRIBUTES:
                self._record.set(key, _plain(value))

    def set_attributes(self, attributes: "Mapping[str, Any]") -> None:
        for key, value in attributes.items():
            self.set_attribute(key, value)

    def add_event(
        self,
        name: str,
        attributes: "Optional[Mapping[str, Any]]" = None,
        timestamp: "Optional[int]" = None,
    ) -> None:
        if self.is_recording() and len(self._record.events) < MAX_EVENTS:
            self._record.events.append(
                {
                    "name": name,
                    "time": timestamp or time.time_ns(),
                    "attributes": plain_attributes(attributes),
                }
            )

    def addlink_told(
        self, context: "Any", attributes: "Optional[Mapping[str, Any]]" = None
    ) -> None:
        if self.is_recording() and len(self._record.links) < MAX_LINKS and context.is_valid:
            self._record.links.append(link_told(context, attributes))

    def update_name(self, name: str) -> None:
        if self.is_recording():
            self._record.later_name = name

    def set_status(self, status: "Any", description: "Optional[str]" = None) -> None:
        if not self.is_recording() or self._record.status_code == STATUS_OK:
            return
        code = getattr(status, "status_code", status)
        text = description if code is status else getattr(status, "description", None)
        if code.value != STATUS_UNSET:
            self._record.status_code = code.value
            self._record.status_message = (text or "") if code.value == STATUS_ERROR else ""

    def record_exception(
        self,
        exception: BaseException,
        attributes: "Optional[Mapping[str, Any]]" = None,
        timestamp: "Optional[int]" = None,
        escaped: bool = False,
    ) -> None:
        if self.is_recording() and len(self._record.events) < MAX_EVENTS:
            self._record.record_exception(
                exception,
                attributes=plain_attributes(attributes),
                time_ns=timestamp,
                escaped=escaped,
            )

    def end(self, end_time: "Optional[int]" = None) -> None:
        if not self._record.has_ended:
            self._record.end(end_time)

    # What of an SDK's span instrumentations read, though the API does not have it

    @property
    def name(self) -> str:
        return str(self._record.later_name or getattr(self._record, "name", ""))

    @property
    def kind(self) -> "Any":
        return self._api.trace.SpanKind(getattr(self._record, "kind", KIND_SERVER) - 1)

    @property
    def attributes(self) -> "dict[str, Any]":
        return {**getattr(self._record, "attributes", {}), **self._record.later_attributes}

    @property
    def status(self) -> "Any":
        trace = self._api.trace
        text = self._record.status_message or None
        return trace.Status(trace.StatusCode(self._record.status_code), text)

    @property
    def context(self) -> "Any":
        return self.get_span_context()

    @property
    def start_time(self) -> int:
        return int(getattr(self._record, "start_time_unix_nano", 0))

    def __enter__(self) -> "RecordingSpan":
        return self

    def __exit__(self, kind: "Any", error: "Optional[BaseException]", traceback: "Any") -> None:
        if error is not None and self.is_recording():
            self.record_exception(error, escaped=True)
            self._record.set_error(f"{type(error).__name__}: {error}")
        self.end()


def _plain(value: "Any") -> "Any":
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def plain_attributes(attributes: "Optional[Mapping[str, Any]]") -> "dict[str, Any]":
    return {key: _plain(value) for key, value in (attributes or {}).items() if value is not None}


def link_told(context: "Any", attributes: "Optional[Mapping[str, Any]]") -> "dict[str, Any]":
    return {
        "trace": f"{context.trace_id:032x}",
        "span": f"{context.span_id:016x}",
        "state": context.trace_state.to_header() if context.trace_state else "",
        "flags": int(context.trace_flags),
        "attributes": plain_attributes(attributes),
    }


class Tracer:
    """What the API's ``Tracer`` does, of one instrumentation scope."""

    def __init__(self, api: Api, provider: "TracerProvider", scope: "Scope") -> None:
        self._api = api
        self._provider = provider
        self._scope = scope

    def start_span(  # noqa: PLR0917 - the API's signature
        self,
        name: str,
        context: "Any" = None,
        kind: "Any" = None,
        attributes: "Optional[Mapping[str, Any]]" = None,
        links: "Optional[Sequence[Any]]" = None,
        start_time: "Optional[int]" = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> "Any":
        if self._provider.successor is not None:
            name_, version, schema_url = self._scope
            tracer = self._provider.successor.get_tracer(name_, version, schema_url=schema_url)
            return tracer.start_span(
                name,
                context,
                **({} if kind is None else {"kind": kind}),
                attributes=attributes,
                links=links or (),
                start_time=start_time,
                record_exception=record_exception,
                set_status_on_exception=set_status_on_exception,
            )
        parent = self._api.span_context(self._api.trace.get_current_span(context))
        record = LibrarySpan(
            self._scope,
            name,
            plain_attributes(attributes),
            kind=1 + (kind.value if kind is not None else 0),
            covers_http=False,
            parent=parent or (new_trace_id(), "", 1, ""),
        )
        record.links = [link_told(link.context, link.attributes) for link in links or ()][
            :MAX_LINKS
        ]
        if start_time is not None:
            record.start_time_unix_nano = start_time
        record.announce()
        return RecordingSpan(self._api, record)

    def start_as_current_span(  # noqa: PLR0917 - the API's signature
        self,
        name: str,
        context: "Any" = None,
        kind: "Any" = None,
        attributes: "Optional[Mapping[str, Any]]" = None,
        links: "Optional[Sequence[Any]]" = None,
        start_time: "Optional[int]" = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> "CurrentSpan":
        start = functools.partial(
            self.start_span, name, context, kind, attributes, links, start_time
        )
        return CurrentSpan(
            self._api, start, (record_exception, set_status_on_exception, end_on_exit)
        )


class CurrentSpan:
    """A span that is current within a ``with`` block, or within each call of what it decorates."""

    def __init__(
        self, api: Api, start: "Callable[[], RecordingSpan]", options: "tuple[bool, bool, bool]"
    ) -> None:
        self._api = api
        self._start = start
        self._options = options
        self._span: Optional[RecordingSpan] = None
        self._token: Any = None

    def __enter__(self) -> RecordingSpan:
        self._span = self._start()
        current = self._api.trace.set_span_in_context(self._span)
        self._token = self._api.context.attach(current)
        return self._span

    def __exit__(self, kind: "Any", error: "Optional[BaseException]", traceback: "Any") -> None:
        self._api.context.detach(self._token)
        record_exception, set_status, end_on_exit = self._options
        span = self._span
        if span is None:
            return
        if isinstance(error, Exception) and span.is_recording():
            if record_exception:
                span.record_exception(error)
            if set_status:
                trace = self._api.trace
                text = f"{type(error).__name__}: {error}"
                span.set_status(trace.Status(trace.StatusCode.ERROR, text))
        if end_on_exit:
            span.end()

    def __call__(self, function: "Callable[..., Any]") -> "Callable[..., Any]":
        """``function`` with a span of its own around each call."""
        # inspect.iscoroutinefunction without inspect, which the function may not have loaded.
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & _CO_COROUTINE:
            return self._around_coroutine(function)

        @functools.wraps(function)
        def traced(*arguments: "Any", **keywords: "Any") -> "Any":
            with self._anew():
                return function(*arguments, **keywords)

        return traced

    def _around_coroutine(self, function: "Callable[..., Any]") -> "Callable[..., Any]":
        @functools.wraps(function)
        async def traced(*arguments: "Any", **keywords: "Any") -> "Any":
            with self._anew():
                return await function(*arguments, **keywords)

        return traced

    def _anew(self) -> "CurrentSpan":
        return CurrentSpan(self._api, self._start, self._options)


_CO_COROUTINE = 0x80


class TracerProvider:
    """What the API's ``TracerProvider`` does. What only an SDK's does it gets from an SDK."""

    def __init__(self, api: Api, upgrade: "Callable[[], Any]") -> None:
        self._api = api
        self._upgrade = upgrade
        # The provider that has taken its place: the tracers that were got before hand over to it.
        self.successor: Any = None

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: "Optional[str]" = None,
        schema_url: "Optional[str]" = None,
        attributes: "Optional[Mapping[str, Any]]" = None,  # noqa: ARG002 - of the scope
    ) -> "Any":
        scope = (instrumenting_module_name, instrumenting_library_version or "", schema_url or "")
        return Tracer(self._api, self, scope)

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        """Nothing is held back: a span is told when it begins, and when it ends."""
        return True

    def shutdown(self) -> None:
        """Nothing is left to do."""

    def __getattr__(self, name: str) -> "Any":
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._upgrade(), name)
