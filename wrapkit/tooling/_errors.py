"""The one exception that the tooling raises for people to read.

Whatever else reaches the CLI front is a defect of wrapkit, and is reported as one.
"""

from __future__ import annotations

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
