"""The guides are run as they are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

GUIDES = Path(__file__).resolve().parents[2] / "docs/guides"
BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
# A block says in its first line, behind a shebang, which file it is.
FILE_NAME = re.compile(r"(?:#!.*\n)?# (\S+)\n")


def write_files(guide, folder):
    """Writes the files that the guide shows, and returns their names."""
    names = []
    for block in BLOCK.findall((GUIDES / guide).read_text()):
        name = FILE_NAME.match(block)
        assert name, block
        path = folder / name[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block)
        path.chmod(0o755)
        names.append(name[1])
    return names


def test_an_extension_is_tested_as_the_guide_says(tmp_path):
    """Every file of the guide as it stands there, and then its command: pytest."""
    names = write_files("test-your-extension.md", tmp_path)

    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert answer.returncode == 0, answer.stdout + answer.stderr
    tests = [name for name in names if name.startswith("test_")]
    assert len(tests) == 3
    assert f"{len(tests)} passed" in answer.stdout


def test_the_guides_first_test_has_ten_lines(tmp_path):
    write_files("test-your-extension.md", tmp_path)

    lines = (tmp_path / "test_my_extension.py").read_text().splitlines()
    assert len(lines) - 1 <= 10
