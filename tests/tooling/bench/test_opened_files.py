"""Files that processes open, counted by the kernel; or said why not."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wrapkit.tooling.bench._opened_files import OpenedFiles

FILES = 40


@pytest.fixture
def folder(tmp_path):
    for number in range(FILES):
        (tmp_path / str(number)).write_text("")
    return tmp_path


def opened(folder, code):
    with OpenedFiles([folder]) as counted:
        subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd=folder)
    if counted.count is None:
        assert counted.problem.startswith("fanotify")
        pytest.skip(counted.problem)
    return counted.count


def test_files_of_a_process_and_its_children_are_counted(folder):
    """Each once for each process; and those of other processes are not."""
    code = f"for n in range({FILES}): open(str(n)).close()"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {code!r}])"
    nothing = opened(folder, "")
    for number in range(FILES):
        (folder / str(number)).read_text()
    once = opened(folder, code)
    twice = opened(folder, f"{code}\n{code}")
    assert once - nothing == FILES
    assert twice == once
    assert opened(folder, f"{nested}\n{code}") - nothing >= 2 * FILES


def test_a_place_that_cannot_be_watched_makes_no_half_a_count(tmp_path):
    """Such as a file system of the kernel's own."""
    with OpenedFiles([tmp_path, tmp_path.__class__("/proc/self/ns")]) as counted:
        pass
    assert (counted.count is None) == bool(counted.problem)
