"""OTLP's export requests, protobuf and JSON, to the model.

OTLP/JSON differs from protobuf's own JSON mapping in one way that matters: trace and span ids are
hex, not base64 (OTLP specification, "JSON Protobuf Encoding").
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, cast

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ._model import (
    SPAN_KINDS,
    STATUS_CODES,
    Attributes,
    AttributeValue,
    LogRecord,
    Metric,
    Signal,
    Span,
    SpanEvent,
    SpanLink,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

REQUEST_TYPES: Mapping[Signal, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
_ID_KEYS = ("traceId", "spanId", "parentSpanId")


class MalformedExportError(ValueError):
    """The body is not the export request that its path and content type promise."""


def decode_request(
    signal: Signal, body: bytes, *, is_json: bool
) -> list[Span | LogRecord | Metric]:
    """What an export request carries; raises `MalformedExportError`."""
    request = REQUEST_TYPES[signal]()
    if is_json:
        _parse_json(body, request)
    else:
        try:
            request.ParseFromString(body)
        except DecodeError as error:
            raise MalformedExportError(
                f"not a protobuf {type(request).__name__}: {error}"
            ) from error
    if isinstance(request, ExportTraceServiceRequest):
        return list(_spans(request))
    if isinstance(request, ExportLogsServiceRequest):
        return list(_log_records(request))
    return list(_metrics(cast("ExportMetricsServiceRequest", request)))


def _parse_json(body: bytes, request: Message) -> None:
    try:
        document = json.loads(body)
        if not isinstance(document, dict):
            raise MalformedExportError("the JSON document is not an object")
        json_format.ParseDict(_base64_ids(document), request, ignore_unknown_fields=True)
    except MalformedExportError:
        raise
    except (ValueError, json_format.ParseError, RecursionError) as error:
        raise MalformedExportError(f"not a JSON {type(request).__name__}: {error}") from error


def _base64_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_base64_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode()
        if key in _ID_KEYS and isinstance(item, str)
        else _base64_ids(item)
        for key, item in value.items()
    }


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for group in request.resource_spans:
        resource = _attributes(group.resource.attributes)
        for scope_spans in group.scope_spans:
            for span in scope_spans.spans:
                yield _span(span, resource, scope_spans.scope.name, scope_spans.scope.version)


def _span(span: WireSpan, resource: Attributes, scope_name: str, scope_version: str) -> Span:
    return Span(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        name=span.name,
        start_time_unix_nano=span.start_time_unix_nano,
        end_time_unix_nano=span.end_time_unix_nano,
        kind=_name_of(span.kind, SPAN_KINDS),
        status_code=_name_of(span.status.code, STATUS_CODES),
        status_message=span.status.message,
        attributes=_attributes(span.attributes),
        events=tuple(
            SpanEvent(event.name, event.time_unix_nano, _attributes(event.attributes))
            for event in span.events
        ),
        links=tuple(
            SpanLink(link.trace_id.hex(), link.span_id.hex(), _attributes(link.attributes))
            for link in span.links
        ),
        resource=resource,
        scope_name=scope_name,
        scope_version=scope_version,
    )


def _log_records(request: ExportLogsServiceRequest) -> Iterator[LogRecord]:
    for group in request.resource_logs:
        resource = _attributes(group.resource.attributes)
        for scope_logs in group.scope_logs:
            for record in scope_logs.log_records:
                yield LogRecord(
                    time_unix_nano=record.time_unix_nano or record.observed_time_unix_nano,
                    severity_text=record.severity_text,
                    body=_value(record.body),
                    trace_id=record.trace_id.hex(),
                    span_id=record.span_id.hex(),
                    attributes=_attributes(record.attributes),
                    resource=resource,
                    scope_name=scope_logs.scope.name,
                )


def _metrics(request: ExportMetricsServiceRequest) -> Iterator[Metric]:
    for group in request.resource_metrics:
        resource = _attributes(group.resource.attributes)
        for scope_metrics in group.scope_metrics:
            for metric in scope_metrics.metrics:
                kind = metric.WhichOneof("data") or ""
                points = getattr(metric, kind).data_points if kind else ()
                yield Metric(
                    name=metric.name,
                    unit=metric.unit,
                    kind=kind,
                    data_points=tuple(json_format.MessageToDict(point) for point in points),
                    resource=resource,
                    scope_name=scope_metrics.scope.name,
                )


def _name_of(number: int, names: tuple[str, ...]) -> str:
    return names[number] if 0 <= number < len(names) else names[0]


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, AttributeValue]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> AttributeValue:
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    plain: str | bool | int | float | bytes = getattr(value, kind)
    return plain
