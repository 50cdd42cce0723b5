"""Propagators, samplers and ids mean what they mean in opentelemetry-python."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from wrapkit.payload import _report
from wrapkit.payload._placement import choose_place

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
W3C = {"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01", "tracestate": "a=1"}
NOT_SAMPLED = {"traceparent": W3C["traceparent"][:-1] + "0"}
X_RAY_IDS = ("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8")
X_RAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
B3_IDS = ("80f198ee56343ba864fe8b2a57d3eff7", "e457b5a2e4d86bd1")
B3 = {"b3": f"{B3_IDS[0]}-{B3_IDS[1]}-1-05e3ac9a4f6e3b90"}
B3_MULTI = {
    "X-B3-TraceId": "64fe8b2a57d3eff7",
    "X-B3-SpanId": B3_IDS[1].upper(),
    "X-B3-Sampled": "1",
}
SHORT_IDS = ("0" * 16 + "64fe8b2a57d3eff7", B3_IDS[1])
ROOT = None


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


def placed(headers=None, x_ray_header=None, **environ):
    return choose_place({f"OTEL_{name}": value for name, value in environ.items()})(
        headers, x_ray_header
    )


@pytest.mark.parametrize(
    ("propagators", "headers", "x_ray_header", "expected"),
    [
        ("tracecontext,baggage", W3C, X_RAY, (TRACE_ID, PARENT_ID)),
        ("tracecontext,baggage", {}, X_RAY, ROOT),
        ("baggage", W3C, X_RAY, ROOT),
        ("none", W3C, X_RAY, ROOT),
        ("xray", W3C, X_RAY, ROOT),
        ("xray", {"x-amzn-trace-id": X_RAY}, None, X_RAY_IDS),
        ("xray", {"X-Amzn-Trace-Id": X_RAY.partition(";")[0]}, X_RAY, ROOT),
        ("xray-lambda", {}, X_RAY, X_RAY_IDS),
        ("xray-lambda", {}, X_RAY.replace("Parent", "Nobody"), ROOT),
        ("tracecontext,xray-lambda", W3C, X_RAY, (TRACE_ID, PARENT_ID)),
        ("xray-lambda,tracecontext", W3C, X_RAY, (TRACE_ID, PARENT_ID)),
        ("tracecontext,xray", {**W3C, "x-amzn-trace-id": X_RAY}, None, X_RAY_IDS),
        ("xray,tracecontext", {**W3C, "x-amzn-trace-id": X_RAY}, None, (TRACE_ID, PARENT_ID)),
        ("b3", B3, None, B3_IDS),
        ("b3", B3_MULTI, None, SHORT_IDS),
        ("b3multi", B3_MULTI, None, SHORT_IDS),
        ("b3multi", B3, None, B3_IDS),
        ("b3", {"b3": "0"}, None, ROOT),
        ("b3", {"b3": f"{'0' * 32}-{B3_IDS[1]}-1"}, None, ROOT),
        (" B3 , tracecontext,", B3, None, B3_IDS),
        ("jaeger,tracecontext", W3C, None, (TRACE_ID, PARENT_ID)),
        ("tracecontext", [W3C], None, ROOT),
        ("tracecontext", {"traceparent": [1]}, None, ROOT),
    ],
)  # fmt: skip
def test_where_the_context_comes_from(propagators, headers, x_ray_header, expected):
    """In the order of the list, and what is found replaces what was."""
    context = placed(headers, x_ray_header, PROPAGATORS=propagators)

    found = (context.trace_id, context.parent_span_id) if context.parent_span_id else ROOT
    assert found == expected


UPSTREAM = {
    "tracecontext": TraceContextTextMapPropagator(),
    "baggage": W3CBaggagePropagator(),
    "xray": AwsXRayPropagator(),
    "b3": B3SingleFormat(),
    "b3multi": B3MultiFormat(),
}


def nearly(text):
    """The text, and what is nearly the same: a member missing, a digit changed, cut, or empty."""
    cut = st.integers(0, len(text)).map(lambda end: text[:end])
    digit = st.integers(0, len(text) - 1).map(lambda at: text[:at] + "0" + text[at + 1 :])
    return st.just(text) | cut | digit | st.just(text.replace("1", "0"))


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "traceparent": nearly(W3C["traceparent"]),
        "X-Amzn-Trace-Id": nearly(X_RAY),
        "b3": nearly(B3["b3"]),
        "x-b3-traceid": nearly("64fe8b2a57d3eff7"),
        "x-b3-spanid": nearly(B3_IDS[1]),
        "x-b3-sampled": st.sampled_from(["1", "0", "d", "true", "True", ""]),
        "x-b3-flags": st.sampled_from(["1", "0"]),
    },
)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(sorted(UPSTREAM)), unique=True, min_size=1), HEADERS)
def test_propagators_find_what_upstreams_find(names, headers):
    """Any list of them, any headers, right or nearly so: the same ids and the same decision."""
    context = placed(headers, None, PROPAGATORS=",".join(names))

    extracted = CompositePropagator([UPSTREAM[name] for name in names]).extract(headers)
    theirs = trace.get_current_span(extracted).get_span_context()
    if not theirs.is_valid:
        assert context.parent_span_id == ""
    else:
        ids = (f"{theirs.trace_id:032x}", f"{theirs.span_id:016x}")
        assert (context.trace_id, context.parent_span_id) == ids
        assert context.flags & 1 == theirs.trace_flags & 1


def test_an_unknown_propagator_is_said_once(capsys):
    """The others count; the value is not repeated."""
    placed({}, None, PROPAGATORS="jaeger,secret")
    placed({}, None, PROPAGATORS="jaeger,secret")

    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("wrapkit: OTEL_PROPAGATORS is not of ")
    assert "secret" not in line


def test_the_state_goes_along():
    """As it would without any setting."""
    assert placed(W3C, None, PROPAGATORS="tracecontext").trace_state == "a=1"


@pytest.mark.parametrize(
    ("headers", "x_ray_header", "sampler", "sampled"),
    [
        (W3C, None, "always_off", 0),
        (NOT_SAMPLED, None, "always_on", 1),
        (NOT_SAMPLED, None, "parentbased_always_on", 0),
        (W3C, None, "parentbased_always_off", 1),
        (None, None, "parentbased_always_off", 0),
        (None, None, "parentbased_always_on", 1),
        # What an inactive X-Ray says is no decision, what an active one says is.
        (None, X_RAY.replace("=1", "=0"), "parentbased_always_off", 0),
        (None, X_RAY.replace("Sampled=1", "Sampled=0"), "parentbased_always_on", 1),
        (None, X_RAY, "parentbased_always_off", 1),
        (None, None, "nonsense", 1),
    ],
)
def test_samplers(headers, x_ray_header, sampler, sampled):
    """The parent's decision, or the sampler's own."""
    assert placed(headers, x_ray_header, TRACES_SAMPLER=sampler).flags & 1 == sampled


def test_an_explicit_propagator_takes_x_rays_word():
    """`Sampled=0` is a decision to who asks for X-Ray's header by name."""
    header = X_RAY.replace("Sampled=1", "Sampled=0")

    assert placed(None, header, PROPAGATORS="xray-lambda").flags & 1 == 0
    assert placed({**B3, "b3": B3["b3"].replace("-1-", "-0-")}, None, PROPAGATORS="b3").flags == 0


