"""The Pythons of this machine, on PATH or kept by pyenv: what ships has to run on all of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

# The oldest that what ships promises to run on, and the newest that exists.
VERSIONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")


@cache
def interpreter(version: str) -> str | None:
    """The path of a working Python of this version ("3.8"), or None."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    kept = sorted(pyenv.glob(f"{version}.*/bin/python"))
    candidates = ([on_path] if on_path else []) + [str(path) for path in reversed(kept)]
    return next((path for path in candidates if _is(path, version)), None)


def _is(path: str, version: str) -> bool:
    """Ask it: pyenv's shims are on PATH for versions that are not switched on."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", script],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    except OSError:
        return False
    return answer.stdout.strip() == version
