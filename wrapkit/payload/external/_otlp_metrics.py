"""OTLP metrics requests as protobuf, written by hand like the traces.

The field numbers are those of opentelemetry/proto/metrics/v1/metrics.proto (1.x, stable).
"""

from struct import pack

from .._otlp import export_request, fixed64_field, message_field, text_field, unsigned_field
from ._instruments import Counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ._instruments import Histogram, Instrument

# AggregationTemporality
DELTA, CUMULATIVE = 1, 2


def encode_metrics(
    resource_attributes: "Mapping[str, Any]",
    instruments: "Iterable[Instrument]",
    *,
    start_time_unix_nano: int,
    time_unix_nano: int,
    temporality: int,
    scope_version: str = "",
) -> bytes:
    """An ``ExportMetricsServiceRequest`` with one data point for each instrument, all of the same
    interval.
    """
    times = fixed64_field(2, start_time_unix_nano) + fixed64_field(3, time_unix_nano)
    metrics = [_metric(instrument, times, temporality) for instrument in instruments]
    return export_request(resource_attributes, metrics, "wrapkit", scope_version)


def _metric(instrument: "Instrument", times: bytes, temporality: int) -> bytes:
    head = (
        text_field(1, instrument.name)
        + text_field(2, instrument.description)
        + text_field(3, instrument.unit)
    )
    aggregation = unsigned_field(2, temporality)
    if isinstance(instrument, Counter):
        is_monotonic = unsigned_field(3, 1)
        point = message_field(1, times + _number(6, "<q", instrument.value))
        return head + message_field(7, point + aggregation + is_monotonic)
    return head + message_field(9, message_field(1, _point(instrument, times)) + aggregation)


def _point(histogram: "Histogram", times: bytes) -> bytes:
    point = (
        times
        + fixed64_field(4, histogram.count)
        + _number(5, "<d", histogram.total)
        + message_field(6, pack(f"<{len(histogram.buckets)}Q", *histogram.buckets))
        + message_field(7, pack(f"<{len(histogram.bounds)}d", *histogram.bounds))
    )
    if not histogram.count:
        return point
    return point + _number(11, "<d", histogram.minimum) + _number(12, "<d", histogram.maximum)


def _number(number: int, form: str, value: float) -> bytes:
    """A fixed64 that is written even when it is 0: it is a member of a oneof, or optional."""
    return bytes((number << 3 | 1,)) + pack(form, value)
