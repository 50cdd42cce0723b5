"""The generated layer's extension in the emulator, beside the real runtime client."""

from __future__ import annotations

import pytest

from tests.emulator.environments import Deployment, Watched, may_isolate, run
from tests.payload.external.sink import Sink
from wrapkit.tooling.wrapping import generate_layer

INTERNAL, SERVER = 1, 2
X_RAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
HANDLER = """
import os, time
def handler(event, context):
    if event.get("exit"):
        os._exit(3)
    if event.get("hang"):
        time.sleep(60)
    return event
"""


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.close()


TELLING = """
import logging
print("importing")
logging.getLogger().setLevel("INFO")
def handler(event, context):
    print("printed")
    logging.warning("logged")
    if event.get("fail"):
        raise KeyError("id")
"""
ALL_SIGNALS = {"WRAPKIT_LOGS": "function,extension", "WRAPKIT_METRICS": "true"}


def function(tmp_path, sink, mode, code=HANDLER, **settings):
    deployment = Deployment(tmp_path).handler(code)
    layer = tmp_path / "generated"
    generate_layer("python", layer, mode=mode)
    deployment.layer = layer
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, **settings.pop("variables", {})}
    if mode == "both":
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/otel-handler"
    return deployment.function(environment=variables, timeout_ms=1_000, **settings)


def attributes(span):
    return {pair.key: pair.value.string_value for pair in span.attributes}


@pytest.mark.parametrize("mode", ["external", "both"])
def test_each_invocation_has_one_span(tmp_path, sink, mode):
    """Success, a runtime that exits and a timeout: one span each, the failures with their type."""
    if not may_isolate():
        pytest.skip("this kernel refuses mount namespaces, so nothing is at /opt")

    async def scenario():
        async with Watched(function(tmp_path, sink, mode)) as environment:
            results = [
                await environment.invoke(payload, trace_header=X_RAY)
                for payload in (b"{}", b"{}", b'{"exit": true}', b'{"hang": true}')
            ]
            await environment.shutdown()
            return results, environment.lines

    results, lines = run(scenario())
    made = [span for span in sink.spans() if span.kind == SERVER]
    spans = {attributes(span)["faas.invocation_id"]: span for span in made}
    assert len(made) == len(spans) == len(results), lines
    assert {span.trace_id.hex() for span in spans.values()} == {"5759e988bd862e3fe1be46a994272793"}
    errors = [attributes(spans[result.request_id]).get("error.type") for result in results]
    assert errors == [None, None, "Runtime.ExitError", "timeout"]


@pytest.mark.parametrize("log_format", ["Text", "JSON"])
@pytest.mark.parametrize("mode", ["external", "both"])
def test_phases_metrics_and_logs_of_the_real_runtime(tmp_path, sink, mode, log_format):
    """Two invocations, the second fails: one Init that the first links to, their lines tied to
    their spans, and everything counted once.
    """
    if not may_isolate():
        pytest.skip("this kernel refuses mount namespaces, so nothing is at /opt")
    settings = {"variables": ALL_SIGNALS, "log_format": log_format}

    async def scenario():
        async with Watched(function(tmp_path, sink, mode, TELLING, **settings)) as environment:
            results = [await environment.invoke(payload) for payload in (b"{}", b'{"fail": true}')]
            await environment.shutdown()
            return [result.request_id for result in results], environment.lines

    (first, second), lines = run(scenario())
    (init,) = [span for span in sink.spans() if span.kind == INTERNAL]
    spans = {
        attributes(span)["faas.invocation_id"]: span for span in sink.spans() if span.kind == SERVER
    }
    assert [link.span_id for link in spans[first].links] == [init.span_id], lines
    assert not spans[second].links
    told = [
        (record.body.string_value, record.severity_text, record.span_id) for record in logs(sink)
    ]
    expected = [("importing", "", init.span_id)]
    for request_id in (first, second):
        expected += [("printed", "", spans[request_id].span_id)]
        expected += [("logged", "WARNING", spans[request_id].span_id)]
    assert [line for line in told if line[1] != "ERROR"] == expected
    (error,) = [line for line in told if line[1] == "ERROR"]
    assert "'id'" in error[0]
    assert error[2] == spans[second].span_id
    counted = counts(sink)
    assert counted["faas.coldstarts"] == 1
    assert counted["faas.init_duration"] == 1
    assert counted["faas.mem_usage"] == counted["aws.lambda.billed_duration"] == 2
    # A handler's exception is the hook's word; to the platform the runtime did its job.
    assert counted["faas.invocations"] == (1 if mode == "both" else 2)
    assert counted.get("faas.errors", 0) == (1 if mode == "both" else 0)


def logs(sink):
    return [
        record
        for request in sink.delivered("/v1/logs")
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def counts(sink):
    """How often each metric was counted or recorded, over all exports."""
    total = {}
    for request in sink.delivered("/v1/metrics"):
        for metric in request.resource_metrics[0].scope_metrics[0].metrics:
            kind = metric.WhichOneof("data")
            (point,) = getattr(metric, kind).data_points
            count = point.as_int if kind == "sum" else point.count
            total[metric.name] = total.get(metric.name, 0) + count
    return total
