"""The kernel's counters of a process and all that it starts."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from wrapkit.tooling.emulator._counters import ProcessCounters

BUSY_MS = 50
SPIN = f"import time\nwhile time.process_time() < {BUSY_MS / 1000}: pass"
CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SPIN!r}])"


@pytest.fixture
def counted():
    """Starts a program with counters; skipped where the kernel gives none."""
    started = []

    def start(code):
        command = [sys.executable, "-c", "input()\n" + code]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        counters = ProcessCounters(process.pid)
        started.append((process, counters))
        if counters.cpu_ns() is None:
            pytest.skip("this kernel counts for nobody: perf_event_open is refused")
        counters.enable()
        process.communicate(b"go\n", timeout=60)
        return counters

    yield start
    for process, counters in started:
        process.kill()
        process.wait()
        counters.close()


@pytest.mark.parametrize("code", [SPIN, CHILD], ids=["itself", "its child"])
def test_cpu_time_includes_the_children_that_ended(counted, code):
    """A wrapper script that starts an interpreter pays for it."""
    before_ns = time.monotonic_ns()
    counters = counted(code)

    assert counters.cpu_ns() >= BUSY_MS * 1e6 * 0.8
    assert counters.cpu_ns() <= (time.monotonic_ns() - before_ns) * 2


def test_instructions_are_counted_or_unknown_but_never_made_up(counted):
    """Most virtual machines have no counter of instructions."""
    instructions = counted(SPIN).instructions()

    assert instructions is None or instructions > 1_000_000


def test_a_process_that_is_gone_has_no_counters():
    """Nor is that an error: what cannot be counted is None."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    counters = ProcessCounters(process.pid)

    assert (counters.cpu_ns(), counters.instructions()) == (None, None)
    counters.close()
