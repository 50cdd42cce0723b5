"""Functions to run, and the real command line as a process that leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

if TYPE_CHECKING:
    from pathlib import Path

BOUND_S = 60
# Runs its arguments as one who is bound by permissions: root is by these capabilities not
# (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH; PR_CAPBSET_DROP), an ordinary user has none to drop.
BOUND_BY_PERMISSIONS = """
import ctypes, os, sys
for capability in 1, 2:
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class CommandLine:
    """`wrapkit` as a process whose temporary files land in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.folder = folder

    def start(self, *arguments, **options):
        command = [sys.executable, "-m", "wrapkit.tooling.cli", *map(str, arguments)]
        if options.get("bound_by_permissions"):
            command = [sys.executable, "-c", BOUND_BY_PERMISSIONS, *command]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**os.environ, "TMPDIR": str(self.temporary), "COLUMNS": "80"},
            stdin=options.get("stdin", subprocess.DEVNULL),
            stdout=options.get("stdout", subprocess.PIPE),
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments, given=None, **options):
        """Exit code, stdout and stderr of a finished command."""
        process = self.start(*arguments, stdin=subprocess.PIPE, **options)
        try:
            stdout, stderr = process.communicate(given, timeout=BOUND_S)
        finally:
            process.kill()
        self.check_left_nothing()
        return process.returncode, stdout, stderr

    def check_left_nothing(self, processes=()):
        """No temporary file, and none of the processes; those may be ending still."""
        _gone, alive = psutil.wait_procs(processes, timeout=BOUND_S)
        assert alive == []
        assert list(self.temporary.iterdir()) == []


@pytest.fixture
def wrapkit(tmp_path):
    return CommandLine(tmp_path)


@pytest.fixture
def task(tmp_path):
    """Writes the code of a function, and gives its folder."""

    def write(code):
        folder = tmp_path / "my-function"
        folder.mkdir(exist_ok=True)
        (folder / "app.py").write_text(code)
        return folder

    return write


@pytest.fixture
def event(tmp_path):
    """Writes an event, and gives its file."""

    def write(value, name="event.json"):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return path

    return write
