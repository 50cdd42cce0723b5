"""Which trace an invocation belongs to, by the words of the specifications."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.payload import _invocation
from wrapkit.payload._span import FLAG_HAS_IS_REMOTE, FLAG_IS_REMOTE

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VALID = f"00-{TRACE}-{PARENT}-01"
X_RAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders"


def test_a_valid_traceparent_is_read():
    """Version 00: trace id, parent id and all of the flags."""
    context = _invocation.parse_traceparent(f"00-{TRACE}-{PARENT}-03")

    assert (context.trace_id, context.parent_span_id, context.flags) == (TRACE, PARENT, 3)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "00",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-01-extra",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-001",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"0g-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"00-{TRACE[:-1]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}0-01",
        f"00-{TRACE[:-1]}²-{PARENT}-01",
        f"01-{TRACE}-{PARENT}-01junk",
    ],
)
def test_an_invalid_traceparent_is_none(value):
    """https://www.w3.org/TR/trace-context/#traceparent-header-field-values"""
    assert _invocation.parse_traceparent(value) is None


def test_a_later_version_may_say_more():
    """What follows the flags is ignored, and of the flags only "sampled" is known."""
    context = _invocation.parse_traceparent(f"cc-{TRACE}-{PARENT}-ff-what-the-future-brings")

    assert (context.trace_id, context.flags) == (TRACE, 1)


@given(st.text())
def test_any_text_is_a_context_or_none(text):
    """Headers come from anywhere: nothing in them raises."""
    for parse in (_invocation.parse_traceparent, _invocation.parse_x_ray_header):
        context = parse(text)
        assert context is None or len(context.trace_id) == 32
    assert isinstance(_invocation.parse_tracestate(text), str)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a=1,b=2", "a=1,b=2"),
        (" a=1 ,\tb=2 ,, ", "a=1,b=2"),
        ("a", ""),
        ("=1", ""),
        ("a=", ""),
        ("a=ü", ""),
        ("a=1\x00", ""),
        (",".join(f"k{n}=1" for n in range(33)), ""),
        (None, ""),
    ],
)
def test_a_tracestate_is_passed_on_whole_or_not_at_all(value, kept):
    """Empty members are allowed; at most 32 others."""
    assert _invocation.parse_tracestate(value) == kept


@pytest.mark.parametrize(
    ("header", "trace", "parent"),
    [
        (X_RAY, "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"),
        (X_RAY.replace("Sampled=1", "Sampled=0"), "5759e988bd862e3fe1be46a994272793", None),
        ("Root=1-5759e988-bd862e3fe1be46a994272793", "5759e988bd862e3fe1be46a994272793", ""),
        (X_RAY + ";Lineage=1:8a6d:0", "5759e988bd862e3fe1be46a994272793", None),
        (X_RAY.replace("53995c3f42cd8ad8", "short"), "5759e988bd862e3fe1be46a994272793", ""),
    ],
)
def test_the_x_ray_header_is_read(header, trace, parent):
    """Root without its version and dashes; Sampled is no decision."""
    context = _invocation.parse_x_ray_header(header)

    assert context.trace_id == trace
    assert parent is None or context.parent_span_id == parent
    assert context.flags == 1


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Root=",
        "Root=2-5759e988-bd862e3fe1be46a994272793",
        "Root=1-5759e988-bd862e3fe1be46a99427279",
        "Root=1-5759e988bd862e3fe1be46a994272793",
        "Root=1-00000000-000000000000000000000000",
        "Self=1-5759e988-bd862e3fe1be46a994272793",
    ],
)
def test_an_invalid_x_ray_header_is_none(header):
    """A root that is not one leads to a new trace, not to a broken one."""
    assert _invocation.parse_x_ray_header(header) is None


@pytest.mark.parametrize("key", ["traceparent", "TraceParent", "TRACEPARENT"])
def test_the_events_header_goes_before_x_ray(key):
    """Whatever the case of its key."""
    context = _invocation.trace_context({key: VALID, "TraceState": "a=1"}, X_RAY)

    assert (context.trace_id, context.parent_span_id) == (TRACE, PARENT)
    assert context.trace_state == "a=1"


@pytest.mark.parametrize(
    "headers", [None, [], "x", 5, {"traceparent": 5}, {5: VALID}, {"traceparent": "junk"}]
)
def test_headers_of_any_shape_are_survived(headers):
    """An event is whatever the caller sends."""
    context = _invocation.trace_context(headers, X_RAY)

    assert context.trace_id == "5759e988bd862e3fe1be46a994272793"


def test_without_any_header_the_trace_is_new():
    """Two invocations get two traces."""
    first, second = _invocation.trace_context(), _invocation.trace_context()

    assert first.trace_id != second.trace_id
    assert first.parent_span_id == ""


def make_span(context, **changes):
    known = {
        "span_id": "2" * 16,
        "name": "orders",
        "start_time_unix_nano": 10,
        "end_time_unix_nano": 20,
        "attributes": {},
    }
    return _invocation.invocation_span(context, **{**known, **changes})


def test_a_parent_is_remote():
    """OTLP's flags say whether the parent is of another process, and that this is known."""
    context = _invocation.parse_traceparent(VALID)

    assert make_span(context).flags == 1 | FLAG_HAS_IS_REMOTE | FLAG_IS_REMOTE
    assert make_span(_invocation.trace_context()).flags == 1 | FLAG_HAS_IS_REMOTE


def test_an_unsampled_parent_is_a_decision():
    """The span is made, and not to be exported."""
    context = _invocation.parse_traceparent(f"00-{TRACE}-{PARENT}-00")

    assert not make_span(context).sampled


def test_a_clock_that_was_set_back_makes_no_negative_duration():
    """The span ends when it started at the earliest."""
    span = make_span(_invocation.trace_context(), end_time_unix_nano=5)

    assert span.end_time_unix_nano == 10


def test_an_alias_is_not_part_of_the_resource_id():
    """cloud.resource_id is the function's ARN; the invoked one keeps its qualifier."""
    attributes = _invocation.invocation_attributes(
        request_id="r", cold_start=False, invoked_function_arn=f"{ARN}:live"
    )

    assert attributes["cloud.resource_id"] == ARN
    assert attributes["aws.lambda.invoked_arn"] == f"{ARN}:live"
    assert _invocation.account_id(ARN) == "123456789012"
    assert _invocation.account_id("orders") == ""


def test_the_users_resource_attributes_win():
    """OTEL_RESOURCE_ATTRIBUTES goes before what is detected, OTEL_SERVICE_NAME before both."""
    environ = {
        "AWS_LAMBDA_FUNCTION_NAME": "orders",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=shop,cloud.region=mars,team=a%20b",
    }
    attributes = _invocation.resource_attributes(environ, account="1")

    assert attributes["service.name"] == "shop"
    assert attributes["cloud.region"] == "mars"
    assert attributes["team"] == "a b"
    assert attributes["faas.max_memory"] == 134217728
    assert "faas.instance" not in attributes
    environ["OTEL_SERVICE_NAME"] = "checkout"
    assert _invocation.resource_attributes(environ)["service.name"] == "checkout"
