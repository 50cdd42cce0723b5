"""The extension's bootstrap in the shells that may be /bin/sh: which interpreter it becomes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).parents[2] / "wrappers/python/wrapkit-extension"
LAMBDAS_OWN = Path("/var/lang/bin/python3")
RECORDER = """#!/bin/sh
printf '%s\\n' "$0" "$@"
"""

pytestmark = pytest.mark.skipif(LAMBDAS_OWN.exists(), reason="Lambda's own interpreter is here")


@pytest.fixture(params=["sh", "dash", "bash"])
def shell(request):
    path = shutil.which(request.param)
    if path is None:
        pytest.skip(f"no {request.param} on this machine")
    return path


@pytest.fixture
def start(shell, tmp_path):
    """Call with variables: the run of the bootstrap in a layer of a name that needs quoting."""
    opt = tmp_path / "a $(touch owned) layer"
    (opt / "extensions").mkdir(parents=True)
    shutil.copy(BOOTSTRAP, opt / "extensions/wrapkit")

    def run(**environ):
        return subprocess.run(
            [shell, str(opt / "extensions/wrapkit")],
            env={"PATH": str(tmp_path / "bin"), **environ},
            capture_output=True,
            text=True,
            timeout=30,
        )

    run.runner = f"{opt}/extensions/../wrapkit/runner.py"
    return run


def recorder(path):
    path.parent.mkdir(exist_ok=True)
    path.write_text(RECORDER)
    path.chmod(0o755)
    return str(path)


def test_the_interpreter_that_was_chosen(start, tmp_path):
    """WRAPKIT_PYTHON wins; the runner is isolated and is told its name."""
    python = recorder(tmp_path / "my python")
    recorder(tmp_path / "bin/python3")

    done = start(WRAPKIT_PYTHON=python)

    assert done.stdout.splitlines() == [python, "-I", "-S", start.runner, "wrapkit"]


@pytest.mark.parametrize("chosen", [None, "", "/nowhere/python3", "/", "/etc/passwd"])
def test_the_interpreter_on_the_path(start, tmp_path, chosen):
    """A choice that is none is passed over."""
    python = recorder(tmp_path / "bin/python3")

    done = start(**({} if chosen is None else {"WRAPKIT_PYTHON": chosen}))

    assert done.stdout.splitlines() == [python, "-I", "-S", start.runner, "wrapkit"]


def test_no_interpreter(start):
    """One line says what was looked for."""
    done = start()

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "WRAPKIT_PYTHON" in done.stderr


def test_scripts_are_executable_and_have_unix_line_ends():
    """Lambda starts them directly, and a carriage return would become part of the shell's name."""
    for script in BOOTSTRAP.parent.iterdir():
        assert os.access(script, os.X_OK)
        assert script.read_bytes().startswith(b"#!/bin/sh\n")
        assert b"\r" not in script.read_bytes()


def test_shellcheck():
    """The linter of shells has nothing to say."""
    command = shutil.which("shellcheck", path=os.pathsep.join([_own_scripts(), os.environ["PATH"]]))
    if command is None:
        pytest.skip("no shellcheck on this machine")
    scripts = [str(script) for script in BOOTSTRAP.parent.iterdir()]

    done = subprocess.run([command, *scripts], capture_output=True, text=True, timeout=60)

    assert done.stdout == ""


def _own_scripts():
    import sys

    return str(Path(sys.executable).parent)
