"""The tree is fit for another machine, another reader and another year."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, tracked_files

# Above this a Python file has more than one noun in it; a file with a reason stands here with it.
MAX_LINES = 500
LONGER_WITH_A_REASON: dict[str, str] = {}

# A person's or a machine's folder. Lambda's own (/opt, /var/task, /tmp) are everybody's.
MACHINE_PATH = re.compile(r"(?<![\w.<$}])/(?:root|home/\w+|Users/\w+)/")
# Where packages come from is the reader's choice, made in pip's own configuration.
REGISTRY = re.compile(r"(?:--|_|PIP_)(?:extra-)?(?:index[-_]url|trusted[-_]host)\b", re.IGNORECASE)

THIS = Path(__file__).resolve().relative_to(ROOT)


def texts():
    """(path, text) of every tracked text file but this one, which spells what it forbids."""
    for path in tracked_files():
        content = (ROOT / path).read_bytes()
        if path != THIS and b"\0" not in content:
            yield path, content.decode("utf-8", "replace")


def test_no_file_names_a_machine():
    """No absolute path of somebody's machine: it would be true on that one only."""
    own = {str(ROOT), str(Path.home())} - {"/"}
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE_PATH.search(line) or any(f"{place}/" in line for place in own)
    ]

    assert found == []


def test_no_file_names_a_package_registry():
    """The tree installs from whatever registry the reader's pip is set up for."""
    found = [str(path) for path, text in texts() if REGISTRY.search(text)]

    assert found == []


def test_no_python_file_is_longer_than_its_reader_has_patience():
    """A file above the limit is split, or stands in the list above with its reason."""
    long = {
        str(path) for path, text in texts() if path.suffix == ".py" and text.count("\n") > MAX_LINES
    }

    assert long == set(LONGER_WITH_A_REASON)


@pytest.mark.parametrize(
    "path",
    [path for path in tracked_files() if path.match("tests/**/test_*.py")],
    ids=str,
)
def test_every_test_file_has_tests(path):
    """A file that pytest collects nothing from is a gap that looks like a gate."""
    nodes = ast.walk(ast.parse((ROOT / path).read_text()))
    names = [node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))]

    assert any(name.startswith(("test", "Test")) for name in names)
