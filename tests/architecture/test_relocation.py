"""What ships works under another name, without wrapkit on the path, on every Python it promises."""

from __future__ import annotations

import ast
import json
import subprocess

import pytest

from tests.architecture.interpreters import VERSIONS, interpreter
from tests.architecture.tree import ROOT, module_names

OLDEST = (3, 8)
SHIPPED = ("lifecycle", "payload")
IMPORT_ALL = (
    "import importlib, json, sys\n"
    "sys.path.insert(0, sys.argv[1])\n"
    "for name in json.loads(sys.argv[2]): importlib.import_module(name)\n"
    "assert not [name for name in sys.modules if name.partition('.')[0] == 'wrapkit']\n"
)


def shipped_sources():
    roots = [ROOT / "wrapkit" / part for part in SHIPPED] + [ROOT / "wrappers"]
    return sorted(path for root in roots for path in root.rglob("*.py"))


@pytest.fixture
def relocated(tmp_path):
    """The two packages as the layer has them: side by side under a private name."""
    package = tmp_path / "_wk"
    for part in SHIPPED:
        for source in (ROOT / "wrapkit" / part).rglob("*.py"):
            target = package / source.relative_to(ROOT / "wrapkit")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())
    (package / "__init__.py").touch()
    return tmp_path


@pytest.mark.parametrize("version", VERSIONS)
def test_every_module_imports_under_a_private_name(relocated, version):
    """Relative imports only, and only syntax and modules that this Python knows."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    names = module_names(relocated / "_wk", "_wk")

    answer = subprocess.run(
        [python, "-I", "-S", "-B", "-c", IMPORT_ALL, str(relocated), json.dumps(names)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("source", shipped_sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_syntax_is_that_of_the_oldest_python(source):
    """A machine without the oldest Python still refuses what it could not parse."""
    ast.parse(source.read_text(), str(source), feature_version=OLDEST)
