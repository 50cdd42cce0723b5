"""The generated layer's extension in the emulator, beside the real runtime client."""

from __future__ import annotations

import pytest

from tests.emulator.environments import Deployment, Watched, may_isolate, run
from tests.payload.external.sink import Sink
from wrapkit.tooling.wrapping import generate_layer

SERVER = 2
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


def function(tmp_path, sink, mode):
    deployment = Deployment(tmp_path).handler(HANDLER)
    layer = tmp_path / "generated"
    generate_layer("python", layer, mode=mode)
    deployment.layer = layer
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint}
    if mode == "both":
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/otel-handler"
    return deployment.function(environment=variables, timeout_ms=1_000)


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
