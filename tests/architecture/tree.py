"""The tree under test: where it is, and which of its files are part of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Made by the build, the tools and the tests; the fallback for a tree without git, as an sdist is.
MADE = {".git", ".venv", "build", "dist", "__pycache__", ".hypothesis"}


def tracked_files() -> list[Path]:
    """Every file of the tree as relative paths: what git tracks, or all but what was made."""
    if shutil.which("git") and (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, timeout=30
        )
        paths = [Path(name.decode()) for name in listed.stdout.split(b"\0") if name]
    else:
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
    return [path for path in paths if (ROOT / path).is_file() and not MADE & set(path.parts)]


def copy_packages(target: Path, *names: str) -> None:
    """Copy packages of the tree under `target`, without byte code."""
    for name in names:
        shutil.copytree(
            ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )


def module_names(package: Path, prefix: str) -> list[str]:
    """The dotted names of all modules under a package's folder, entry scripts left out."""
    names = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[-1] == "__init__":
            names.append(".".join((prefix, *parts[:-1])))
        elif parts[-1].startswith("_") and parts[-1] != "__main__":
            names.append(".".join((prefix, *parts)))
    return names
