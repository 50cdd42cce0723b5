"""Importing what ships loads no module that the function would not have had anyway.

Modules are counted rather than milliseconds: a count is the same on every machine.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, module_names

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda runs Linux")

# Before the modules under test: what is there without them. The runtime client stands for itself.
RUNTIME_CLIENT = ["awslambdaric.bootstrap"]


def loaded_by(modules, *, after=(), isolated=True):
    """The names that importing `modules` adds to a fresh interpreter that has imported `after`."""
    script = (
        "import importlib, json, sys\n"
        "before, modules = json.loads(sys.argv[1]), json.loads(sys.argv[2])\n"
        "sys.path.insert(0, sys.argv[3])\n"
        "for name in before: importlib.import_module(name)\n"
        "had = set(sys.modules)\n"
        "for name in modules: importlib.import_module(name)\n"
        "print(json.dumps(sorted(set(sys.modules) - had)))\n"
    )
    flags = ["-I", "-S"] if isolated else ["-I"]
    command = [sys.executable, *flags, "-c", script]
    answer = subprocess.run(
        [*command, json.dumps(list(after)), json.dumps(list(modules)), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def foreign(names):
    return [name for name in names if name.partition(".")[0] != "wrapkit"]


def test_the_front_imports_nothing():
    """`import wrapkit` loads `wrapkit`, so that whatever comes after it stays cheap."""
    assert loaded_by(["wrapkit"]) == ["wrapkit"]


def test_the_front_of_the_core_is_lazy():
    """`import wrapkit.lifecycle` loads none of its modules before a name is asked for."""
    assert loaded_by(["wrapkit.lifecycle"]) == ["wrapkit", "wrapkit.lifecycle"]


def test_the_core_loads_enum_and_nothing_else():
    """All modules of the core together load no other module than `enum` does."""
    core = module_names(ROOT / "wrapkit/lifecycle", "wrapkit.lifecycle")

    assert foreign(loaded_by(core, after=["enum"])) == []


def test_the_hook_loads_only_what_the_runtime_client_has_loaded():
    """The in-process hook adds no module of anybody else's to the function's cold start.

    Those for libraries, which are loaded after these, add what context variables are made of.
    """
    hook = module_names(ROOT / "wrapkit/payload/internal", "wrapkit.payload.internal")

    loaded = foreign(loaded_by(hook, after=RUNTIME_CLIENT, isolated=False))
    assert set(loaded) <= {"_contextvars"}
