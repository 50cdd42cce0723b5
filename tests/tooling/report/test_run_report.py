"""The report and the timeline on results made by hand; `tests/cli` has them from real runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from wrapkit.tooling.emulator import (
    ExtensionInit,
    Function,
    InitResult,
    InvocationResult,
    RuntimeInit,
    ShutdownResult,
)
from wrapkit.tooling.report import InvocationRecord, RunRecord, RunReport
from wrapkit.tooling.report._glyphs import ASCII_GLYPHS
from wrapkit.tooling.report._timeline import init_rows, timeline
from wrapkit.tooling.sink import Span, TelemetryStore

FUNCTION = Function(task_root=Path("orders"), handler="app.handler", name="orders")
INIT = InitResult(
    status="success",
    error_type=None,
    duration_ms=100,
    runtime=RuntimeInit(exec_ms=50, next_ms=100, cpu_ms=40),
    extensions={
        "slow": ExtensionInit(exec_ms=0, registered_ms=10),
        "quick": ExtensionInit(exec_ms=0, registered_ms=10, next_ms=50),
        "absent": ExtensionInit(),
    },
)


def invocation(**fields):
    values = {
        "request_id": "r1",
        "payload": b'{"ok": true}',
        "function_error": None,
        "status": "success",
        "error_type": None,
        "duration_ms": 12.5,
        "billed_duration_ms": 13,
        "init_duration_ms": 100,
        "max_memory_used_mb": 40,
        "response_latency_ms": 10,
        "post_runtime_extensions_duration_ms": 2.5,
        "cpu_ms": {},
        "log_tail": "",
        **fields,
    }
    return InvocationRecord("event.json", InvocationResult(**values))


def written(encoding, *actions):
    """What the actions on a report write to a file of the encoding."""
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer, encoding=encoding, write_through=True)
    report = RunReport(stream)
    for action in actions:
        action(report)
    return buffer.getvalue().decode(encoding)


def test_init_shows_who_started_when_and_who_did_not_get_ready():
    lines = timeline(init_rows(INIT), 100, width=60, glyphs=ASCII_GLYPHS).plain.splitlines()
    absent, quick, slow, runtime = lines
    assert max(map(len, lines)) <= 60
    assert absent.split() == ["extension", "absent", "not", "started"]
    assert quick.split()[2:] == ["=" * quick.count("="), "50.0", "ms"]
    assert slow.endswith("100.0 ms  not ready")
    assert slow.count("=") == pytest.approx(2 * quick.count("="), abs=1)
    assert runtime.index("=") == quick.rindex("=") + 1


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_stream_that_knows_ascii_only_gets_ascii_only(encoding):
    store = TelemetryStore()
    store.spans.append(Span("aa", "01", "", "f", 0, 5, attributes={"faas.invocation_id": "r1"}))
    run = RunRecord(FUNCTION, store, invocations=[invocation()])
    text = written(
        encoding,
        lambda report: report.init_done(INIT),
        lambda report: report.invocation_done(run.invocations[0]),
        lambda report: report.traces(run, "http://sink"),
    )
    assert ("━" in text) == (encoding == "utf-8")
    assert text.isascii() == (encoding == "ascii")
    assert not any(line.endswith(" ") for line in text.splitlines() if "ms" not in line)


def test_the_functions_colours_and_tabs_do_not_reach_a_file():
    text = written("utf-8", lambda report: report.log_line("\x1b[31mred\x1b[0m\nREPORT\tx\r"))
    assert text == "  red\n  REPORT  x\n"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ""),
        ({"status": "timeout", "error_type": "Sandbox.Timedout"}, "timeout Sandbox.Timedout"),
        (
            {"function_error": "Unhandled", "payload": b'{"errorType": "KeyError"}'},
            "error KeyError",
        ),
        ({"function_error": "Unhandled", "payload": b"[]"}, "error"),
        ({"function_error": "Unhandled", "payload": b"\xff"}, "error"),
    ],
)
def test_a_failure_is_named_as_the_caller_was_told(fields, expected):
    assert invocation(**fields).failure == expected


def test_an_invocation_without_a_span_says_so_and_strays_are_shown_apart():
    store = TelemetryStore()
    store.spans.append(Span("aa", "01", "", "stray", 0, 5))
    run = RunRecord(FUNCTION, store, invocations=[invocation()])
    text = written("utf-8", lambda report: report.traces(run, "http://sink"))
    assert "no span of this invocation came to http://sink" in text
    assert "stray" in text.partition("Outside of the invocations")[2]


@pytest.mark.parametrize(("status", "is_said"), [("UNSET", True), ("ERROR", False)])
def test_a_failure_that_no_span_tells_is_not_passed_over(status, is_said):
    store = TelemetryStore()
    attributes = {"faas.invocation_id": "r1"}
    store.spans.append(Span("aa", "01", "", "f", 0, 5, attributes=attributes, status_code=status))
    failed = invocation(function_error="Unhandled", payload=b'{"errorType": "KeyError"}')
    run = RunRecord(FUNCTION, store, invocations=[failed])
    text = written("utf-8", lambda report: report.traces(run, "http://sink"))
    assert ("no span tells the failure; to an extension alone" in text) == is_said


def test_the_end_of_every_process_is_shown():
    ended = ShutdownResult("spindown", 4.5, {"runtime": "signal: terminated"}, ())
    text = written("utf-8", lambda report: report.shutdown_done(ended))
    assert text == "  Shutdown 4.50 ms  spindown\n  runtime: signal: terminated\n"


def test_a_payload_that_is_no_json_is_shown_as_text():
    text = written("utf-8", lambda report: report.invocation_done(invocation(payload=b"a\nb\xff")))
    assert "  a b\N{REPLACEMENT CHARACTER}\n" in text
