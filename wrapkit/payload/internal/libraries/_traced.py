"""A library's function with a span around each call."""

import functools

from .. import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ._library_span import LibrarySpan

    class Instrumentation(Protocol):
        """What is particular to one library."""

        def begin(self, arguments: "list[Any]", keywords: "dict[str, Any]") -> "Any":
            """The span of a call with these arguments, started; None for a call without one.

            It may change the arguments, such as to add a header, before it starts the span.
            """

        def answered(self, span: "Any", answer: "Any") -> None:
            """The call has returned."""

        def failed(self, span: "Any", error: Exception) -> None:
            """The call has raised."""


def traced(call: "Callable[..., Any]", instrumentation: "Instrumentation") -> "Callable[..., Any]":
    """``call`` with a span around it."""

    @functools.wraps(call)
    def instrumented(*arguments: "Any", **keywords: "Any") -> "Any":
        changeable = list(arguments)
        span = quietly(instrumentation.begin, changeable, keywords)
        if span is None:
            try:
                return call(*changeable, **keywords)
            except Exception as error:
                quietly(_leave_out_own_frame, error)
                raise
        try:
            answer = call(*changeable, **keywords)
        except Exception as error:
            quietly(instrumentation.failed, span, error)
            quietly(_leave_out_own_frame, error)
            raise
        else:
            quietly(instrumentation.answered, span, answer)
            return answer
        finally:
            span.end()

    return instrumented


def traced_coroutine(
    call: "Callable[..., Any]", instrumentation: "Instrumentation"
) -> "Callable[..., Any]":
    """The same for a coroutine function."""

    @functools.wraps(call)
    async def instrumented(*arguments: "Any", **keywords: "Any") -> "Any":
        changeable = list(arguments)
        span = quietly(instrumentation.begin, changeable, keywords)
        if span is None:
            return await call(*changeable, **keywords)
        try:
            answer = await call(*changeable, **keywords)
        except Exception as error:
            quietly(instrumentation.failed, span, error)
            quietly(_leave_out_own_frame, error)
            raise
        else:
            quietly(instrumentation.answered, span, answer)
            return answer
        finally:
            span.end()

    return instrumented


def _leave_out_own_frame(error: Exception) -> None:
    """The function's errors are to show its own frames and the library's, as without wrapkit.

    Since Python 3.11 a bare ``raise`` goes on with the traceback that the exception has.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next


def fail(span: "LibrarySpan", error: BaseException) -> None:
    """What OpenTelemetry's API does with a span that an exception leaves."""
    span.record_exception(error)
    span.set_error(f"{type(error).__name__}: {error}")
