"""Processes that are killed, in the emulator. Each test says what may be lost."""

from __future__ import annotations

import asyncio
import os
import signal

import psutil
import pytest

from tests.emulator.environments import Deployment, Watched, is_running, may_isolate, run, until
from tests.payload.external.sink import Sink
from wrapkit.tooling.wrapping import generate_layer

HANDLER = """
import os, signal
def handler(event, context):
    if event.get("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    return event
"""
SERVER = 2


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def function(tmp_path, sink):
    if not may_isolate():
        pytest.skip("this kernel refuses mount namespaces, so nothing is at /opt")
    deployment = Deployment(tmp_path).handler(HANDLER)
    deployment.layer = tmp_path / "generated"
    generate_layer("python", deployment.layer, mode="both")
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
        "AWS_LAMBDA_EXEC_WRAPPER": "/opt/otel-handler",
        "WRAPKIT_FLUSH": "end",
    }
    return deployment.function(environment=variables, timeout_ms=5_000)


def invocation_spans(sink):
    """Request id to the types of errors, of each span of an invocation that came."""
    found = {}
    for span in sink.spans():
        values = {pair.key: pair.value.string_value for pair in span.attributes}
        if span.kind == SERVER:
            found.setdefault(values["faas.invocation_id"], []).append(values.get("error.type"))
    return found


def runners():
    """The runner's processes among the descendants of this one."""
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if any(argument.endswith("/wrapkit/runner.py") for argument in process.cmdline())
    ]


def test_the_runtime_is_killed_in_an_invocation(function, sink):
    """Nothing may be lost: the invocation has its span, made from what hook and platform said."""

    async def scenario():
        async with Watched(function) as environment:
            payloads = (b"{}", b'{"kill": true}', b"{}")
            results = [await environment.invoke(payload) for payload in payloads]
            await environment.shutdown()
            return results

    results = run(scenario())
    assert invocation_spans(sink) == {
        results[0].request_id: [None],
        results[1].request_id: ["Runtime.ExitError"],
        results[2].request_id: [None],
    }


def test_the_runner_is_killed_while_it_exports(function, sink):
    """What is only in the killed process's memory may be lost, which is the one invocation whose
    export was under way; here the backend has it already. What came before and comes after is
    complete, each once.
    """

    async def scenario():
        async with Watched(function) as environment:
            first = await environment.invoke(b"{}")
            await until(lambda: len(invocation_spans(sink)) == 1)
            sink.hold.clear()
            count = len(sink.requests)
            second = asyncio.create_task(environment.invoke(b"{}"))
            await until(lambda: len(sink.requests) > count)
            (runner,) = runners()
            os.kill(runner.pid, signal.SIGKILL)
            await until(lambda: not is_running(runner.pid))
            sink.hold.set()
            third = await environment.invoke(b"{}")
            await environment.shutdown()
            return first, await second, third

    results = run(scenario())
    assert invocation_spans(sink) == {result.request_id: [None] for result in results}
