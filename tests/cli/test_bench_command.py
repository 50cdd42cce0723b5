"""`wrapkit bench` with real processes."""

from __future__ import annotations

import json
import signal
import threading
import time

import psutil
import pytest

from .conftest import BOUND_S

ECHO = "def handler(event, context):\n    return event\n"


def test_every_mode_is_measured_in_every_round_and_sends_its_spans(wrapkit, task):
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler"),
        *("--cold", "2", "--warm", "3", "--json", "--output", "record.json"),
    )
    record = json.loads(stdout)
    assert code == 0
    assert stderr.splitlines() == ["round 1 of 2", "round 2 of 2"]
    assert (record["format"], record["format_version"]) == ("wrapkit.bench", 1)
    assert record["machine"]["cpu_count"] > 0
    starts = {(start["round"], start["mode"]): start for start in record["starts"]}
    assert len(starts) == 8
    for (_, mode), start in starts.items():
        assert start["span_count"] == {"bare": 0, "internal": 4}.get(mode, 5)  # and Init's
        assert start["warm_count"] == 3
        assert start["init_duration_ms"] > 0
        assert start["runtime_init_cpu_ms"] > 0
        has_runner = mode in ("external", "both")
        assert (start["runner_exec_to_next_ms"] is not None) == has_runner
        assert (start["runner_rss_bytes"] is not None) == has_runner
    assert json.loads((wrapkit.folder / "record.json").read_text()) == record


def test_the_table_compares_with_bare_even_when_bare_is_not_named(wrapkit, task):
    code, stdout, _ = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "internal"),
        *("--cold", "1", "--warm", "0"),
    )
    assert code == 0
    assert stdout.splitlines()[0].split() == ["bare", "internal"]
    assert "Init Duration, ms" in stdout
    assert "Warm, response" not in stdout


@pytest.mark.parametrize(
    ("code", "handler", "reason"),
    [
        ("def handler(e, c):\n    raise KeyError(1)\n", "app.handler", "KeyError"),
        (ECHO, "a.b", "a"),
    ],
)
def test_a_function_that_fails_is_not_measured(wrapkit, task, code, handler, reason):
    exit_code, stdout, stderr = wrapkit(
        *("bench", "--task", task(code), "--handler", handler, "--mode", "bare"),
        *("--cold", "1", "--output", "record.json"),
    )
    assert (exit_code, stdout) == (1, "")
    assert "in mode bare: " in stderr
    assert reason in stderr
    assert "hint: " in stderr
    assert not (wrapkit.folder / "record.json").exists()


def test_ctrl_c_ends_the_measurement_and_all_that_it_started(wrapkit, task):
    process = wrapkit.start(
        *("bench", "--task", task(ECHO), "--handler", "app.handler"),
        *("--cold", "1000", "--warm", "100000", "--output", "record.json"),
    )
    try:
        assert process.stderr.readline().startswith("round 1 ")
        command = psutil.Process(process.pid)
        descendants = command.children(recursive=True)
        deadline = time.monotonic() + BOUND_S
        while not descendants and time.monotonic() < deadline:
            threading.Event().wait(0.01)
            descendants = command.children(recursive=True)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
    assert process.returncode == 130
    wrapkit.check_left_nothing(descendants)
    assert not (wrapkit.folder / "record.json").exists()
