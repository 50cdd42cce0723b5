"""The spans of libraries are those of OpenTelemetry's own instrumentation, call by call."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.slow

CASES = ("dynamodb", "aws", "http_requests", "http_urllib3")
HEADERS = {
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST": "x-.*",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE": "Content-Type,X-Amzn-.*",
    "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SANITIZE_FIELDS": ".*key.*",
    "OTEL_PYTHON_EXCLUDED_URLS": "excluded",
}
NO_ROOM = "wrapkit: a message has no room for its trace context\n"
# Set by each request that takes a context along.
# What the invocation continues.
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CONTEXT = ("traceparent", "tracestate", "baggage", "X-Amzn-Trace-Id", "b3")


def told_spans(recorded):
    return [told(span) for span in recorded.by_call()]


def told(span):
    """A span without what differs from run to run."""
    return {
        "name": span.name,
        "scope": span.scope_name,
        "kind": span.kind,
        "status": (span.status_code, steady(span.status_message)),
        "attributes": {key: steady(value) for key, value in sorted(span.attributes.items())},
        "events": [
            (event.name, {key: steady(value) for key, value in sorted(event.attributes.items())})
            for event in span.events
        ],
    }


def steady(value):
    if isinstance(value, str) and value.startswith("Traceback"):
        return "a traceback"
    return re.sub(r"0x[0-9a-f]{6,}", "ADDRESS", value) if isinstance(value, str) else value


def told_requests(recorded):
    """What each request took along: the headers of a context, and whose context it was."""
    spans = {span.span_id: span.name for span in recorded.spans}
    return [
        (command, path, [(n, steady_context(headers[n], spans)) for n in CONTEXT if n in headers])
        for command, path, headers, _ in recorded.requests
    ]


def steady_context(header, spans):
    for span_id, name in spans.items():
        header = header.replace(span_id, name)
    return re.sub(r"[0-9a-f]{8}-?[0-9a-f]{24}", "TRACE", header)


def told_bodies(recorded):
    """The bodies, where a context may go along as well."""
    spans = {span.span_id: span.name for span in recorded.spans}
    return [steady_context(body.decode(), spans) for *_, body in recorded.requests]


def compare(under_wrapkit, under_upstream, case, **environ):
    # Both continue the same trace, so that neither makes flags of its own.
    event = {"do": case, "headers": {"traceparent": PARENT, "tracestate": "vendor=1"}}
    ours = under_wrapkit(event, **environ)
    theirs = under_upstream(event, **environ)
    assert ours.result == theirs.result
    told_by_us, told_by_them = map(told_spans, (ours, theirs))
    assert [told["name"] for told in told_by_us] == [told["name"] for told in told_by_them]
    for span, expected in zip(told_by_us, told_by_them, strict=True):
        assert span == expected
    assert told_requests(ours) == told_requests(theirs)
    assert told_bodies(ours) == told_bodies(theirs)
    assert ours.stderr.replace(NO_ROOM, "") == ""
    return ours


@pytest.mark.parametrize("case", CASES)
def test_by_default(under_wrapkit, under_upstream, case):
    """Names, kinds, status, attributes, events, scopes, parents, and what requests take along."""
    ours = compare(under_wrapkit, under_upstream, case)

    assert len(ours.by_call()) >= 7


@pytest.mark.parametrize("case", ["http_requests", "http_urllib3"])
@pytest.mark.parametrize("opt_in", ["http", "http/dup"])
def test_with_the_stable_conventions(under_wrapkit, under_upstream, case, opt_in):
    """OTEL_SEMCONV_STABILITY_OPT_IN means what it means there, captured headers included."""
    compare(under_wrapkit, under_upstream, case, OTEL_SEMCONV_STABILITY_OPT_IN=opt_in, **HEADERS)


def test_without_some(under_wrapkit, under_upstream):
    """OTEL_PYTHON_DISABLED_INSTRUMENTATIONS leaves out what it names: here, urllib3 steps in."""
    compare(
        under_wrapkit,
        under_upstream,
        "http_requests",
        OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="requests, botocore",
    )
