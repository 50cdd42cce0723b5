"""Whose fault it was.

LifecycleError
├── LocalLifecycleError    ours: the driver broke the contract
├── RemoteLifecycleError   the peer's: a call that the platform refuses, with its error type and
HTTP status └── HttpError              the peer's: bytes that are not HTTP, with the status to
answer
"""


class LifecycleError(Exception):
    """The base of what the lifecycle core raises; whatever raised it, no state has changed."""


class LocalLifecycleError(LifecycleError):
    """The driver's mistake: an event that cannot happen, as the exit of what never ran."""


class RemoteLifecycleError(LifecycleError):
    """A call that the platform refuses.

    ``error_type`` is the platform's name for it (``Extension.InvalidExtensionState``), ``status``
    the HTTP status to answer with, and ``message`` the text of the answer's ``errorMessage``.
    """

    def __init__(self, error_type: str, message: str, status: int = 403) -> None:
        super().__init__(error_type, message, status)
        self.error_type = error_type
        self.message = message
        self.status = status

    def __str__(self) -> str:
        return f"{self.error_type}: {self.message}"


class HttpError(LifecycleError):
    """A message that breaks HTTP/1.1 or a limit; a server answers ``status`` and closes."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"
