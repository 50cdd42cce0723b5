"""A span holds what its limits allow, and counts the rest."""

from __future__ import annotations

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from wrapkit.payload import _report
from wrapkit.payload._invocation import remote_link
from wrapkit.payload._limits import SpanLimits
from wrapkit.payload._otlp import encode_traces
from wrapkit.payload._span import Span, SpanEvent


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


def limited(**environ):
    """A span of three attributes, two events of two, and 200 links, as it is decoded."""
    span = Span(
        trace_id="1" * 32,
        span_id="2" * 16,
        name="orders",
        start_time_unix_nano=1,
        end_time_unix_nano=2,
        attributes={"a": "long text", "b": ["long", "text"], "c": 12345},
        events=[SpanEvent(name="e", time_unix_nano=1, attributes={"x": "long", "y": 1})] * 2,
        links=[remote_link("1" * 32, f"{number:016x}", 1, "") for number in range(1, 201)],
    )
    SpanLimits({f"OTEL_{name}": value for name, value in environ.items()}).apply(span)
    request = ExportTraceServiceRequest.FromString(encode_traces({}, [span]))
    return request.resource_spans[0].scope_spans[0].spans[0]


def keys(owner):
    return [pair.key for pair in owner.attributes]


def test_by_default():
    """128 links stay, and of values nothing is cut."""
    span = limited()

    assert (len(span.links), span.dropped_links_count) == (128, 72)
    assert (keys(span), span.dropped_attributes_count) == (["a", "b", "c"], 0)
    assert span.attributes[0].value.string_value == "long text"


@pytest.mark.parametrize("name", ["SPAN_ATTRIBUTE_COUNT_LIMIT", "ATTRIBUTE_COUNT_LIMIT"])
def test_attributes(name):
    """The first stay; the general limit holds where the span has none of its own."""
    span = limited(**{name: "2"})

    assert (keys(span), span.dropped_attributes_count) == (["a", "b"], 1)


def test_the_limit_of_its_own_wins():
    """In either direction."""
    span = limited(
        ATTRIBUTE_COUNT_LIMIT="1",
        SPAN_ATTRIBUTE_COUNT_LIMIT="3",
        ATTRIBUTE_VALUE_LENGTH_LIMIT="2",
        SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT="4",
    )

    assert (len(keys(span)), keys(span.events[0])) == (3, ["x"])
    assert span.attributes[0].value.string_value == "long"


def test_lengths():
    """Texts are cut, in lists as well; numbers are not."""
    span = limited(ATTRIBUTE_VALUE_LENGTH_LIMIT="2")

    text, texts, number = [pair.value for pair in span.attributes]
    assert text.string_value == "lo"
    assert [item.string_value for item in texts.array_value.values] == ["lo", "te"]
    assert number.int_value == 12345


def test_events_and_links():
    """Each kind has a limit of its own, 0 included."""
    span = limited(
        SPAN_EVENT_COUNT_LIMIT="1", SPAN_LINK_COUNT_LIMIT="0", EVENT_ATTRIBUTE_COUNT_LIMIT="1"
    )

    assert (len(span.events), span.dropped_events_count) == (1, 1)
    assert (len(span.links), span.dropped_links_count) == (0, 200)
    assert (keys(span.events[0]), span.events[0].dropped_attributes_count) == (["x"], 1)


@pytest.mark.parametrize("value", ["-1", "many", "1.5"])
def test_a_limit_that_is_none(value, capsys):
    """It counts as unset, and a line says so."""
    assert len(limited(SPAN_LINK_COUNT_LIMIT=value).links) == 128
    assert "OTEL_SPAN_LINK_COUNT_LIMIT" in capsys.readouterr().err
