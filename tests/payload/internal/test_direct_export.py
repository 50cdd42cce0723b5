"""Mode internal: the hook exports by itself before the response, and holds nobody up."""

from __future__ import annotations

import json

import pytest

from .backend import attributes
from .datagrams import PARENT_ID, TRACE_ID, TRACEPARENT
from .runtime_api import FUNCTION_ARN, request_id
from .test_transparency import EVENTS, OWN


def test_the_span_of_an_invocation(exported, backend):
    """It has the shape of the other modes, and is exported before the response is posted."""
    counts = []
    event = {"do": "echo", "headers": {"traceparent": TRACEPARENT, "tracestate": "a=1"}}

    exported([event, {"do": "echo"}], on_post=lambda: counts.append(len(backend.requests)))

    assert counts == [1, 2]
    (resource, scope, span), (_, _, warm) = backend.spans
    assert resource == {
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": "eu-west-1",
        "cloud.account.id": "123456789012",
        "faas.name": "orders",
        "faas.version": "7",
        "faas.instance": "2026/11/24/[7]abc",
        "faas.max_memory": 512 * 1024 * 1024,
        "service.name": "orders",
        "telemetry.sdk.language": "python",
        "telemetry.distro.name": "wrapkit",
        "telemetry.distro.version": scope.version,
    }
    assert (scope.name, span.name, span.kind) == ("wrapkit", "orders", 2)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, PARENT_ID)
    assert span.trace_state == "a=1"
    assert attributes(span) == {
        "faas.invocation_id": request_id(1),
        "faas.coldstart": True,
        "faas.trigger": "other",
        "cloud.resource_id": FUNCTION_ARN.rpartition(":")[0],
        "aws.lambda.invoked_arn": FUNCTION_ARN,
    }
    assert attributes(warm)["faas.coldstart"] is False
    assert 0 < span.start_time_unix_nano <= span.end_time_unix_nano


def test_the_span_of_an_error(exported, backend):
    """It has the error's type, and an exception event with the stack."""
    exported([{"do": "fail", "order": "7"}])

    [(_, _, span)] = backend.spans
    [event] = span.events
    assert (span.status.code, span.status.message) == (2, "no such order: 7")
    assert attributes(span)["error.type"] == "app.OrderError"
    assert attributes(event)["exception.type"] == "app.OrderError"
    assert "in handler" in attributes(event)["exception.stacktrace"]


def test_the_span_of_a_process_that_ends(exported, backend):
    """It is exported on the way out."""
    assert exported([{"do": "leave", "code": 3}]).exit_code == 3

    [(_, _, span)] = backend.spans
    assert attributes(span)["error.type"] == "SystemExit"


def test_the_span_of_a_response_that_is_too_large(exported, backend):
    """It waits for the host's word, and tells what the caller was told."""
    counts = []
    large = {"do": "large", "bytes": 6_291_557}

    exported([large], refuse=413, on_post=lambda: counts.append(len(backend.requests)))

    [(_, _, span)] = backend.spans
    assert counts == [0]
    assert attributes(span)["error.type"] == "Function.ResponseSizeTooLarge"
    assert span.status.code == 2


def test_the_span_of_a_large_response_that_is_taken(exported, backend):
    """It is a success, and the next invocation's goes the usual way."""
    exported([{"do": "large", "bytes": 6_291_557}, {"do": "echo"}])

    assert [span.status.code for _, _, span in backend.spans] == [0, 0]


def test_a_parent_that_is_not_sampled(exported, backend):
    """Its child is not exported."""
    exported([{"do": "echo", "headers": {"traceparent": TRACEPARENT[:-1] + "0"}}])

    assert backend.requests == []


def test_a_span_on_the_console(exported, backend):
    """It is a line of JSON in the function's log, alone or beside the export."""
    runs = [
        exported([event], OTEL_TRACES_EXPORTER=exporters, OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
        for event, exporters, endpoint in [
            ({"do": "fail", "order": "7"}, "console", None),
            ({"do": "echo"}, "otlp,console", backend.url),
        ]
    ]

    failed, went_well = [
        json.loads(line)
        for run in runs
        for line in run.stdout.splitlines()
        if line.startswith(b'{"name": "orders"')
    ]
    assert failed["status"] == {"status_code": "ERROR", "description": "no such order: 7"}
    assert failed["events"][0]["attributes"]["exception.type"] == "app.OrderError"
    assert went_well["kind"] == "SpanKind.SERVER"
    assert went_well["attributes"]["faas.invocation_id"] == request_id(1)
    assert went_well["resource"]["attributes"]["service.name"] == "orders"
    assert len(backend.spans) == 1
    assert all(run.stderr.count(b"wrapkit: ") == 0 for run in runs)


def test_how_long_an_export_may_take(exported, backend):
    """opentelemetry-lambda's bound of what is exported before the response."""
    backend.released.clear()

    run = exported([{"do": "echo"}], OTEL_INSTRUMENTATION_AWS_LAMBDA_FLUSH_TIMEOUT="100")

    assert len(run.posts) == 1
    assert b"trying again in 30 s" in run.stderr


def test_an_invocation_that_is_not_sampled(exported, backend):
    """The sampler's word is the hook's."""
    exported([{"do": "echo"}], OTEL_TRACES_SAMPLER="always_off")

    assert backend.requests == []


def test_the_limits_of_a_span(exported, backend):
    """They are OpenTelemetry's."""
    exported([{"do": "echo"}], OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="1")

    [(_, _, span)] = backend.spans
    assert (len(span.attributes), span.dropped_attributes_count) == (1, 4)


def test_the_function_does_not_notice(runtimes, layers, backend):
    """Results, errors, output and surroundings are those of the bare run."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": backend.url}
    bare = runtimes(OWN).run_bare("app.handler", EVENTS, environ=environ)

    wrapped = runtimes(OWN).run_wrapped(layers("internal"), "app.handler", EVENTS, environ=environ)

    assert wrapped == bare
    assert len(backend.spans) == len(EVENTS)


def test_an_endpoint_that_refuses(exported, backend):
    """It is asked once, then left alone for a while; a line says so."""
    backend.status = 503

    run = exported([{"do": "echo"}] * 3)

    assert len(run.posts) == 3
    assert len(backend.requests) == 1
    [line] = [line for line in run.stderr.decode().splitlines() if line.startswith("wrapkit: ")]
    assert "503" in line
    assert "trying again in 30 s" in line


def test_an_endpoint_that_never_answers(exported, backend):
    """It costs the function one timeout, and the invocation its span."""
    backend.released.clear()

    run = exported([{"do": "echo"}] * 3, OTEL_EXPORTER_OTLP_TIMEOUT="100")

    assert len(run.posts) == 3
    assert len(backend.requests) == 1
    assert run.stderr.count(b"wrapkit: ") == 1


@pytest.mark.parametrize(
    ("environ", "lines"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": None}, 1),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, 1),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "gopher://example"}, 2),
        ({"OTEL_SDK_DISABLED": "true"}, 0),
        ({"WRAPKIT_MODE": "external"}, 0),
        ({"WRAPKIT_MODE": "nonsense", "OTEL_TRACES_EXPORTER": "none"}, 1),
    ],
)
def test_settings_that_export_nothing(exported, backend, environ, lines):
    """The function runs; what keeps it from being seen is said once, unless it was asked for."""
    run = exported([{"do": "echo"}, {"do": "echo"}], **environ)

    assert len(run.posts) == 2
    assert backend.requests == []
    assert run.stderr.count(b"wrapkit: ") == lines
