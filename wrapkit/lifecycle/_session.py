"""One extension's view of its lifecycle: it drives the runner and an internal extension.

Rule 1. One call at a time is outstanding, and what comes back is its answer.
Rule 2. ``next`` says "done with this event", and the environment may be frozen from then on. So it
        waits until the invocation is over and what it left behind has been flushed.
Rule 3. It does not wait for ever. When the function times out or the runtime dies, SHUTDOWN comes
        as the answer to ``next`` only, and the process is killed at its deadline either way. So
        shortly before the function's deadline ``next`` is called in any case: what has not been
        flushed then goes out with the SHUTDOWN event.
"""

from . import _effects, _events
from ._deadlines import remaining_ms
from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._states import ExtensionInput, ExtensionKind, ExtensionState, next_extension_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._effects import SessionEffect
    from ._events import SessionEvent

# What the session is at with the event that it has.
_NO_EVENT, _WAITING_FOR_END, _FLUSHING, _DONE = range(4)


class ExtensionSession:
    """What one extension may call, and what it has to do, from ``register`` to its end.

    The methods ``register`` ... ``exit_error`` make the call to send, or raise
    ``LocalLifecycleError`` when it is not allowed now. What comes back goes to ``receive``.

    Args:
        extension: the name; an external's is its file name.
        events: what to subscribe to, of ``INVOKE`` and ``SHUTDOWN``.
        end_is_told: whether something (hook or telemetry) says when an invocation is over; where
            nothing does, an invocation is flushed as soon as it begins. May be set later, too.
        invoke_margin_ms: how long before the function's deadline to call ``next`` in any case.
        shutdown_margin_ms: how long before the shutdown deadline to stop.
    """

    __slots__ = (
        "_deadline_ms",
        "_ended_request_id",
        "_events",
        "_extension",
        "_has_telemetry",
        "_identifier",
        "_invoke_margin_ms",
        "_outstanding",
        "_request_id",
        "_shutdown_margin_ms",
        "_shutdown_reason",
        "_stage",
        "_state",
        "end_is_told",
    )

    def __init__(
        self,
        *,
        extension: str,
        events: "tuple[str, ...]" = ("INVOKE", "SHUTDOWN"),
        end_is_told: bool = True,
        invoke_margin_ms: int = 20,
        shutdown_margin_ms: int = 200,
    ) -> None:
        self._extension = extension
        self._events = events
        self.end_is_told = end_is_told
        self._invoke_margin_ms = invoke_margin_ms
        self._shutdown_margin_ms = shutdown_margin_ms
        self._state = ExtensionState.STARTED
        self._identifier = ""
        self._has_telemetry = False
        self._outstanding = ""
        self._stage = _NO_EVENT
        self._request_id: str | None = None
        self._ended_request_id: str | None = None
        self._shutdown_reason: str | None = None
        self._deadline_ms = 0

    # What this extension calls

    def register(self) -> "_events.Register":
        """The first call; answered by ``Registered`` or ``Refused``."""
        self._after(ExtensionInput.REGISTER)
        self._begin_call("register")
        return _events.Register(extension=self._extension, events=self._events)

    def subscribe(self, types: "tuple[str, ...]") -> "_events.Subscribe":
        """The telemetry subscription, before the first ``next``; ``Subscribed`` or ``Refused``."""
        if self._state is not ExtensionState.REGISTERED:
            raise LocalLifecycleError(f"{self!r} cannot subscribe")
        self._begin_call("subscribe")
        return _events.Subscribe(identifier=self._identifier, types=types)

    def next(self) -> "_events.Next":
        """Done with the last event; answered by ``InvokeEvent``, ``ShutdownEvent``, ``Refused``."""
        target = self._after(ExtensionInput.NEXT)
        if not self.may_call_next:
            raise LocalLifecycleError(f"{self!r} is not done")
        self._begin_call("next")
        self._state = target
        self._stage = _NO_EVENT
        return _events.Next(identifier=self._identifier)

    def init_error(self, error_type: str) -> "_events.ExtensionInitError":
        """Gives up before the first ``next``; the process has to end after it."""
        self._state = self._after(ExtensionInput.INIT_ERROR)
        return _events.ExtensionInitError(identifier=self._identifier, error_type=error_type)

    def exit_error(self, error_type: str) -> "_events.ExtensionExitError":
        """Gives up at any time after ``register``; the process has to end after it."""
        self._state = self._after(ExtensionInput.EXIT_ERROR)
        return _events.ExtensionExitError(identifier=self._identifier, error_type=error_type)

    def _after(self, move: ExtensionInput) -> ExtensionState:
        # Of an internal's moves an external has all, so one table serves both.
        kind = ExtensionKind.EXTERNAL
        try:
            return next_extension_state(kind, self._state, move, self._extension)
        except RemoteLifecycleError as refusal:  # it would be refused: do not ask
            raise LocalLifecycleError(refusal.message) from None

    def _begin_call(self, name: str) -> None:
        if self._outstanding:
            raise LocalLifecycleError(f"{self!r} waits for the answer to {self._outstanding}")
        self._outstanding = name

    def _end_call(self, *names: str) -> str:
        name = self._outstanding
        if name not in names:
            raise LocalLifecycleError(f"{self!r} did not call {' or '.join(names)}")
        self._outstanding = ""
        return name

    # The shape of every driver

    def receive(self, event: "SessionEvent", now_ms: float) -> "list[SessionEffect]":
        """Takes one event and returns what to do now, in order; what is overdue is done, too.

        Raises ``LocalLifecycleError`` for an answer to what was not called.
        """
        receiver = _RECEIVERS.get(type(event))
        if receiver is None:
            raise LocalLifecycleError(f"{event!r} is not an event of an extension")
        return receiver(self, event) + self.expire(now_ms)

    def next_deadline_ms(self) -> "int | None":
        """When to call ``expire`` unless an event comes first, in epoch milliseconds, or None."""
        return self._deadline_ms if self._stage in (_WAITING_FOR_END, _FLUSHING) else None

    def expire(self, now_ms: float) -> "list[SessionEffect]":
        """Lets the deadline pass: ``CallNext`` in an invocation, ``Stop`` in the shutdown."""
        deadline_ms = self.next_deadline_ms()
        if deadline_ms is None or now_ms < deadline_ms:
            return []
        return self._finish()

    # What can be seen

    def remaining_ms(self, now_ms: float) -> "float | None":
        """What is left for the current event, the margin taken off; None between events."""
        if self._stage == _NO_EVENT:
            return None
        return remaining_ms(self._deadline_ms, now_ms)

    @property
    def may_call_next(self) -> bool:
        """Whether ``next`` is allowed, and nothing is left to wait for."""
        if self._outstanding or self._shutdown_reason is not None:
            return False
        is_first = self._state is ExtensionState.REGISTERED
        return is_first or (self._state is ExtensionState.RUNNING and self._stage == _DONE)

    @property
    def state(self) -> ExtensionState:
        """This extension's state, by the names of the platform."""
        return self._state

    @property
    def identifier(self) -> str:
        """What the host gave at the registration; empty before."""
        return self._identifier

    @property
    def has_telemetry(self) -> bool:
        """Whether the host took the subscription and supports it; AWS's emulator does not."""
        return self._has_telemetry

    @property
    def request_id(self) -> "str | None":
        """The last invocation that was delivered."""
        return self._request_id

    @property
    def shutdown_reason(self) -> "str | None":
        """Why the environment shuts down, in lower case; None while it does not."""
        return self._shutdown_reason

    def __repr__(self) -> str:
        parts = [self._extension, self._state.value]
        if self._shutdown_reason is not None:
            parts.append(f"shutdown {self._shutdown_reason}")
        elif self._stage != _NO_EVENT:
            parts.append(f"request {self._request_id}")
        if self._stage != _NO_EVENT:
            parts.append(f"until {self._deadline_ms}")
        return f"<ExtensionSession {', '.join(parts)}>"

    # What comes back

    def _on_registered(self, event: "_events.Registered") -> "list[SessionEffect]":
        self._end_call("register")
        self._state = self._after(ExtensionInput.REGISTER)
        self._identifier = event.identifier
        return []

    def _on_subscribed(self, event: "_events.Subscribed") -> "list[SessionEffect]":
        self._end_call("subscribe")
        self._has_telemetry = event.supported
        return []

    def _on_refused(self, _event: "_events.Refused") -> "list[SessionEffect]":
        name = self._end_call("register", "subscribe", "next")
        if name == "subscribe":
            return []  # an extension without telemetry is of use still
        return [_effects.Stop(exit_code=1, error_type=_NEXT_REFUSED if name == "next" else "")]

    def _on_invoke(self, event: "_events.InvokeEvent") -> "list[SessionEffect]":
        self._take_event(event.deadline_ms - self._invoke_margin_ms)
        self._request_id = event.request_id
        has_ended = event.request_id == self._ended_request_id
        self._ended_request_id = None  # an asynchronous retry comes under the same request id
        if self.end_is_told and not has_ended:
            self._stage = _WAITING_FOR_END
            return []
        return self._flush()

    def _on_shutdown(self, event: "_events.ShutdownEvent") -> "list[SessionEffect]":
        self._take_event(event.deadline_ms - self._shutdown_margin_ms)
        self._shutdown_reason = event.reason.lower()
        return self._flush()

    def _on_end(
        self, event: "_events.HookEnd | _events.PlatformRuntimeDone"
    ) -> "list[SessionEffect]":
        if event.request_id != self._request_id:
            # The hook's datagram may be read before INVOKE is, which comes over another socket.
            self._ended_request_id = event.request_id
            return []
        return self._flush() if self._stage == _WAITING_FOR_END else []

    def _on_flushed(self, _event: "_events.Flushed") -> "list[SessionEffect]":
        return self._finish() if self._stage == _FLUSHING else []

    def _take_event(self, deadline_ms: int) -> None:
        target = self._after(ExtensionInput.DELIVER)
        self._end_call("next")
        self._state = target
        self._deadline_ms = deadline_ms

    def _flush(self) -> "list[SessionEffect]":
        self._stage = _FLUSHING
        return [_effects.Flush(deadline_ms=self._deadline_ms)]

    def _finish(self) -> "list[SessionEffect]":
        self._stage = _DONE
        return [_effects.CallNext() if self._shutdown_reason is None else _effects.Stop()]


_NEXT_REFUSED = "Extension.NextRefused"

_RECEIVERS: "dict[type, Callable[[ExtensionSession, Any], list[SessionEffect]]]" = {
    _events.Registered: ExtensionSession._on_registered,
    _events.Subscribed: ExtensionSession._on_subscribed,
    _events.Refused: ExtensionSession._on_refused,
    _events.InvokeEvent: ExtensionSession._on_invoke,
    _events.ShutdownEvent: ExtensionSession._on_shutdown,
    _events.PlatformRuntimeDone: ExtensionSession._on_end,
    _events.HookEnd: ExtensionSession._on_end,
    _events.Flushed: ExtensionSession._on_flushed,
}
