"""The interpreter that stands in for ``/var/lang/bin/python3.X``."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from wrapkit.tooling._errors import USAGE, DiagnosticError

_FACTS = (
    "import importlib.util, json, sys; json.dump([sys.version_info[:2], sys.prefix,"
    " sys.base_prefix, importlib.util.find_spec('awslambdaric') is not None], sys.stdout)"
)
_START_LIMIT_S = 30


@dataclass(frozen=True)
class Interpreter:
    """Where a Python lives, and whether the runtime client can be imported there."""

    executable: Path
    version: tuple[int, int]
    prefix: Path
    base_prefix: Path
    has_runtime_client: bool

    @property
    def name(self) -> str:
        """The file name that Lambda's command line shows: ``python3.11``; else the name that the
        user gave.
        """
        name = "python{}.{}".format(*self.version)
        return name if os.path.exists(self.prefix / "bin" / name) else self.executable.name

    @property
    def execution_environment(self) -> str:
        """The value of ``AWS_EXECUTION_ENV``."""
        return "AWS_Lambda_python{}.{}".format(*self.version)


@functools.lru_cache
def inspect_interpreter(executable: Path) -> Interpreter:
    """The facts of an interpreter; another one than ours is asked by running it once."""
    if executable == Path(sys.executable):
        found = importlib.util.find_spec("awslambdaric") is not None
        version = (sys.version_info[0], sys.version_info[1])
        return Interpreter(executable, version, Path(sys.prefix), Path(sys.base_prefix), found)
    version_list, prefix, base_prefix, found = _ask(executable)
    return Interpreter(
        executable, (version_list[0], version_list[1]), Path(prefix), Path(base_prefix), found
    )


def require_runtime_client(interpreter: Interpreter) -> None:
    """Raises ``DiagnosticError`` where ``awslambdaric`` cannot be imported by the chosen
    interpreter.
    """
    if not interpreter.has_runtime_client:
        raise DiagnosticError(
            "runtime-client-missing",
            f"awslambdaric cannot be imported by {interpreter.executable}",
            f"run {interpreter.executable} -m pip install awslambdaric",
            USAGE,
        )


def _ask(executable: Path) -> tuple[list[int], str, str, bool]:
    try:
        answer = subprocess.run(
            [str(executable), "-c", _FACTS],
            capture_output=True,
            check=True,
            timeout=_START_LIMIT_S,
        )
        version, prefix, base_prefix, found = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise DiagnosticError(
            "interpreter-not-usable",
            f"{executable} does not run as a Python interpreter: {_reason(error)}",
            "name a Python 3.9 or later by its path",
            USAGE,
        ) from error
    return version, prefix, base_prefix, found


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        said = error.stderr.decode(errors="replace").strip().splitlines()
        return f"it ended with {error.returncode}" + (f", {said[-1]}" if said else "")
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {_START_LIMIT_S} s"
    return "its answer is no Python's" if isinstance(error, ValueError) else str(error)