@given(trace_id=st.integers(1, 2**128 - 1), ratio=st.floats(0, 1))
def test_ratios_are_those_of_the_sdk(trace_id, ratio):
    """All parts of a trace decide alike, whoever made them."""
    headers = {"traceparent": f"00-{trace_id:032x}-{PARENT_ID}-00"}

    context = placed(headers, None, TRACES_SAMPLER="traceidratio", TRACES_SAMPLER_ARG=str(ratio))

    expected = TraceIdRatioBased(ratio).should_sample(None, trace_id, "x").decision
    assert bool(context.flags & 1) == expected.is_sampled()


@pytest.mark.parametrize("argument", ["", "2", "-1", "x", "nan"])
def test_a_ratio_that_is_none(argument, capsys):
    """All is sampled, and a line says why unless nothing was set."""
    context = placed(None, None, TRACES_SAMPLER="traceidratio", TRACES_SAMPLER_ARG=argument)

    assert context.flags & 1 == 1
    assert ("OTEL_TRACES_SAMPLER_ARG" in capsys.readouterr().err) == bool(argument)


def test_ids_for_x_ray():
    """New trace ids begin with the time; given ones stay."""
    made = placed(None, None, PYTHON_ID_GENERATOR="xray").trace_id

    assert abs(int(made[:8], 16) - time.time()) < 60
    assert len(made) == 32
    assert placed(W3C, None, PYTHON_ID_GENERATOR="xray").trace_id == TRACE_ID
