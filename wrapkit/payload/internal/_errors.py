"""An exception as an invocation's span tells it, within bounds."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Optional

# A datagram holds 64 KiB, and JSON may write a byte as six.
MAX_MESSAGE_BYTES = 1024
MAX_STACK_BYTES = 8192
# The innermost entries; a recursion error has a thousand.
_MAX_FRAMES = 64


def describe(error: "Optional[BaseException]", message: str, error_type: str) -> "dict[str, str]":
    """``{"type", "message", "stack"}`` of ``error``, with Lambda's ``message`` and ``error_type``.

    A fault that the runtime client found (``Runtime.MarshalError``) keeps its name, an exception
    gets its qualified one, as OpenTelemetry asks.
    """
    plain = error is not None and type(error).__name__ == error_type
    return {
        "type": _qualified_name(error) if plain else str(error_type),
        "message": _head(str(message or ""), MAX_MESSAGE_BYTES),
        "stack": _tail(_stack(error), MAX_STACK_BYTES) if error is not None else "",
    }


def too_large(max_bytes: int) -> "dict[str, str]":
    """What Lambda tells the caller of a response that it does not take."""
    message = f"Response payload size exceeded maximum allowed payload size ({max_bytes} bytes)."
    return {"type": "Function.ResponseSizeTooLarge", "message": message, "stack": ""}


def _qualified_name(error: "Optional[BaseException]") -> str:
    kind = type(error)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _stack(error: BaseException) -> str:
    import traceback

    shown = _functions_own(error.__traceback__)
    return "".join(traceback.format_exception(type(error), error, shown, limit=-_MAX_FRAMES))


def _functions_own(tb: "Optional[TracebackType]") -> "Optional[TracebackType]":
    """The traceback from the function's first frame on, as in Lambda's ``stackTrace``."""
    rest = _from_client_on(tb) or tb
    while rest is not None and _is_runtime(rest):
        rest = rest.tb_next
    return rest or tb


def _from_client_on(tb: "Optional[TracebackType]") -> "Optional[TracebackType]":
    """Without the frames that called the client's loop: only what leaves that has them."""
    while tb is not None and tb.tb_frame.f_globals.get("__name__") != "awslambdaric.bootstrap":
        tb = tb.tb_next
    return tb


def _is_runtime(tb: "TracebackType") -> bool:
    """Whether a frame is the client's, or wrapkit's between two of the client's."""
    package = tb.tb_frame.f_globals.get("__package__") or ""
    return "/bootstrap.py" in tb.tb_frame.f_code.co_filename or package == __package__


def _head(text: str, size: int) -> str:
    data = text[:size].encode("utf-8", "replace")
    return data[:size].decode("utf-8", "ignore")


def _tail(text: str, size: int) -> str:
    """The end of a traceback says what happened, its beginning how the runtime got there."""
    data = text[-size:].encode("utf-8", "replace")
    return data[-size:].decode("utf-8", "ignore")
