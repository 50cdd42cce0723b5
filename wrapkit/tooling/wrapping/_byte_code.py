"""Byte code that ships in the layer: /opt is read-only, so a function cannot keep its own."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from .._errors import DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Sequence
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
# What launch.py runs first, and the modules that it loads at Init, in one file: dumped by version 2
# of marshal's format, which depends on nothing but the values. Of what nobody asks at Init the code
# has nothing (docstrings, columns): unmarshalling it would take a third longer.
_BUNDLE = """
import importlib.util, marshal, os, py_compile, sys
folder, shown_folder, unpack, count, *modules = sys.argv[1:]
scratch = os.path.join(folder, "bundled.pyc")
def code_of(source, shown):
    py_compile.compile(source, cfile=scratch, dfile=shown_folder + "/" + shown, doraise=True,
        optimize=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    with open(scratch, "rb") as file:
        return file.read()[16:]
entries = []
for path in modules:
    name = path[:-len(".py")].replace("/", ".")
    name = name[:-len(".__init__")] if name.endswith(".__init__") else name
    entries.append((name, path, code_of(os.path.join(folder, path), path)))
bundle = (code_of(unpack, "unpack.py"), entries[:int(count)], entries[int(count):])
os.unlink(scratch)
target = os.path.join(folder, "init-" + importlib.util.MAGIC_NUMBER.hex() + ".bundle")
with open(target, "wb") as file:
    file.write(marshal.dumps(bundle, 2))
"""
_TIMEOUT_S = 120


def compile_packages(interpreter: str, root: Path, shown_root: str) -> None:
    """Write the byte code of all modules under ``root`` into ``__pycache__`` folders.

    ``shown_root`` is what stands in for ``root`` in tracebacks: the place where the layer is
    mounted, rather than where it was built.
    """
    _run(interpreter, root, _COMPILE, str(root), shown_root)


def bundle_modules(
    interpreter: str,
    folder: Path,
    shown_folder: str,
    *,
    unpack: Path,
    modules: Sequence[str],
    later: Sequence[str],
) -> None:
    """Write a bundle of compiled modules (paths below ``folder``), which ``unpack`` takes apart:
    ``modules`` at once, those of ``later`` when the runtime client is there.
    """
    arguments = [str(folder), shown_folder, str(unpack), str(len(modules)), *modules, *later]
    _run(interpreter, folder, _BUNDLE, *arguments, options=["-X", "no_debug_ranges"])


def _run(
    interpreter: str, folder: Path, script: str, *arguments: str, options: Sequence[str] = ()
) -> None:
    # The order of a set constant depends on the hash seed; -I would ignore the variable.
    environ = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [interpreter, "-s", "-S", *options, "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
        cwd=folder,
        env=environ,
    )
    if done.returncode:
        last_line = done.stderr.strip().rpartition("\n")[2]
        raise DiagnosticError(
            "byte-code-failed",
            f"{interpreter} did not compile wrapkit's modules: {last_line}",
            "leave this version out with --python, naming the others",
        )
