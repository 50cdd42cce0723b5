"""The Logs API, which the Telemetry API superseded."""

from __future__ import annotations

import json

import pytest

from tests.emulator.environments import Watched, run
from tests.emulator.test_telemetry import LISTENER, delivered
from wrapkit.tooling.emulator import Record
from wrapkit.tooling.emulator._logs import as_logs

SUBSCRIBER = LISTENER.replace("TYPES", "types = ['platform', 'function']").replace(
    "types=types", "types=types, path='/2020-08-15/logs', schemaVersion=SCHEMA"
)


@pytest.mark.parametrize("schema", ["2020-08-15", "2021-03-18"])
def test_a_subscriber_gets_the_older_records(deployment, schema):
    """platform.end and a bare report; runtimeDone in the newer schema only."""
    deployment.handler("def handler(event, context): print('a line')").extension(
        "listener", SUBSCRIBER.replace("SCHEMA", repr(schema))
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            result = await environment.invoke(b"{}")
            await environment.shutdown()
            return environment, result

    environment, result = run(scenario())
    assert '200 "OK"' in environment.lines
    records = delivered(environment)
    done = ["platform.runtimeDone"] if schema == "2021-03-18" else []
    assert [record["type"] for record in records] == [
        "platform.logsSubscription",
        "platform.initRuntimeDone",
        "platform.extension",
        "platform.initReport",
        "platform.start",
        "function",
        *done,
        "platform.end",
        "platform.report",
    ]
    assert records[-2]["record"] == {"requestId": result.request_id}
    assert set(records[-1]["record"]) == {"requestId", "metrics"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"status": "success"}, None),
        ({"status": "timeout"}, "RequestId: r1 Status: timeout"),
        (
            {"status": "error", "errorType": "Runtime.ExitError"},
            "RequestId: r1 Status: error\tErrorType: Runtime.ExitError",
        ),
    ],
)
def test_a_failure_is_a_fault(content, fault):
    """A line of text before platform.end."""
    report = Record(0.0, "platform.report", {"requestId": "r1", "metrics": {}, **content})

    written = {one.type: one.record for one in as_logs(report, "2020-08-15")}

    assert written.pop("platform.fault", None) == fault
    assert list(written) == ["platform.end", "platform.report"]


def test_log_objects_are_text():
    """The Logs API is older than JSON logs."""
    record = Record(0.0, "function", {"level": "INFO"})

    (written,) = as_logs(record, "2021-03-18")

    assert json.loads(written.as_json(text_only=True))["record"] == '{"level": "INFO"}'
