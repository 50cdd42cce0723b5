"""Byte code that ships in the layer: /opt is read-only, so a function cannot keep its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from .._errors import DiagnosticError

if TYPE_CHECKING:
    from pathlib import Path

# Unchecked: the source is never looked at, which saves a system call a module, and no time stamp
# that an archive might round makes the byte code stale.
_COMPILE = """
import importlib.util, os, py_compile, sys
root, shown_root = sys.argv[1:]
for folder, folders, names in os.walk(root):
    folders.sort()
    for name in sorted(names):
        if name.endswith(".py"):
            source = os.path.join(folder, name)
            py_compile.compile(
                source,
                cfile=importlib.util.cache_from_source(source, optimization=""),
                dfile=shown_root + source[len(root):],
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
"""
_TIMEOUT_S = 120


def compile_packages(interpreter: str, root: Path, shown_root: str) -> None:
    """Write the byte code of all modules under ``root`` into ``__pycache__`` folders.

    ``shown_root`` is what stands in for ``root`` in tracebacks: the place where the layer is
    mounted, rather than where it was built.
    """
    # The order of a set constant depends on the hash seed; -I would ignore the variable.
    environ = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [interpreter, "-s", "-S", "-c", _COMPILE, str(root), shown_root],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd=root,
        env=environ,
    )
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise DiagnosticError(
            "byte-code-failed",
            f"{interpreter} did not compile wrapkit's modules: {last_line}",
            "leave this version out with --python, naming the others",
        )
