"""`wrapkit bench` with real processes."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
import zipfile

import psutil
import pytest

from .conftest import BOUND_S

ECHO = "def handler(event, context):\n    return event\n"
# A layer of another make: its own wrapper script, and a module that costs something.
RIVAL = {
    "otel-instrument": '#!/bin/sh\nexport PYTHONPATH="${0%/*}/python"\nexec "$@"\n',
    "python/sitecustomize.py": "import xml.dom.minidom\n",
}


@pytest.fixture
def rival(tmp_path):
    """The zip file of a layer of another make."""
    path = tmp_path / "rival.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in RIVAL.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o100755 if "python" not in name else 0o100644) << 16
            archive.writestr(entry, text)
    return path


def test_every_variant_is_measured_in_every_round_and_sends_its_spans(wrapkit, task):
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler"),
        *("--cold", "2", "--warm", "3", "--json", "--output", "record.json"),
    )
    record = json.loads(stdout)
    assert code == 0
    assert stderr.splitlines() == ["round 1 of 2", "round 2 of 2"]
    assert (record["format"], record["format_version"]) == ("wrapkit.bench", 2)
    assert record["machine"]["cpu_count"] > 0
    starts = {(start["round"], start["variant"]): start for start in record["starts"]}
    assert len(starts) == 8
    for (_, variant), start in starts.items():
        measures = start["measures"]
        assert measures["spans"] == {"bare": 0, "internal": 4}.get(variant, 5)  # and Init's
        assert len(start["warm_response_ms"]) == 3
        assert measures["init_ms"] > measures["init_runtime_ms"] > 0
        assert measures["init_cpu_ms"] >= measures["runtime.init_cpu_ms"] > 0
        assert measures["usd_per_million"] > 0.2
        has_runner = variant in ("external", "both")
        assert ("wrapkit.ready_ms" in measures) == has_runner
        assert ("wrapkit.max_resident_mb" in measures) == has_runner
        assert ("first_post_runtime_extensions_ms" in measures) == has_runner
    inspected = {name: one["measures"] for name, one in record["inspections"].items()}
    assert inspected["both"]["modules_imported"] > inspected["bare"]["modules_imported"] > 20
    assert inspected["both"]["layers_unpacked_mb"] > 0 == inspected["bare"]["layers_unpacked_mb"]
    assert inspected["bare"]["init_function_ms"] > 0
    if "files_opened" not in record["inspections"]["both"]["problems"]:
        assert inspected["both"]["files_opened"] > inspected["bare"]["files_opened"] > 20
    assert json.loads((wrapkit.folder / "record.json").read_text()) == record
    assert sorted(path.name for path in wrapkit.folder.glob("record*")) == ["record.json"]


def test_a_layer_of_any_make_is_measured_beside(wrapkit, task, rival):
    """A zip file with its own wrapper, at two memory sizes; and its variables are kept secret."""
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "bare"),
        *("--variant", f"rival={rival},API_KEY=hush", "--memory", "128,512"),
        *("--cold", "1", "--warm", "1", "--output", "record.json"),
        *("--fail-if", "rival.modules_imported > bare.modules_imported + 5"),
    )
    assert code == 1
    assert "rival.modules_imported > bare.modules_imported + 5 at 128 MB: yes, by " in stderr
    assert "error: a condition of --fail-if holds" in stderr
    lines = stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["128", "MB", "bare", "rival"]
    assert any(line.split() == ["512", "MB", "bare", "rival"] for line in lines)
    assert "CPU is what the memory size buys" in stdout or "no CPU limit here" in stdout
    text = (wrapkit.folder / "record.json").read_text()
    assert "hush" not in text
    variant = json.loads(text)["scenario"]["variants"][1]
    assert (variant["wrapper"], variant["layers"]) == ("/opt/otel-instrument", ["rival.zip"])


def test_the_table_compares_with_bare_even_when_bare_is_not_named(wrapkit, task):
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "internal"),
        *("--cold", "1", "--warm", "0", "--fail-if", "internal.init_ms > 100000"),
    )
    assert code == 0
    assert stdout.splitlines()[0].split() == ["128", "MB", "bare", "internal"]
    assert "Init Duration, ms" in stdout
    assert "Warm, response" not in stdout
    assert "internal.init_ms > 100000 at 128 MB: no, by " in stderr


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
    assert "in variant bare: " in stderr
    assert reason in stderr
    assert "hint: " in stderr
    assert not (wrapkit.folder / "record.json").exists()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--variant", "x=missing"), "missing does not exist"),
        (("--fail-if", "nobody.init_ms > 1"), "no variant nobody is measured"),
        (("--memory", "64"), "no memory size"),
        (("--precision", "2"), "no share such as 2%"),
        (("--budget", "soon"), "no time such as"),
        (("--region", "xy-south-9"), "no price for"),
        (("--resume",), "--resume needs the --output"),
        (("--output", "nowhere/record.json"), "the folder of nowhere/record.json does not exist"),
        (("--output", "my-function/app.py"), "a record is not replaced"),
        (("--output", "record.json", "--resume"), "cannot go on with"),
    ],
)
def test_wrong_usage_is_explained_before_anything_is_measured(wrapkit, task, arguments, reason):
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "bare"),
        *("--cold", "1", *arguments),
    )
    assert (code, stdout) == (2, "")
    assert reason in stderr
    assert "round 1" not in stderr


def test_a_task_is_needed_unless_records_are_compared(wrapkit):
    code, _, stderr = wrapkit("bench")
    assert code == 2
    assert "Missing option '--task'" in stderr


def test_ctrl_c_ends_the_measurement_and_resume_goes_on_with_it(wrapkit, task):
    arguments = (
        *("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "internal"),
        *("--warm", "1", "--output", "record.json"),
    )
    process = wrapkit.start(*arguments, "--cold", "1000")
    try:
        assert process.stderr.readline().startswith("round 1 ")
        command = psutil.Process(process.pid)
        unfinished = wrapkit.folder / "record.json.unfinished"
        deadline = time.monotonic() + BOUND_S
        while len(unfinished.read_text().splitlines()) < 3 and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        descendants = command.children(recursive=True)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "--resume goes on with it" in stderr
    wrapkit.check_left_nothing(descendants)
    assert not (wrapkit.folder / "record.json").exists()

    made = len(unfinished.read_text().splitlines()) - 1
    rounds = made // 2 + 2
    code, _, stderr = wrapkit(*arguments, "--cold", rounds, "--resume")
    assert code == 0, stderr
    assert f"going on after {made} of {rounds * 2} cold starts" in stderr
    starts = json.loads((wrapkit.folder / "record.json").read_text())["starts"]
    assert [start["round"] for start in starts] == sorted([*range(rounds), *range(rounds)])
    assert not unfinished.exists()


def test_two_records_are_compared_if_they_are_alike(wrapkit, task):
    arguments = ("bench", "--task", task(ECHO), "--handler", "app.handler", "--mode", "internal")
    for name, warm in (("a.json", "1"), ("b.json", "1"), ("c.json", "2")):
        code, _, stderr = wrapkit(*arguments, "--cold", "1", "--warm", warm, "--output", name)
        assert code == 0, stderr
    code, stdout, _ = wrapkit("bench", "compare", "a.json", "b.json")
    assert code == 0
    assert "internal, 128 MB" in stdout
    assert max(map(len, stdout.splitlines())) <= 80
    code, stdout, _ = wrapkit("bench", "compare", "a.json", "b.json", "--json")
    assert json.loads(stdout)["changes"][0]["measure"] == "init_ms"
    code, stdout, stderr = wrapkit("bench", "compare", "a.json", "c.json")
    assert (code, stdout) == (2, "")
    assert "not for comparing: warm 1 and 2" in stderr
    assert wrapkit("bench", "compare", "a.json", "c.json", "--force")[0] == 0


def test_a_terminal_sees_a_bar_with_the_time_left(wrapkit, task):
    """On stderr; what goes to stdout is the same as ever."""
    terminal, other_end = pty.openpty()
    command = [sys.executable, "-m", "wrapkit.tooling.cli", "bench", "--task", task(ECHO)]
    command += ["--handler", "app.handler", "--mode", "bare", "--cold", "3", "--warm", "1"]
    process = subprocess.Popen(
        command,
        cwd=wrapkit.folder,
        env={**os.environ, "COLUMNS": "100", "TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=other_end,
    )
    os.close(other_end)
    seen = b""
    try:
        while piece := _read(terminal):
            seen += piece
        stdout, _ = process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
        os.close(terminal)
    assert process.returncode == 0
    assert b"round 1 of 3" in seen
    assert b"bare, 128 MB" in seen
    assert b"left" in seen
    assert stdout.startswith(b"128 MB")


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the other end is closed
        return b""
