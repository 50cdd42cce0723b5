"""The one exception that the tooling raises for people to read, and what the system refuses.

What else reaches the CLI front is a defect of wrapkit, and is reported as one.
"""

from __future__ import annotations

import errno

RUN_FAILED = 1
USAGE = 2


class DiagnosticError(Exception):
    """What went wrong and what to do about it; the CLI prints it without a traceback.

    Args:
        reference: a kebab-case name of the kind of error, for tests and for searching.
        message: what went wrong and where; one sentence without a final period.
        hint: what the user can do; a blank one is not printed.
        exit_code: ``RUN_FAILED`` (1) or ``USAGE`` (2).
    """

    def __init__(
        self, reference: str, message: str, hint: str = "", exit_code: int = RUN_FAILED
    ) -> None:
        super().__init__(message)
        self.reference = reference
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __repr__(self) -> str:
        return f"<DiagnosticError {self.reference}: {self.message}>"


_HINTS = {
    errno.EACCES: "see who may read, write and enter it: ls -ld",
    errno.EPERM: "see who may read, write and enter it: ls -ld",
    errno.EROFS: "choose a place that can be written to",
    errno.ENOSPC: "make room there, or choose another place",
    errno.EDQUOT: "make room there, or choose another place",
    errno.EFBIG: "make room there, or choose another place",
    errno.EMFILE: "allow more open files: ulimit -n",
    errno.ENFILE: "close other programs: the machine has no more open files to give",
    errno.ENOMEM: "close other programs: the machine has no memory left",
    errno.EAGAIN: "allow more processes: ulimit -u",
    errno.ENOENT: "see what the path names, and where links on it lead",
    errno.ENOTDIR: "a part of the path is a file where a folder is needed",
    errno.EISDIR: "name a file, not a folder",
    errno.ELOOP: "a link on the path leads back to itself",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def system_refusal(error: OSError) -> DiagnosticError | None:
    """What the operating system refused, and where; None where it does not say enough for that.

    For errors that no caller has put into words of its own.
    """
    hint = _HINTS.get(error.errno or 0)
    if hint is None:
        return None
    reason = error.strerror or str(error)
    place = "" if error.filename is None else f"{error.filename}: "
    return DiagnosticError("system-refusal", f"{place}{reason}", hint)
