"""The errors of Lambda's Invoke API: their names, statuses and shapes.

Source: Lambda API reference, Invoke, "Errors"; the service model of botocore for the members.
"""

from __future__ import annotations

import json

from wrapkit.lifecycle import response_bytes

from .._errors import DiagnosticError

# Lambda quotas: "Invocation payload (request and response)".
MAX_REQUEST_BYTES = 6 * 1024 * 1024
MAX_EVENT_BYTES = 1024 * 1024
# The service model calls the member Message in these, message in the others.
_CAPITAL_MESSAGE = ("ResourceNotFoundException", "ServiceException")


class InvokeRefusedError(Exception):
    """A request that is answered with an error of the API instead of an invocation."""

    def __init__(
        self,
        status: int,
        error_type: str,
        message: str,
        *,
        reason: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.error_type, self.message = status, error_type, message
        self.reason, self.retry_after_s = reason, retry_after_s

    def answer(self, request_id: str) -> bytes:
        """The whole HTTP response."""
        document = {"Type": "Service" if self.status >= 500 else "User"}
        if self.reason:
            document["Reason"] = self.reason
        # The service writes Message in some errors and message in others; its clients read both.
        key = (
            "Message"
            if self.error_type in ("ResourceNotFoundException", "ServiceException")
            else "message"
        )
        document[key] = self.message
        headers = [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", request_id),
            ("x-amzn-ErrorType", self.error_type),
        ]
        if self.retry_after_s is not None:
            headers.append(("Retry-After", str(self.retry_after_s)))
        return response_bytes(self.status, headers, json.dumps(document).encode())


def function_not_found(arn: str) -> InvokeRefusedError:
    """No function, version or alias of that name."""
    return InvokeRefusedError(404, "ResourceNotFoundException", f"Function not found: {arn}")


def throttled() -> InvokeRefusedError:
    """Every environment that the function may have is busy."""
    return InvokeRefusedError(
        429,
        "TooManyRequestsException",
        "Rate Exceeded.",
        reason="ReservedFunctionConcurrentInvocationLimitExceeded",
    )


def invalid_content(message: str) -> InvokeRefusedError:
    """The payload is not JSON."""
    return InvokeRefusedError(
        400,
        "InvalidRequestContentException",
        f"Could not parse request body into json: Could not parse payload into json: {message}",
    )


def invalid_parameter(message: str) -> InvokeRefusedError:
    """A header or a parameter with a value that it cannot have."""
    return InvokeRefusedError(400, "InvalidParameterValueException", message)


def too_large(size_bytes: int, invocation_type: str, limit_bytes: int) -> InvokeRefusedError:
    """The payload is longer than its invocation type allows."""
    return InvokeRefusedError(
        413,
        "RequestTooLargeException",
        f"{size_bytes} byte payload is too large for the {invocation_type} invocation type "
        f"(limit {limit_bytes} bytes)",
    )


def service_failure(message: str) -> InvokeRefusedError:
    """The emulator itself went wrong."""
    return InvokeRefusedError(500, "ServiceException", message)


def unknown_operation(target: str) -> InvokeRefusedError:
    """A request of another API than Invoke."""
    return InvokeRefusedError(
        404, "UnknownOperationException", f"{target} is not an operation of the Invoke API"
    )


def refusal_of(error: Exception) -> InvokeRefusedError:
    """What the caller is told of whatever came instead of an answer."""
    if isinstance(error, InvokeRefusedError):
        return error
    if isinstance(error, DiagnosticError):
        return service_failure(". ".join(filter(None, (error.message, error.hint))))
    return service_failure(f"the emulator failed: {type(error).__name__}: {error}")
