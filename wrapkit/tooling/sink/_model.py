"""What came in over OTLP, as plain data: ids in lower-case hex, times in Unix nanoseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AttributeValue: TypeAlias = (
    "str | bool | int | float | bytes | list[AttributeValue] | dict[str, AttributeValue] | None"
)
Attributes: TypeAlias = "Mapping[str, AttributeValue]"
Signal: TypeAlias = Literal["traces", "metrics", "logs"]

SPAN_KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS_CODES = ("UNSET", "OK", "ERROR")


@dataclass(frozen=True)
class SpanEvent:
    """Something that happened within a span, an exception above all."""

    name: str
    time_unix_nano: int
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class SpanLink:
    """Another span that a span has to do with: the sender of a message, above all."""

    trace_id: str
    span_id: str
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True)
class Span:
    """One span with the resource and the scope it came with.

    `parent_span_id` is empty for a root span; `kind` and `status_code` are OTLP's names without
    their prefix.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    name: str
    start_time_unix_nano: int
    end_time_unix_nano: int
    kind: str = "INTERNAL"
    status_code: str = "UNSET"
    status_message: str = ""
    attributes: Attributes = field(default_factory=dict)
    events: Sequence[SpanEvent] = ()
    links: Sequence[SpanLink] = ()
    resource: Attributes = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""

    @property
    def duration_ms(self) -> float:
        return (self.end_time_unix_nano - self.start_time_unix_nano) / 1e6


@dataclass(frozen=True)
class LogRecord:
    """One log record with the trace and span it belongs to, if any."""

    time_unix_nano: int
    severity_text: str
    body: AttributeValue
    trace_id: str = ""
    span_id: str = ""
    attributes: Attributes = field(default_factory=dict)
    resource: Attributes = field(default_factory=dict)
    scope_name: str = ""


@dataclass(frozen=True)
class Metric:
    """One metric with its data points, each in OTLP's JSON form."""

    name: str
    unit: str
    kind: str
    data_points: Sequence[Mapping[str, object]] = ()
    resource: Attributes = field(default_factory=dict)
    scope_name: str = ""


@dataclass(frozen=True)
class ReceivedRequest:
    """One accepted export request: how it came, before anything was decoded from it."""

    signal: Signal
    content_type: str
    content_encoding: str
    headers: Mapping[str, str]
    wire_bytes: int
    body_bytes: int
    received_unix_nano: int

    @property
    def is_json(self) -> bool:
        return self.content_type == "application/json"
