"""Metrics and logs that are written by hand are what OpenTelemetry's own classes read."""

from __future__ import annotations

import bisect

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.payload.shared.test_otlp import (
    ATTRIBUTES,
    FLAGS,
    NANO,
    SPAN_ID,
    TEXT,
    TRACE_ID,
    VALUE,
    attributes_of,
    same,
    value_of,
)
from wrapkit.payload._span import SpanLink
from wrapkit.payload.external._instruments import Counter, Histogram
from wrapkit.payload.external._log_record import SEVERITIES, LogRecord
from wrapkit.payload.external._otlp_logs import encode_logs
from wrapkit.payload.external._otlp_metrics import CUMULATIVE, DELTA, encode_metrics

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)
BOUNDS = st.lists(FINITE, max_size=15, unique=True).map(sorted)


@st.composite
def counters(draw):
    counter = Counter(draw(TEXT), draw(TEXT), draw(TEXT))
    counter.add(draw(st.integers(0, (1 << 63) - 1)))
    return counter


@st.composite
def histograms(draw):
    histogram = Histogram(draw(TEXT), draw(TEXT), draw(TEXT), draw(BOUNDS))
    for value in draw(st.lists(FINITE, max_size=20)):
        histogram.record(value)
    return histogram


@given(
    ATTRIBUTES,
    st.lists(counters() | histograms(), max_size=5),
    NANO,
    NANO,
    st.sampled_from([DELTA, CUMULATIVE]),
)
def test_metrics_come_back(resource, instruments, start, end, temporality):
    """Every field of every data point."""
    body = encode_metrics(
        resource,
        instruments,
        start_time_unix_nano=start,
        time_unix_nano=end,
        temporality=temporality,
        scope_version="1.2",
    )
    (read,) = ExportMetricsServiceRequest.FromString(body).resource_metrics
    (scope,) = read.scope_metrics

    assert same(resource, attributes_of(read.resource.attributes))
    assert (scope.scope.name, scope.scope.version) == ("wrapkit", "1.2")
    assert len(scope.metrics) == len(instruments)
    for ours, theirs in zip(instruments, scope.metrics, strict=True):
        assert (theirs.name, theirs.description, theirs.unit) == (
            ours.name,
            ours.description,
            ours.unit,
        )
        data = theirs.sum if isinstance(ours, Counter) else theirs.histogram
        (point,) = data.data_points
        assert data.aggregation_temporality == temporality
        assert (point.start_time_unix_nano, point.time_unix_nano) == (start, end)
        if isinstance(ours, Counter):
            assert data.is_monotonic
            assert point.WhichOneof("value") == "as_int"
            assert point.as_int == ours.value
        else:
            assert list(point.bucket_counts) == ours.buckets
            assert tuple(point.explicit_bounds) == ours.bounds
            assert (point.count, point.sum) == (ours.count, ours.total)
            assert point.HasField("min") == point.HasField("max") == bool(ours.count)
            assert (point.min, point.max) == (ours.minimum, ours.maximum)


@given(BOUNDS, st.lists(FINITE, min_size=1))
def test_a_histogram_counts_each_value_once(bounds, values):
    """Upper bounds are inclusive, as the specification has it."""
    histogram = Histogram("h", "s", "", bounds)
    for value in values:
        histogram.record(value)
    expected = [0] * (len(bounds) + 1)
    for value in values:
        expected[bisect.bisect_left(bounds, value)] += 1

    assert histogram.buckets == expected
    assert (histogram.count, histogram.minimum, histogram.maximum) == (
        len(values),
        min(values),
        max(values),
    )
    histogram.reset()
    assert not histogram
    assert sum(histogram.buckets) == 0


RECORD = st.builds(
    LogRecord,
    time_unix_nano=NANO,
    body=VALUE,
    severity=st.sampled_from(["", *SEVERITIES]),
    attributes=ATTRIBUTES,
)
LINK = st.builds(SpanLink, trace_id=TRACE_ID, span_id=SPAN_ID, flags=FLAGS)


@given(ATTRIBUTES, st.lists(st.tuples(RECORD, st.none() | LINK), max_size=5), NANO)
def test_log_records_come_back(resource, records, observed):
    """With and without a span."""
    body = encode_logs(resource, records, observed_time_unix_nano=observed)
    (read,) = ExportLogsServiceRequest.FromString(body).resource_logs
    (scope,) = read.scope_logs

    assert same(resource, attributes_of(read.resource.attributes))
    assert len(scope.log_records) == len(records)
    for (ours, span), theirs in zip(records, scope.log_records, strict=True):
        assert theirs.time_unix_nano == ours.time_unix_nano
        assert theirs.observed_time_unix_nano == observed
        assert same(ours.body, value_of(theirs.body))
        assert same(ours.attributes, attributes_of(theirs.attributes))
        assert theirs.severity_text == ours.severity
        assert theirs.severity_number == SEVERITIES.get(ours.severity, 0)
        assert theirs.trace_id.hex() == (span.trace_id if span else "")
        assert theirs.span_id.hex() == (span.span_id if span else "")
        assert theirs.flags == (span.flags & 0xFF if span else 0)
