"""The fronts say the same thing everywhere that they say it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import wrapkit
import wrapkit.lifecycle
from tests.architecture.tree import ROOT

ENTRY_SCRIPTS = {"__main__", "launch", "runner", "unpack"}


def names_for_type_checkers():
    """What `if TYPE_CHECKING:` imports in the core's front."""
    front = ast.parse((ROOT / "wrapkit/lifecycle/__init__.py").read_text())
    imports = (node for node in ast.walk(front) if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name for node in imports for alias in node.names}


def test_every_name_of_the_core_resolves():
    """A name in `__all__` is a name that can be imported."""
    missing = [name for name in wrapkit.lifecycle.__all__ if not hasattr(wrapkit.lifecycle, name)]

    assert missing == []


def test_type_checkers_see_the_same_names():
    """What a type checker believes the front to have is what it has."""
    assert names_for_type_checkers() == set(wrapkit.lifecycle.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """The lazy front fails as any module does."""
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        importlib.import_module("wrapkit.lifecycle").nonsense  # noqa: B018


@pytest.mark.parametrize("part", ["lifecycle", "payload", "tooling"])
def test_modules_are_private(part):
    """Public is what a package front lists; every module behind it starts with an underscore."""
    package = importlib.import_module(f"wrapkit.{part}")
    modules = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    public = [name for _, name, is_package in modules if not is_package]

    assert [name for name in public if not _private(name.rpartition(".")[2])] == []


def _private(name):
    return name.startswith("_") or name in ENTRY_SCRIPTS


def test_the_version_is_said_once():
    """The command line reports the version that the package carries."""
    command = Path(sys.executable).with_name("wrapkit")

    answer = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)

    assert wrapkit.__version__ in answer.stdout, answer.stderr
