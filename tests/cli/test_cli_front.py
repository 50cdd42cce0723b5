"""The front of the command line, as a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from wrapkit import __version__

PROBE = """
import sys
from wrapkit.tooling.cli._main import run_command_line
code = run_command_line(sys.argv[1:])
heavy = ("asyncio", "boto3", "google.protobuf", "opentelemetry", "psutil", "rich", "zipfile")
print("loaded:", *[name for name in heavy if name in sys.modules])
sys.exit(code)
"""


def wrapkit(*arguments):
    command = [sys.executable, "-m", "wrapkit.tooling.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_version_is_data_on_stdout():
    done = wrapkit("--version")
    assert (done.returncode, done.stdout.split()[-1], done.stderr) == (0, __version__, "")


@pytest.mark.parametrize("command", [(), ("generate",), ("run",), ("bench",)])
def test_help_is_data_and_shows_examples(command):
    done = wrapkit(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: wrapkit" in done.stdout
    if command != ("generate",):
        assert f"wrapkit {' '.join(command)}".strip() in done.stdout.partition("Examples:")[2]


@pytest.mark.parametrize("command", [(), ("run",), ("bench",)])
def test_help_loads_nothing_heavy(command):
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command, "--help"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def test_no_command_shows_the_help_and_is_a_usage_error():
    done = wrapkit()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["nope"], "nope"),
        (["--nope"], "--nope"),
        (["run", "--nope"], "--nope"),
        (["run", "--task", "."], "--handler"),
        (["run", "--task", ".", "--handler", "a.b", "--event"], "--event"),
        (["run", "--task", ".", "--handler", "a.b", "--event", "-", "--memory", "x"], "--memory"),
        (["run", "--task", ".", "--handler", "a.b", "--event", "-", "--env", "=x"], "--env"),
        (["run", "--task", ".", "--handler", "a.b", "--event", "-", "--port", "70000"], "--port"),
        (["bench", "--task", ".", "--handler", "a.b", "--mode", "bare,odd"], "odd"),
        (["bench", "--task", ".", "--handler", "a.b", "--cold", "0"], "--cold"),
        (["bench", "--task", "/nonexistent", "--handler", "a.b"], "/nonexistent"),
        (
            ["bench", "--task", ".", "--handler", "a.b", "--output", "/nonexistent/x"],
            "/nonexistent",
        ),
    ],
)
def test_wrong_usage_is_an_error_a_hint_and_exit_code_2(arguments, culprit):
    done = wrapkit(*arguments)
    error, hint = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert error.startswith("error: ")
    assert culprit in error
    assert hint.startswith("hint: ")


BROKEN = """
import sys
from wrapkit.tooling.cli import _run, _main
def fail(**_):
    raise KeyError("a defect")
_run.run.callback = fail
sys.exit(_main.run_command_line(sys.argv[1:]))
"""
RUN = ("run", "--task", ".", "--handler", "a.b", "--event", "-")


@pytest.mark.parametrize(
    ("arguments", "has_traceback"), [(RUN, False), (("-v", *RUN), True), ((*RUN, "-v"), True)]
)
def test_a_defect_of_wrapkit_is_one_line_unless_the_traceback_is_asked_for(
    arguments, has_traceback
):
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "error: wrapkit itself failed: KeyError: 'a defect'" in done.stderr
    assert ("Traceback" in done.stderr) == has_traceback


INTERRUPTED = """
import sys
class Interruption:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interruption())
from wrapkit.tooling.cli import main
main()
"""


def test_ctrl_c_while_the_command_is_loaded_is_no_traceback():
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, "--version"], capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
