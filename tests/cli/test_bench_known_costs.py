"""The benchmark with real processes and known costs; on busy machines, too.

How often an interval holds what it should is tested on simulated machines (test_statistics.py);
here only what a busy machine cannot spoil.
"""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.slow

NOOP = "def handler(event, context):\n    return event\n"
SLEEP_MS = 20
SPIN_MS = 60
SPINNING = f"import time\nwhile time.process_time() < {SPIN_MS / 1000} + START: pass\n"


def added(wrapkit, task, variant, measure):
    """What a version of the function adds, with its interval."""
    code, stdout, stderr = wrapkit(
        *("bench", "--task", task(NOOP), "--handler", "app.handler", "--mode", "bare", "--json"),
        *("--variant", variant, "--cold", "8", "--warm", "5"),
    )
    assert code == 0, stderr
    found = {(one["measure"], one["variant"]): one for one in json.loads(stdout)["findings"]}
    return found[measure, variant.partition("=")[0]]


@pytest.fixture
def version(tmp_path):
    """Another version of the function, as a variant."""

    def write(code):
        folder = tmp_path / "version"
        folder.mkdir()
        (folder / "app.py").write_text(code + NOOP)
        return f"version=task={folder}"

    return write


def test_a_sleep_at_init_is_found_as_long_as_it_is(wrapkit, task, version):
    variant = version(f"import time\ntime.sleep({SLEEP_MS / 1000})\n")
    found = added(wrapkit, task, variant, "init_ms")["added"]
    slack_ms = 3 * max(found["high"] - found["median"], found["median"] - found["low"]) + 2
    assert abs(found["median"] - SLEEP_MS) <= slack_ms


def test_work_at_init_is_found_as_cpu_time(wrapkit, task, version):
    """Which other programs do not take from it."""
    spin = f"import time\nSTART = time.process_time()\n{SPINNING}"
    found = added(wrapkit, task, version(spin), "init_cpu_ms")
    assert found["verdict"] == "more"
    assert SPIN_MS * 0.7 <= found["added"]["median"] <= SPIN_MS * 1.5


def test_the_same_again_adds_no_work(wrapkit, task):
    found = added(wrapkit, task, "again=", "init_cpu_ms")
    assert abs(found["added"]["median"]) <= 0.25 * found["value"]["median"]
