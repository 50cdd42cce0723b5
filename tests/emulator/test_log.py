"""The platform's own lines, from records."""

from __future__ import annotations

import json

import pytest

from wrapkit.tooling.emulator import Record
from wrapkit.tooling.emulator._levels import SYSTEM_LEVELS
from wrapkit.tooling.emulator._log import log_lines

ID = "8f507cfc-example"


def report(status="success", **changes):
    metrics = {
        "durationMs": 2.1,
        "billedDurationMs": 103,
        "memorySizeMB": 128,
        "maxMemoryUsedMB": 37,
        **changes.pop("metrics", {}),
    }
    return {"requestId": ID, "status": status, "metrics": metrics, **changes}


def init_report(initialization_type):
    return {
        "initializationType": initialization_type,
        "status": "success",
        "metrics": {"durationMs": 12.345},
    }


PLAIN = (
    f"REPORT RequestId: {ID}\tDuration: 2.10 ms\tBilled Duration: 103 ms\t"
    "Memory Size: 128 MB\tMax Memory Used: 37 MB\t"
)
FAILED = "Status: error\tError Type: Runtime.ExitError"
END = f"END RequestId: {ID}"


@pytest.mark.parametrize(
    ("kind", "content", "lines"),
    [
        (
            "platform.initStart",
            {"runtimeVersion": "python:3.11.v0", "runtimeVersionArn": "arn:aws:x"},
            ["INIT_START Runtime Version: python:3.11.v0\tRuntime Version ARN: arn:aws:x"],
        ),
        (
            "platform.start",
            {"requestId": ID, "version": "$LATEST"},
            [f"START RequestId: {ID} Version: $LATEST"],
        ),
        ("platform.initReport", init_report("on-demand"), []),
        (
            "platform.initReport",
            init_report("provisioned-concurrency"),
            ["INIT_REPORT Init Duration: 12.35 ms"],
        ),
        (
            "platform.restoreStart",
            {"runtimeVersion": "python:3.11.v0", "runtimeVersionArn": "arn:aws:x"},
            ["RESTORE_START Runtime Version: python:3.11.v0\tRuntime Version ARN: arn:aws:x"],
        ),
        (
            "platform.restoreReport",
            {"status": "success", "metrics": {"durationMs": 70.871}},
            ["RESTORE_REPORT Restore Duration: 70.87 ms"],
        ),
        (
            "platform.restoreReport",
            {"status": "timeout", "metrics": {"durationMs": 10000.0}},
            ["RESTORE_REPORT Restore Duration: 10000.00 ms\tStatus: timeout"],
        ),
        (
            "platform.initReport",
            {
                "status": "error",
                "errorType": "Runtime.ExitError",
                "phase": "init",
                "metrics": {"durationMs": 12.345},
            },
            ["INIT_REPORT Init Duration: 12.35 ms\tPhase: init\t" + FAILED],
        ),
        (
            "platform.extension",
            {"name": "x", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]},
            ["EXTENSION\tName: x\tState: Ready\tEvents: [INVOKE,SHUTDOWN]"],
        ),
        (
            "platform.extension",
            {"name": "x", "state": "Exited", "events": [], "errorType": "Extension.Crash"},
            ["EXTENSION\tName: x\tState: Exited\tEvents: []\tError Type: Extension.Crash"],
        ),
        ("platform.runtimeDone", {"status": "success"}, []),
        ("platform.report", report(), [END, PLAIN]),
        (
            "platform.report",
            report(metrics={"initDurationMs": 100.77}),
            [END, PLAIN + "Init Duration: 100.77 ms\t"],
        ),
        (
            "platform.report",
            report(metrics={"restoreDurationMs": 100.1}),
            [END, PLAIN + "Restore Duration: 100.10 ms\tBilled Restore Duration: 101 ms\t"],
        ),
        ("platform.report", report("timeout"), [END, PLAIN + "Status: timeout"]),
        (
            "platform.report",
            report("error", errorType="Runtime.ExitError"),
            [END, PLAIN + FAILED],
        ),
        (
            "platform.report",
            report(tracing={"value": "Root=1-5759;Parent=53995;Sampled=1"}),
            [END, PLAIN, "XRAY TraceId: 1-5759\tSegmentId: 53995\tSampled: true\t"],
        ),
        (
            "platform.report",
            report(tracing={"value": "Root=1-5759;Parent=53995;Sampled=0"}),
            [END, PLAIN],
        ),
    ],
)
def test_text_lines(kind, content, lines):
    """The forms of CloudWatch, tabs included."""
    assert log_lines(Record(0.0, kind, content), "Text") == lines


@pytest.mark.parametrize(
    ("kind", "content", "level"),
    [
        ("platform.start", {}, "INFO"),
        ("platform.initStart", {"runtimeVersion": "python:3.13.v1"}, "INFO"),
        ("platform.initStart", {}, "DEBUG"),
        ("platform.initRuntimeDone", {"status": "success"}, "DEBUG"),
        ("platform.initReport", {"status": "success"}, "DEBUG"),
        ("platform.initReport", {"status": "success", "initializationType": "snap-start"}, "INFO"),
        ("platform.initReport", {"status": "timeout"}, "WARN"),
        ("platform.runtimeDone", {"status": "success"}, "DEBUG"),
        ("platform.runtimeDone", {"status": "timeout"}, "WARN"),
        ("platform.report", {"status": "success"}, "INFO"),
        ("platform.report", {"status": "error"}, "WARN"),
        ("platform.extension", {}, "INFO"),
        ("platform.extension", {"errorType": "Extension.Crash"}, "WARN"),
        ("platform.telemetrySubscription", {}, "INFO"),
        ("platform.logsDropped", {}, "WARN"),
    ],
)
def test_json_lines_below_the_system_level_are_hidden(kind, content, level):
    """What is DEBUG on success shows only on failure, unless it is asked for."""
    record = Record(1665532815064.9, kind, content)

    shown = [least for least in SYSTEM_LEVELS if log_lines(record, "JSON", least)]

    assert shown == list(SYSTEM_LEVELS[: SYSTEM_LEVELS.index(level) + 1])
    document = {"time": "2022-10-12T00:00:15.064Z", "type": kind, "record": content}
    assert json.loads(log_lines(record, "JSON", "DEBUG")[0]) == document
