"""The tree under test: where it is, and which of its files are part of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Made by the build, the tools and the tests; so is whatever else begins with a dot but these.
MADE = {"build", "dist", "__pycache__"}
OURS = {".ci", ".gitignore"}


def tracked_files() -> list[Path]:
    """Every file of the tree as relative paths: what git tracks, else all but what was made."""
    paths = _known_to_git()
    if paths is None:
        paths = [path.relative_to(ROOT) for path in sorted(ROOT.rglob("*"))]
    return [path for path in paths if (ROOT / path).is_file() and not any(map(_made, path.parts))]


def _known_to_git() -> list[Path] | None:
    """None for a tree without git, as an sdist is, and for one that git does not trust."""
    if not shutil.which("git") or not (ROOT / ".git").exists():
        return None
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, timeout=30, check=False
    )
    names = listed.stdout.split(b"\0")
    return None if listed.returncode else [Path(name.decode()) for name in names if name]


def _made(part: str) -> bool:
    return part in MADE or (part.startswith(".") and part not in OURS)


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
