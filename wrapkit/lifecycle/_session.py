"""One extension's view of its lifecycle: it drives the runner and an internal extension."""

from ._errors import LocalLifecycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import List, Optional, Tuple

    from ._effects import SessionEffect
    from ._events import (
        ExtensionExitError,
        ExtensionInitError,
        Next,
        Register,
        SessionEvent,
        Subscribe,
    )
    from ._states import ExtensionState


class ExtensionSession:
    """What one extension may call, and what it has to do, from ``register`` to its end.

    The methods ``register`` ... ``exit_error`` make the call to send, or raise ``LocalLifecycleError`` when it is not
    allowed now. What comes back goes to ``receive``.

    Args:
        extension: the name; an external's is its file name.
        events: what to subscribe to, of ``INVOKE`` and ``SHUTDOWN``.
        end_is_told: whether something (hook or telemetry) says when an invocation is over; where nothing does, the
            extension flushes and calls ``next`` at once.
        invoke_margin_ms: how long before the function's deadline to call ``next`` in any case. Only then can SHUTDOWN
            be delivered, should the function time out.
        shutdown_margin_ms: how long before the shutdown deadline to stop.
    """

    def __init__(
        self,
        *,
        extension: str,
        events: "Tuple[str, ...]" = ("INVOKE", "SHUTDOWN"),
        end_is_told: bool = True,
        invoke_margin_ms: int = 20,
        shutdown_margin_ms: int = 200,
    ) -> None: ...

    def register(self) -> "Register":
        """The first call; answered by ``Registered`` or ``Refused``."""
        raise LocalLifecycleError("not written yet")

    def subscribe(self, types: "Tuple[str, ...]") -> "Subscribe":
        """The telemetry subscription, between ``register`` and the first ``next``; ``Subscribed`` or ``Refused``."""
        raise LocalLifecycleError("not written yet")

    def next(self) -> "Next":
        """Wait for the next event: done with the previous one; ``InvokeEvent``, ``ShutdownEvent`` or ``Refused``."""
        raise LocalLifecycleError("not written yet")

    def init_error(self, error_type: str) -> "ExtensionInitError":
        """Give up before the first ``next``; the process has to end after it."""
        raise LocalLifecycleError("not written yet")

    def exit_error(self, error_type: str) -> "ExtensionExitError":
        """Give up at any time after ``register``; the process has to end after it."""
        raise LocalLifecycleError("not written yet")

    def receive(self, event: "SessionEvent", now_ms: float) -> "List[SessionEffect]":
        """Take one event and return what to do now: ``Flush``, ``CallNext``, ``Stop``, or nothing."""
        raise LocalLifecycleError("not written yet")

    def next_deadline_ms(self) -> "Optional[int]":
        """When ``expire`` has to be called unless an event comes first, in epoch milliseconds; None for never."""
        raise LocalLifecycleError("not written yet")

    def expire(self, now_ms: float) -> "List[SessionEffect]":
        """Let the deadline pass: ``CallNext`` in an invocation, ``Stop`` in the shutdown."""
        raise LocalLifecycleError("not written yet")

    def remaining_ms(self, now_ms: float) -> "Optional[float]":
        """What is left of the current event's time, the margin taken off, never negative; None between events."""
        raise LocalLifecycleError("not written yet")

    @property
    def may_call_next(self) -> bool:
        """Whether ``next`` is allowed now."""
        raise LocalLifecycleError("not written yet")

    @property
    def state(self) -> "ExtensionState":
        """This extension's state, by the names of the platform."""
        raise LocalLifecycleError("not written yet")
