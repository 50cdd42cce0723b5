"""OTLP requests of the function's own metrics and logs, as protobuf.

The field numbers are those of opentelemetry/proto/{metrics,logs}/v1 (1.x, stable).
"""

from ..._otlp import (
    any_value,
    attribute_fields,
    bytes_field,
    fixed32_field,
    fixed64_field,
    message_field,
    text_field,
    unsigned_field,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ._api_metrics import Instrument

    Scope = tuple[str, str, str]

# AggregationTemporality
_DELTA, _CUMULATIVE = 1, 2


def encode_scopes(
    resource: "dict[str, Any]",
    scopes: "Sequence[tuple[Scope, list[Instrument]]]",
    start_ns: int,
    now_ns: int,
) -> bytes:
    """An ``ExportMetricsServiceRequest``; empty where no instrument has something to tell."""
    times = fixed64_field(2, start_ns) + fixed64_field(3, now_ns)
    told = [
        (scope, [_metric(instrument, times) for instrument in instruments])
        for scope, instruments in scopes
        if instruments
    ]
    return request(resource, told)


def request(resource: "dict[str, Any]", told: "Sequence[tuple[Scope, list[bytes]]]") -> bytes:
    """A request of encoded items by scope; empty for none."""
    if not told:
        return b""
    groups = [
        message_field(
            2,
            message_field(1, text_field(1, name) + text_field(2, version))
            + b"".join([message_field(2, item) for item in items])
            + text_field(3, schema_url),
        )
        for (name, version, schema_url), items in told
    ]
    return message_field(1, message_field(1, attribute_fields(1, resource)) + b"".join(groups))


def _metric(instrument: "Instrument", times: bytes) -> bytes:
    head = (
        text_field(1, instrument.name)
        + text_field(2, instrument.description)
        + text_field(3, instrument.unit)
    )
    series = instrument.taken()
    if instrument.kind == "histogram":
        points = [_distribution(key, series[key], times, instrument.bounds) for key in series]
        return head + message_field(9, _points(points) + unsigned_field(2, _DELTA))
    points = [attribute_fields(7, dict(key)) + times + _number(series[key]) for key in series]
    if instrument.kind == "gauge":
        return head + message_field(5, _points(points))
    monotonic = instrument.kind == "counter"
    temporality = unsigned_field(2, _DELTA if monotonic else _CUMULATIVE)
    return head + message_field(7, _points(points) + temporality + unsigned_field(3, monotonic))


def _points(points: "list[bytes]") -> bytes:
    return b"".join([message_field(1, point) for point in points])


def _number(value: "Any") -> bytes:
    """A member of a oneof, written even when it is 0."""
    from struct import pack  # not loaded by the runtime client

    if isinstance(value, int):
        return b"\x31" + pack("<q", value)
    return b"\x21" + pack("<d", value)


def _distribution(key: "Any", series: "Any", times: bytes, bounds: "Sequence[float]") -> bytes:
    from struct import pack

    return (
        attribute_fields(9, dict(key))
        + times
        + fixed64_field(4, series.count)
        + b"\x29"
        + pack("<d", series.total)
        + message_field(6, pack(f"<{len(series.buckets)}Q", *series.buckets))
        + message_field(7, pack(f"<{len(bounds)}d", *bounds))
        + b"\x59"
        + pack("<d", series.minimum)
        + b"\x61"
        + pack("<d", series.maximum)
    )


def log_record(
    *,
    time_ns: int,
    observed_ns: int,
    severity: int,
    severity_text: str,
    body: "Any",
    attributes: "dict[str, Any]",
    event_name: str,
    span: "Any",
) -> bytes:
    """A ``LogRecord``; ``span`` is the context that it belongs to, or None."""
    parts = [
        fixed64_field(1, time_ns),
        unsigned_field(2, severity),
        text_field(3, severity_text),
        b"" if body is None else message_field(5, any_value(body)),
        attribute_fields(6, attributes),
        fixed64_field(11, observed_ns),
        text_field(12, event_name),
    ]
    if span is not None:
        trace_id, span_id, flags, _ = span
        parts.append(fixed32_field(8, flags))
        parts.append(bytes_field(9, bytes.fromhex(trace_id)))
        parts.append(bytes_field(10, bytes.fromhex(span_id)))
    return b"".join(parts)
