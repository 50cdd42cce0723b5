"""The Telemetry API towards a real subscriber."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.emulator.environments import Watched, gated, run, until

# A listener in the extension: one thread that answers each POST and prints what it got.
LISTENER = """
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
class Listener(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        print(json.dumps([self.path, json.loads(body)]), file=sys.stderr, flush=True)
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
listener = HTTPServer(("127.0.0.1", 0), Listener)
threading.Thread(target=listener.serve_forever, daemon=True).start()
me.register("INVOKE", "SHUTDOWN")
TYPES
status = me.subscribe(
    {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{listener.server_port}/some/path"},
    types=types,
)
say(status[0], status[2].decode())
while me.next_event()["eventType"] != "SHUTDOWN":
    pass
"""
HANDLER = "def handler(event, context):\n    print('a line')\n    return 1"


def subscriber(types):
    return LISTENER.replace("TYPES", f"types = {types!r}")


def delivered(environment):
    """What the subscriber printed: (path, records)."""
    batches = [json.loads(line) for line in environment.lines if line.startswith('["/some/path"')]
    return [record for _, records in batches for record in records]


@pytest.mark.case(43, 44)
def test_records_arrive_in_order(deployment):
    """Also what was recorded before the subscription (43, 44); all of it before SHUTDOWN."""
    deployment.handler(HANDLER).extension("listener", subscriber(["platform", "function"]))

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            result = await environment.invoke(b"{}", trace_header="Root=1-a")
            await environment.shutdown()
            return environment, result

    environment, result = run(scenario())
    assert '200 "OK"' in environment.lines
    records = delivered(environment)
    assert [record["type"] for record in records] == [
        "platform.initStart",
        "platform.telemetrySubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        "platform.runtimeDone",
        "platform.report",
    ]
    by_type = {record["type"]: record["record"] for record in records}
    assert by_type["function"] == "a line"
    assert by_type["platform.initStart"]["functionName"] == "function"
    assert by_type["platform.telemetrySubscription"] == {
        "name": "listener",
        "state": "Subscribed",
        "types": ["platform", "function"],
    }
    report = by_type["platform.report"]
    assert report["requestId"] == result.request_id
    assert report["metrics"]["maxMemoryUsedMB"] == result.max_memory_used_mb
    assert report["tracing"] == {"type": "X-Amzn-Trace-Id", "value": "Root=1-a"}
    starts = [span["start"] for span in by_type["platform.runtimeDone"]["spans"]]
    assert all(start.endswith("Z") and "T" in start for start in starts)


def test_only_the_types_asked_for_arrive(deployment):
    """A subscriber to ``function`` hears of nothing else."""
    deployment.handler(HANDLER).extension("listener", subscriber(["function"]))

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.invoke(b"{}")
            await environment.shutdown()
            return environment

    assert [one["type"] for one in delivered(run(scenario()))] == ["function"]


def test_the_report_of_an_invocation_arrives_with_the_next(deployment):
    """The environment is frozen before its buffer falls due."""
    deployment.runtime("""
me = Party()
while True:
    id, _, event = me.next_invocation()
    if event == b"wait":
        pass_gate("in the second")
    me.respond(id, b"1")
""").extension("listener", subscriber(["platform"]))

    async def scenario():
        async with gated(deployment) as (environment, gates):
            first = await environment.invoke(b"go")
            between = delivered(environment)
            second = asyncio.ensure_future(environment.invoke(b"wait"))
            await gates.reached("in the second")
            await until(lambda: reports(environment))
            await gates.open("in the second")
            await second
            return first, between, reports(environment)

    first, between, (report, *_) = run(scenario())
    assert "platform.report" not in [record["type"] for record in between]
    assert report["record"]["requestId"] == first.request_id


def reports(environment):
    return [one for one in delivered(environment) if one["type"] == "platform.report"]


@pytest.mark.case(46)
def test_a_tcp_subscriber_gets_lines(deployment):
    """Newline-separated objects (46)."""
    deployment.handler(HANDLER).extension(
        "lines",
        """
import threading
listener = socket.create_server(("127.0.0.1", 0))
me.register("INVOKE", "SHUTDOWN")
me.subscribe({"protocol": "TCP", "port": listener.getsockname()[1]}, types=["platform"])
def read():
    for line in listener.accept()[0].makefile():
        say("got", json.loads(line)["type"])
threading.Thread(target=read, daemon=True).start()
while me.next_event()["eventType"] != "SHUTDOWN":
    pass
""",
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            await environment.invoke(b"{}")
            invocation = asyncio.ensure_future(environment.invoke(b"{}"))
            await invocation
            await environment.shutdown()
            return environment

    environment = run(scenario())
    assert "got platform.initStart" in environment.lines


@pytest.mark.parametrize("answer", ["500", "hang", "closed"])
@pytest.mark.case(45)
def test_a_bad_subscriber_does_not_disturb_invocations(deployment, answer):
    """It answers 500, hangs, or is not there: the function does not notice (45)."""
    deployment.handler(HANDLER).extension(
        "bad",
        f"""
import threading
answer = {answer!r}
listener = socket.create_server(("127.0.0.1", 0))
port = listener.getsockname()[1]
if answer == "closed":
    listener.close()
def serve():
    while True:
        peer, _ = listener.accept()
        if answer == "500":
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\n\\r\\n")
            peer.close()
if answer == "500":
    threading.Thread(target=serve, daemon=True).start()
me.register("INVOKE", "SHUTDOWN")
me.subscribe({{"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{{port}}"}})
while me.next_event()["eventType"] != "SHUTDOWN":
    pass
""",
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            results = [await environment.invoke(b"{}") for _ in range(3)]
            return results, await environment.shutdown()

    results, ended = run(scenario())
    assert [(one.payload, one.status) for one in results] == [(b"1", "success")] * 3
    assert ended.statuses["bad"] == "exit status 0"


@pytest.mark.case(45)
def test_a_subscriber_that_falls_behind_hears_of_what_was_dropped(deployment, monkeypatch):
    """platform.logsDropped, with how much, when it takes telemetry again."""
    monkeypatch.setattr("wrapkit.tooling.emulator._delivery._MAX_QUEUED_BYTES", 300_000)
    deployment.runtime("""
me = Party()
while True:
    id, _, event = me.next_invocation()
    for number in range(1000):
        say("x" * 1000)
    mark("said")
    me.respond(id, b"1")
""").extension(
        "slow",
        LISTENER.replace("TYPES", "types = ['platform', 'function']")
        .replace(
            "        body = self.rfile", "        await_mark('said')\n        body = self.rfile"
        )
        .replace(
            "print(json.dumps([self.path, json.loads(body)]), file=sys.stderr, flush=True)",
            "[say(json.dumps([self.path, [one]])) for one in json.loads(body)"
            " if one['type'] == 'platform.logsDropped']",
        ),
    )

    async def scenario():
        function = deployment.function(timeout_ms=20_000)
        async with Watched(function, freezes=False) as environment:
            result = await environment.invoke(b"1")
            await until(lambda: delivered(environment))
            return result, delivered(environment)

    result, (dropped, *_) = run(scenario())
    assert result.status == "success"
    record = dropped["record"]
    assert record["droppedRecords"] > 0
    assert record["droppedBytes"] >= 1000 * record["droppedRecords"]
    assert "fallen behind" in record["reason"]


@pytest.mark.case(47)
@pytest.mark.parametrize("schema", ["2022-07-01", "2022-12-13", "2025-01-29"])
def test_json_log_lines_are_objects_in_the_newer_schemas(deployment, schema):
    """With JSON logs: text under 2022-07-01, an object since 2022-12-13 (47)."""
    deployment.handler(
        "import logging\ndef handler(event, context): logging.getLogger().error('e')"
    ).extension(
        "listener",
        subscriber(["function"]).replace("types=types", f"types=types, schemaVersion={schema!r}"),
    )

    async def scenario():
        async with Watched(deployment.function(log_format="JSON")) as environment:
            await environment.invoke(b"{}")
            await environment.shutdown()
            return environment

    # The subscriber's own lines are JSON arrays, so they stay text in the log.
    (record,) = delivered(run(scenario()))
    line = record["record"]
    assert isinstance(line, str) is (schema == "2022-07-01")
    assert (json.loads(line) if isinstance(line, str) else line)["message"] == "e"
