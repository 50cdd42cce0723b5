"""Which interpreter makes the byte code of a version."""

from __future__ import annotations

import sys

import pytest

from wrapkit.tooling.wrapping._interpreters import find_interpreter

OWN = "{}.{}".format(*sys.version_info[:2])


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with nothing on PATH and no pyenv; call to put an interpreter somewhere."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))

    def install(place, script):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return install


def test_this_interpreter(machine):
    """The version that runs wrapkit needs no search."""
    machine(f"bin/python{OWN}", f"echo {OWN}")

    assert find_interpreter(OWN) == sys.executable


def test_one_on_the_path(machine):
    """PATH comes before pyenv."""
    on_path = machine("bin/python3.99", "echo 3.99")
    machine("pyenv/versions/3.99.0/bin/python", "echo 3.99")

    assert find_interpreter("3.99") == on_path


@pytest.mark.parametrize("script", ["exit 127", "echo 3.98", "echo", "exec /nowhere"])
def test_a_command_that_is_not_what_it_says(machine, script):
    """pyenv's shims are on PATH for versions that are not switched on: the next place is tried."""
    machine("bin/python3.99", script)
    kept = machine("pyenv/versions/3.99.1/bin/python", "echo 3.99")

    assert find_interpreter("3.99") == kept


def test_the_newest_of_pyenv(machine):
    """By number, not by letter; pre-releases are left out."""
    for version in ("3.99.2", "3.99.10", "3.99.0rc1", "3.99-dev"):
        machine(f"pyenv/versions/{version}/bin/python", "echo 3.99")

    assert str(find_interpreter("3.99")).endswith("/3.99.10/bin/python")


def test_none(machine):
    """There may be none."""
    assert find_interpreter("3.99") is None


def test_a_folder_of_another_user(machine, monkeypatch):
    """A PYENV_ROOT that may not be read keeps nothing for us."""
    machine("pyenv/versions/3.99.0/bin/python", "echo 3.99")

    def refuse(*_arguments, **_keywords):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.glob", refuse)

    assert find_interpreter("3.99") is None
