"""Why a program could not be executed, in words for people."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

_FIRST_LINE_BYTES = 256


@dataclass(frozen=True)
class LaunchProblem:
    """What is wrong with which file, and what helps against it (may be empty)."""

    reason: str
    hint: str


def explain_launch_error(path: str, error: OSError | ValueError) -> LaunchProblem:
    """Explains what the kernel said, or Python before it, when asked to execute the file."""
    if isinstance(error, ValueError):
        return LaunchProblem(f"{path} cannot be started: {error}", "look at the variables' names")
    if error.errno == errno.EACCES:
        return LaunchProblem(f"{path} is not executable", f"chmod +x {os.path.basename(path)}")
    if error.errno == errno.ENOENT:
        return _explain_missing(path, _first_line(path))
    if error.errno == errno.ENOEXEC:
        return LaunchProblem(
            f"{path} is not a program that this machine runs (exec format error)",
            "start a script with #!; build a binary for this machine's architecture",
        )
    return LaunchProblem(f"{path}: {os.strerror(error.errno or 0)}", "")


def _explain_missing(path: str, first_line: bytes) -> LaunchProblem:
    """The kernel says the same of a file that is missing and of one whose interpreter is."""
    if not first_line:
        return LaunchProblem(f"{path} does not exist", "")
    if first_line.endswith(b"\r"):
        return LaunchProblem(
            f"{path} ends its first line with CRLF: the kernel looks for an interpreter whose name"
            " ends with a carriage return",
            "save the file with LF line ends",
        )
    words = first_line[2:].decode(errors="replace").split()
    if first_line.startswith(b"#!") and words:
        return LaunchProblem(
            f"{path} names an interpreter that does not exist: {words[0]}",
            "name one that is in the execution environment",
        )
    return LaunchProblem(
        f"{path} needs a dynamic loader that does not exist here",
        "build it statically, or for this machine",
    )


def _first_line(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_FIRST_LINE_BYTES).split(b"\n")[0]
    except OSError:
        return b""
