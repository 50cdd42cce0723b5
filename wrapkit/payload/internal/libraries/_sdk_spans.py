"""wrapkit's span processor, for a tracer provider that the function has set up itself."""

from ... import _env, _env_export
from ..._report import leave_to_the_extension
from .. import quietly
from ._api_spans import link_told, plain_attributes
from ._library_span import LibrarySpan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Optional


class SdkSpans:
    """Tells the runner of the SDK's spans, unless the provider's own exporter does.

    It has what the SDK's ``SpanProcessor`` has.
    """

    def __init__(self, provider: "Any") -> None:
        self._provider = provider
        self._is_told: Optional[bool] = None
        self._open: dict[int, LibrarySpan] = {}
        self._resource = quietly(_added_resource, provider) or {}

    def on_start(self, span: "Any", parent_context: "Any" = None) -> None:  # noqa: ARG002
        """A span begins."""
        if self._is_told is None:
            processors = self._provider._active_span_processor._span_processors
            self._is_told = bool(quietly(exports_alike, processors, "traces"))
        if not self._is_told:
            quietly(self._started, span)

    def _on_ending(self, span: "Any") -> None:
        """A span is about to end; it may still be changed by others."""

    def on_end(self, span: "Any") -> None:
        """A span has ended."""
        quietly(self._ended, span)

    def shutdown(self) -> None:
        """Nothing is left to do."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        """Nothing is held back."""
        return True

    def _started(self, span: "Any") -> None:
        context, parent = span.get_span_context(), span.parent
        scope = span.instrumentation_scope
        told = LibrarySpan(
            (scope.name, scope.version or "", scope.schema_url or "") if scope else ("", "", ""),
            span.name,
            plain_attributes(span.attributes),
            kind=span.kind.value + 1,
            parent=(
                f"{context.trace_id:032x}",
                f"{parent.span_id:016x}" if parent else "",
                int(context.trace_flags) & 0xFF,
                context.trace_state.to_header() if context.trace_state else "",
            ),
            span_id=f"{context.span_id:016x}",
        )
        told.start_time_unix_nano = span.start_time
        told.resource = self._resource
        self._open[context.span_id] = told
        told.announce()

    def _ended(self, span: "Any") -> None:
        told = self._open.pop(span.get_span_context().span_id, None)
        if told is None:
            return
        told.later_name = span.name if span.name != told.name else ""
        known = told.attributes
        for name, value in plain_attributes(span.attributes).items():
            if name not in known or known[name] != value:
                told.later_attributes[name] = value
        told.status_code = span.status.status_code.value
        told.status_message = span.status.description or ""
        told.links = [link_told(link.context, link.attributes) for link in span.links]
        told.events = [
            {
                "name": event.name,
                "time": event.timestamp,
                "attributes": plain_attributes(event.attributes),
            }
            for event in span.events
        ]
        told.end(span.end_time)


def exports_alike(processors: "Iterable[Any]", signal: str) -> bool:
    """Whether an exporter of these sends to where wrapkit would: it would all come twice."""
    environ = _env.variables()
    if _env.mode(environ) == "both":
        leave_to_the_extension(_env_export.export_variables(signal))
    settings = _env_export.export_settings(environ, signal)
    port = _env.otlp_address(environ)[1]
    known = [f"//127.0.0.1:{port}/", f"//localhost:{port}/"]
    if settings is not None:
        known.append(settings.url.partition(":")[2])
    for processor in processors:
        owner = getattr(processor, "_batch_processor", processor)
        exporter = getattr(owner, "span_exporter", None) or getattr(owner, "_exporter", None)
        endpoint = str(getattr(exporter, "_endpoint", ""))
        if any(place in endpoint for place in known):
            return True
    return False


def _added_resource(provider: "Any") -> "dict[str, Any]":
    """What the function's code says of its resource, beyond what its SDK fills in by itself."""
    attributes = plain_attributes(provider.resource.attributes)
    if str(attributes.get("service.name")).startswith("unknown_service"):
        del attributes["service.name"]
    return {
        name: value
        for name, value in attributes.items()
        if not name.startswith(("telemetry.", "process.")) and name != "service.instance.id"
    }
