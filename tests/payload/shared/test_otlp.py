"""What is written by hand is what OpenTelemetry's own classes read."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from wrapkit.payload._otlp import encode_traces
from wrapkit.payload._span import Span, SpanEvent, SpanLink

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
SCALAR = st.one_of(TEXT, st.booleans(), INT64, st.floats(), st.binary(max_size=40))
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=8,
)
ATTRIBUTES = st.dictionaries(TEXT, VALUE, max_size=6)
NANO = st.integers(0, (1 << 64) - 1)
TRACE_ID = st.binary(min_size=16, max_size=16).map(bytes.hex)
SPAN_ID = st.binary(min_size=8, max_size=8).map(bytes.hex)
FLAGS = st.integers(0, 0x3FF)
EVENT = st.builds(SpanEvent, name=TEXT, time_unix_nano=NANO, attributes=ATTRIBUTES)
LINK = st.builds(
    SpanLink,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    trace_state=TEXT,
    flags=FLAGS,
    attributes=ATTRIBUTES,
)
SPAN = st.builds(
    Span,
    trace_id=TRACE_ID,
    span_id=SPAN_ID,
    parent_span_id=st.just("") | SPAN_ID,
    trace_state=TEXT,
    name=TEXT,
    kind=st.integers(0, 5),
    start_time_unix_nano=NANO,
    end_time_unix_nano=NANO,
    attributes=ATTRIBUTES,
    events=st.lists(EVENT, max_size=3),
    links=st.lists(LINK, max_size=3),
    status_code=st.integers(0, 2),
    status_message=TEXT,
    flags=FLAGS,
)


def decoded(data):
    return ExportTraceServiceRequest.FromString(data)


def value_of(any_value):
    kind = any_value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "array_value":
        return [value_of(item) for item in any_value.array_value.values]
    if kind == "kvlist_value":
        return attributes_of(any_value.kvlist_value.values)
    return getattr(any_value, kind)


def attributes_of(pairs):
    return {pair.key: value_of(pair.value) for pair in pairs}


def same(ours, theirs):
    """Equality of type and value, with NaN equal to itself."""
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(v, theirs[k]) for k, v in ours.items())
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and math.isnan(ours):
        return isinstance(theirs, float) and math.isnan(theirs)
    return type(ours) is type(theirs) and ours == theirs


@given(ATTRIBUTES, st.lists(SPAN, min_size=1, max_size=4))
def test_every_field_comes_back(resource, spans):
    """Resource, scope and spans decode to what was encoded, field by field."""
    request = decoded(encode_traces(resource, spans, scope_version="1.2"))

    (resource_spans,) = request.resource_spans
    (scope_spans,) = resource_spans.scope_spans
    assert same(resource, attributes_of(resource_spans.resource.attributes))
    assert (scope_spans.scope.name, scope_spans.scope.version) == ("wrapkit", "1.2")
    assert len(scope_spans.spans) == len(spans)
    for ours, theirs in zip(spans, scope_spans.spans, strict=True):
        check_span(ours, theirs)


def check_span(ours, theirs):
    assert theirs.trace_id.hex() == ours.trace_id
    assert theirs.span_id.hex() == ours.span_id
    assert theirs.parent_span_id.hex() == ours.parent_span_id
    assert theirs.trace_state == ours.trace_state
    assert theirs.name == ours.name
    assert theirs.kind == ours.kind
    assert theirs.start_time_unix_nano == ours.start_time_unix_nano
    assert theirs.end_time_unix_nano == ours.end_time_unix_nano
    assert theirs.flags == ours.flags
    assert theirs.status.code == ours.status_code
    assert theirs.status.message == ours.status_message
    assert same(ours.attributes, attributes_of(theirs.attributes))
    assert len(theirs.events) == len(ours.events)
    for event, read in zip(ours.events, theirs.events, strict=True):
        assert (read.name, read.time_unix_nano) == (event.name, event.time_unix_nano)
        assert same(event.attributes, attributes_of(read.attributes))
    assert len(theirs.links) == len(ours.links)
    for link, read in zip(ours.links, theirs.links, strict=True):
        assert (read.trace_id.hex(), read.span_id.hex()) == (link.trace_id, link.span_id)
        assert (read.trace_state, read.flags) == (link.trace_state, link.flags)
        assert same(link.attributes, attributes_of(read.attributes))


@given(st.lists(st.lists(SPAN, max_size=2), max_size=4))
def test_concatenated_requests_are_one_request(groups):
    """What the runner does with bodies that it has not decoded."""
    request = decoded(b"".join(encode_traces({}, spans) for spans in groups))

    ids = [
        span.span_id.hex()
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert ids == [span.span_id for spans in groups for span in spans]


def one_span(**changes):
    known = {
        "trace_id": "1" * 32,
        "span_id": "2" * 16,
        "name": "n",
        "start_time_unix_nano": 1,
        "end_time_unix_nano": 2,
    }
    return Span(**{**known, **changes})


def attribute(value):
    request = decoded(encode_traces({}, [one_span(attributes={"k": value})]))
    return attributes_of(request.resource_spans[0].scope_spans[0].spans[0].attributes).get("k")


def test_a_lone_surrogate_does_not_spoil_the_request():
    """Python has such strings (undecodable file names), protobuf refuses them."""
    assert attribute("a\udcffb") == "a?b"


def test_what_has_no_type_in_otlp_becomes_text():
    """Integers beyond 64 bits and other objects are said, not lost."""
    assert attribute(1 << 64) == str(1 << 64)
    assert attribute(1 + 2j) == "(1+2j)"


def test_none_is_no_attribute():
    """An attribute without a value is left out; within a list it keeps its place."""
    assert attribute(None) is None
    assert attribute([1, None, 2]) == [1, None, 2]
