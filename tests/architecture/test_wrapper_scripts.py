"""The shell that runs in front of the function is sound POSIX, and leaves no process behind."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

SHEBANG = re.compile(rb"#!/bin/sh\n")


def shell_scripts():
    """Everything under wrappers/ and .ci/ that says it is a shell script."""
    files = [path for top in ("wrappers", ".ci") for path in (ROOT / top).rglob("*")]
    return sorted(path for path in files if path.is_file() and _shebang(path))


def shipped():
    return [path for path in shell_scripts() if "wrappers" in path.parts]


def exec_wrappers():
    return [path for path in shipped() if path.name == "otel-handler"]


def _shebang(path):
    first = path.read_bytes().partition(b"\n")[0]
    return re.match(rb"#!.*\b(sh|bash|dash)\b", first)


def named(path):
    return str(path.relative_to(ROOT))


def code_lines(path):
    lines = path.read_text().splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.parametrize("script", shell_scripts(), ids=named)
def test_shellcheck_has_nothing_to_say(script):
    """No finding of any severity, and no exception but one that stands in the script."""
    shellcheck = Path(sys.executable).with_name("shellcheck")

    answer = subprocess.run([shellcheck, script], capture_output=True, text=True, timeout=60)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("script", shipped(), ids=named)
def test_what_ships_asks_for_plain_sh(script):
    """Amazon Linux's bash starts slower than its sh, and an image may have no bash."""
    assert SHEBANG.match(script.read_bytes())


@pytest.mark.parametrize("script", exec_wrappers(), ids=named)
def test_an_exec_wrapper_ends_by_becoming_the_runtime(script):
    """One process: whatever happened before, the last command hands the arguments on."""
    assert code_lines(script)[-1] == 'exec "$@"'


@pytest.mark.parametrize("script", shipped(), ids=named)
def test_what_ships_starts_every_interpreter_by_exec(script):
    """One process: the shell is replaced by what it starts, and does not wait beside it."""
    starts = [line.strip() for line in code_lines(script) if re.search(r"-I -S|\.py\b.*\$@", line)]

    assert [line for line in starts if not line.startswith("exec ")] == []


@pytest.mark.parametrize("script", shipped(), ids=named)
def test_what_ships_never_evaluates_a_value(script):
    """A variable's value is data: no `eval`, and no command line built from it."""
    assert not [line for line in code_lines(script) if re.search(r"\beval\b", line)]


@pytest.mark.parametrize("script", shell_scripts(), ids=named)
def test_every_line_ends_as_unix_lines_do(script):
    """A carriage return in the first line makes the kernel look for `/bin/sh\\r`."""
    assert b"\r" not in script.read_bytes()
