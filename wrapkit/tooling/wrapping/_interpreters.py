"""The Python interpreters of this machine, which make the byte code of their version."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Lambda's managed runtimes for Python
# (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, November 2026).
LAMBDA_VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")

# A pre-release writes byte code that the final release does not read.
_IDENTIFY = (
    "import sys\n"
    "if sys.implementation.name == 'cpython' and sys.version_info.releaselevel == 'final':\n"
    "    print('%d.%d' % sys.version_info[:2])\n"
)
_TIMEOUT_S = 30


def find_interpreter(version: str) -> str | None:
    """The path of a working CPython of ``version`` (as ``3.12``), or None.

    This interpreter, one on PATH, or the newest that pyenv keeps.
    """
    return next((path for path in _candidates(version) if _is(path, version)), None)


def _candidates(version: str) -> list[str]:
    own = "{}.{}".format(*sys.version_info[:2])
    found = [sys.executable] if own == version else []
    on_path = shutil.which(f"python{version}")
    if on_path:
        found.append(on_path)
    return found + [str(path) for path in _kept_by_pyenv(version)]


def _kept_by_pyenv(version: str) -> list[Path]:
    try:
        root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
        kept = [path for path in root.glob(f"versions/{version}.*") if _patch(path).isdigit()]
    except (OSError, RuntimeError):  # another user's folder, or a user without a home
        return []
    return [path / "bin/python" for path in sorted(kept, key=lambda p: -int(_patch(p)))]


def _patch(path: Path) -> str:
    return path.name.rpartition(".")[2]


def _is(path: str, version: str) -> bool:
    # By asking: pyenv has a command on PATH for each version, switched on or not.
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", _IDENTIFY],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == version
