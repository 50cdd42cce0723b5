"""The committed scenario of the extension's budgets: it runs, and its record names every figure."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

SCRIPT = ROOT / "bench/runner/measure.py"
RECORD = ROOT / "bench/runner/record-python3.11.json"
FIGURES = {"start", "memory", "decoding_us_a_span", "copying", "forwarding", "post_runtime_ms"}


@pytest.mark.slow
def test_a_short_run_makes_a_whole_record(tmp_path):
    """Real processes, every span counted at the backend; what it measures is not judged here."""
    output = tmp_path / "record.json"
    command = [sys.executable, SCRIPT, "--output", output]
    command += ["--rounds", "2", "--spans", "20480", "--warm", "3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr

    record = json.loads(output.read_text())
    assert record.keys() >= FIGURES
    assert record["forwarding"]["spans"] == 20480
    assert all(isinstance(value, float) for value in record["memory"].values())
    assert "spans_per_s" in done.stdout


def test_the_readme_shows_the_committed_record():
    """Its table is what `--show` makes of it."""
    done = subprocess.run(
        [sys.executable, SCRIPT, "--show", RECORD], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr

    assert done.stdout in (ROOT / "bench/README.md").read_text()
