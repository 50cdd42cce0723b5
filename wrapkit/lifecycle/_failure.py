"""Why an initialisation, a restore or an invocation failed, in the platform's words."""

from . import _effects

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Failure:
    """A failure's status (``error``, ``timeout`` or ``failure``), error type and message.

    ``outcome`` says whose words the caller gets: the platform's, or those of the runtime's
    ``init/error``.
    """

    __slots__ = ("error_type", "outcome", "status", "text")

    def __init__(
        self,
        error_type: str,
        text: str,
        *,
        status: str = "error",
        outcome: str = _effects.PLATFORM_ERROR,
    ) -> None:
        self.error_type = error_type
        self.text = text
        self.status = status
        self.outcome = outcome

    @property
    def shutdown_reason(self) -> str:
        """What SHUTDOWN tells the extensions of the reset."""
        return "timeout" if self.status == "timeout" else "failure"

    def respond(self, request_id: str) -> "_effects.Respond":
        """What the caller gets."""
        message = f"RequestId: {request_id} Error: {self.text}"
        if self.outcome != _effects.PLATFORM_ERROR:
            message = self.text
        return _effects.Respond(
            request_id=request_id,
            outcome=self.outcome,
            error_type=self.error_type,
            message=message,
        )


def timed_out(timeout_ms: int, *, is_explained: bool = True) -> Failure:
    """The function timeout, or that of a phase, has passed."""
    text = f"Task timed out after {timeout_ms / 1000:.2f} seconds"
    outcome = _effects.PLATFORM_ERROR if is_explained else _effects.PLATFORM_TEXT
    return Failure("Sandbox.Timedout", text, status="timeout", outcome=outcome)


def shut_down() -> Failure:
    """The environment is shut down while it works."""
    return Failure("Sandbox.Failure", "The environment was shut down", status="failure")


def no_worker() -> Failure:
    """On managed instances, no worker of the runtime waits for an invocation."""
    return Failure("Runtime.Unavailable", "No worker is available", status="failure")


def runtime_exited(error_type: str, status: str) -> Failure:
    """The runtime's process ended by itself."""
    if status == "exit status 0":
        return Failure(error_type, "Runtime exited without providing a reason")
    return Failure(error_type, f"Runtime exited with error: {status}")


def init_error(error_type: str) -> Failure:
    """The runtime's process ended after its ``init/error``, whose body the caller gets."""
    return Failure(error_type, "", outcome=_effects.INIT_ERROR)


def extension_failed(error_type: str, status: str) -> Failure:
    """An extension's process ended outside of a shutdown; any exit status is a failure."""
    return Failure(error_type, "exit code 0" if status == "exit status 0" else status)


def restore_failed(failure: Failure) -> Failure:
    """A snapshot could not be restored, as the caller hears of it; Lambda API reference, Invoke."""
    name = "SnapStartTimeoutException" if failure.status == "timeout" else "SnapStartException"
    return Failure(name, failure.text or failure.error_type, status=failure.status)


def status_fields(failure: "Failure | None") -> "dict[str, Any]":
    """``status`` and, unless it is a success or a timeout, ``errorType`` of a telemetry record."""
    if failure is None:
        return {"status": "success"}
    if failure.status == "timeout":
        return {"status": "timeout"}
    return {"status": failure.status, "errorType": failure.error_type}


def runtime_error_type(header: "str | None") -> str:
    """The error type of a runtime's report, filtered as the platform does.

    Kept when ``Runtime.`` or ``Function.`` is followed by a capitalised word, anywhere in it.
    """
    header = header or ""
    for category in ("Runtime.", "Function."):
        reason = header.partition(category)[2]
        if reason[:2].isascii() and reason[:2].isalpha() and reason[0].isupper() and reason[1:]:
            return header
    return "Function.Unknown" if header.startswith("Function.") else "Runtime.Unknown"
