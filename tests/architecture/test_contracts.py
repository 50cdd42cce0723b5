"""The import contracts hold, and each of them catches the violation that it is there for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT, copy_packages

SEEDS = {
    "tooling imports payload": (
        "two-contexts",
        "wrapkit/tooling/cli/_seed.py",
        "from wrapkit.payload import internal",
    ),
    "payload imports tooling": (
        "two-contexts",
        "wrapkit/payload/_seed.py",
        "from ..tooling import _errors",
    ),
    "the core imports what stands on it": (
        "two-contexts",
        "wrapkit/lifecycle/_seed.py",
        "from ..payload import external",
    ),
    "a fourth part appears": ("two-contexts", "wrapkit/seed.py", ""),
    "the hook imports the runner": (
        "two-processes",
        "wrapkit/payload/internal/_seed.py",
        "from .. import external",
    ),
    "the runner imports the hook": (
        "two-processes",
        "wrapkit/payload/external/_seed.py",
        "from .. import internal",
    ),
    "the core owns a clock": ("core-externals", "wrapkit/lifecycle/_seed.py", "import time"),
    "the core reads the environment": ("core-externals", "wrapkit/lifecycle/_seed.py", "import os"),
    "the core imports dataclasses, and late": (
        "core-externals",
        "wrapkit/lifecycle/_seed.py",
        "def f():\n    import dataclasses",
    ),
    "the payload imports a library": (
        "payload-externals",
        "wrapkit/payload/external/_seed.py",
        "import click",
    ),
    "the payload imports asyncio, and late": (
        "payload-externals",
        "wrapkit/payload/internal/_seed.py",
        "def f():\n    import asyncio",
    ),
    "somebody goes round the core's front": (
        "front-door",
        "wrapkit/tooling/emulator/_seed.py",
        "from wrapkit.lifecycle import _seed_of_the_core",
    ),
    "two siblings import each other": (
        "no-cycles",
        "wrapkit/tooling/cli/_seed.py",
        "from ..sink import _seed",
    ),
}
# What else the seed needs in order to be one.
COMPANIONS = {
    "somebody goes round the core's front": ("wrapkit/lifecycle/_seed_of_the_core.py", ""),
    "two siblings import each other": ("wrapkit/tooling/sink/_seed.py", "from ..cli import _seed"),
}
# What the report names; elsewhere it is the seed itself.
EVIDENCE = {"no-cycles": ".sink -> .cli"}


@pytest.fixture
def scratch(tmp_path):
    copy_packages(tmp_path, "wrapkit", "tests/architecture")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(tree, *options):
    """Run the contracts over a tree, whose own `wrapkit` goes before the installed one."""
    script = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", script, "--no-logo", "--no-cache", *options],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_all_contracts_are_kept():
    """The tree as it stands breaks no contract."""
    answer = lint_imports(ROOT)

    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seeded_violation_breaks_its_contract(scratch, seed):
    """A contract that lets its own violation pass is no contract."""
    contract, path, source = SEEDS[seed]
    for name, text in filter(None, ((path, source), COMPANIONS.get(seed))):
        (scratch / name).write_text(f"{text}\n")

    answer = lint_imports(scratch, "--contract", contract)

    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "1 broken" in answer.stdout
    assert EVIDENCE.get(contract, "seed") in answer.stdout
