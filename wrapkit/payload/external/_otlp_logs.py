"""OTLP logs requests as protobuf, written by hand like the traces.

The field numbers are those of opentelemetry/proto/logs/v1/logs.proto (1.x, stable).
"""

from .._otlp import (
    any_value,
    attribute_fields,
    bytes_field,
    export_request,
    fixed32_field,
    fixed64_field,
    message_field,
    text_field,
    unsigned_field,
)
from ._log_record import SEVERITIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Optional

    from .._span import SpanLink
    from ._log_record import LogRecord


def encode_logs(
    resource_attributes: "Mapping[str, Any]",
    records: "Iterable[tuple[LogRecord, Optional[SpanLink]]]",
    *,
    observed_time_unix_nano: int,
    scope_version: str = "",
) -> bytes:
    """An ``ExportLogsServiceRequest`` of records, each with the span that it belongs to, if any."""
    encoded = [_record(record, span, observed_time_unix_nano) for record, span in records]
    return export_request(resource_attributes, encoded, "wrapkit", scope_version)


def _record(record: "LogRecord", span: "Optional[SpanLink]", observed_ns: int) -> bytes:
    parts = [
        fixed64_field(1, record.time_unix_nano),
        unsigned_field(2, SEVERITIES.get(record.severity, 0)),
        text_field(3, record.severity),
        message_field(5, any_value(record.body)),
        attribute_fields(6, record.attributes),
        fixed64_field(11, observed_ns),
    ]
    if span is not None:
        parts.append(fixed32_field(8, span.flags & 0xFF))
        parts.append(bytes_field(9, bytes.fromhex(span.trace_id)))
        parts.append(bytes_field(10, bytes.fromhex(span.span_id)))
    return b"".join(parts)
