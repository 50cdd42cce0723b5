"""The host's view of one execution environment: it drives the emulator."""

from . import _events, _failure
from ._course import Course
from ._deadlines import RESTORE_TIMEOUT_MS
from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._invocation import Invocation
from ._states import (
    ExtensionInput,
    ExtensionState,
    Phase,
    PhaseInput,
    RuntimeInput,
    RuntimeState,
    may_register_internal,
    next_phase,
    next_runtime_state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar

    from ._effects import EnvironmentEffect
    from ._events import EnvironmentEvent
    from ._failure import Failure
    from ._roster import Agent

_SHUTDOWN_REASONS = ("spindown", "timeout", "failure")

_ANNOUNCED = {
    ExtensionState.INIT_ERROR: "Extension.InitError",
    ExtensionState.EXIT_ERROR: "Extension.ExitError",
}
_VALIDATION_ERRORS = {"Telemetry": "ValidationError", "Logs": "Logs.ValidationError"}
_SUBSCRIPTION_RECORDS = {
    "Telemetry": "platform.telemetrySubscription",
    "Logs": "platform.logsSubscription",
}


class Environment(Course):
    """One execution environment, from its first Init to its end, resets included.

    Args:
        extensions: the file names of ``/opt/extensions``: the external extensions' names.
        function_timeout_ms: what one invocation may take, extensions included; more than 0.
        init_timeout_ms: what the Init phase may take; by default what the platform allows.
        initialization_type: ``on-demand``, ``provisioned-concurrency`` or ``snap-start``.
        max_extensions: how many extensions there may be, external and internal together.
        profile: whose policy to follow where hosts disagree.
        freezes: whether the processes stand still between invocations; None as in the profile.
    """

    __slots__ = ()

    # What takes each kind of event; set below the methods.
    receivers: "ClassVar[dict[type, Callable[[Any, Any], None]]]"

    # The shape of every driver

    def receive(self, event: "EnvironmentEvent", now_ms: float) -> "list[EnvironmentEffect]":
        """Takes one event and returns what to do now, in order.

        ``now_ms`` is in epoch milliseconds. An event that is refused changes nothing.

        Raises:
            RemoteLifecycleError: the platform refuses this call of the runtime or an extension.
            LocalLifecycleError: the driver's mistake.
        """
        receiver = self.receivers.get(type(event))
        if receiver is None:
            raise LocalLifecycleError(f"{event!r} is not an event of an environment")
        self._now_ms = now_ms
        self._effects = []
        receiver(self, event)
        return self._effects

    def next_deadline_ms(self) -> "int | None":
        """When to call ``expire`` unless an event comes first, in epoch milliseconds, or None."""
        if self._shutdown is not None:
            return self._shutdown.next_deadline_ms(is_runtime_alive=self._is_runtime_alive)
        if self._invocation is not None:
            return self._invocation.deadline_ms
        if self._restoration is not None:
            return self._restoration.deadline_ms
        if self._initialization is not None:
            return self._initialization.deadline_ms
        return None

    def expire(self, now_ms: float) -> "list[EnvironmentEffect]":
        """Lets the deadlines up to ``now_ms`` pass and returns what to do now, in order."""
        self._now_ms = now_ms
        self._effects = []
        while self._is_expired():
            if self._shutdown is not None:
                self._effects += self._shutdown.expire(is_runtime_alive=self._is_runtime_alive)
            else:
                self._fail(self._timed_out())
        return self._effects

    def _is_expired(self) -> bool:
        deadline_ms = self.next_deadline_ms()
        return deadline_ms is not None and deadline_ms <= self._now_ms

    def _timed_out(self) -> "Failure":
        if self._invocation is not None:
            timeout_ms = self._function_timeout_ms
        else:
            timeout_ms = self._init_timeout_ms or 0
            if self._restoration is not None:
                timeout_ms = RESTORE_TIMEOUT_MS
        return _failure.timed_out(timeout_ms, is_explained=self._profile.explains_timeout)

    # What can be seen

    @property
    def phase(self) -> Phase:
        """Empty (no process: before Init, after a reset), Init, Idle, ..., or Ended."""
        return self._phase

    @property
    def takes_invocations(self) -> bool:
        """Whether there will be another invocation: no end is under way, a reset may be."""
        is_final = self._shutdown is not None and self._shutdown.is_final
        return not is_final and self._phase is not Phase.ENDED

    @property
    def runtime_state(self) -> "RuntimeState | None":
        """The runtime's state; None while its process has not been started."""
        return self._runtime

    @property
    def request_id(self) -> "str | None":
        """The invocation that is under way, if any."""
        return self._invocation.request_id if self._invocation is not None else None

    @property
    def is_frozen(self) -> bool:
        """Whether every process is stopped."""
        return self._is_frozen

    def extension_state(self, extension: str) -> ExtensionState:
        """The state of an extension, by its name; ``KeyError`` when there is none of that name."""
        return self._roster.named(extension).state

    def extension_name(self, identifier: str) -> str:
        """The name of the extension with this identifier; ``KeyError`` when it is unknown."""
        return self._roster.identified(identifier).name

    def __repr__(self) -> str:
        parts = [self._phase.value]
        if self._runtime is not None:
            parts.append(f"runtime {self._runtime.value}")
        if self._invocation is not None:
            parts.append(f"request {self._invocation.request_id}")
        if self._waiting is not None:
            parts.append(f"request {self._waiting} waits")
        parts += [f"{agent.name} {agent.state.value}" for agent in self._roster]
        return f"<Environment {', '.join(parts)}>"

    # What the platform decides

    def _on_init(self, _event: "_events.Init") -> None:
        self._phase = next_phase(self._phase, PhaseInput.INIT)
        self._initialize()

    def _on_restore(self, _event: "_events.Restore") -> None:
        if self._initialization_type != "snap-start":
            raise LocalLifecycleError(f"There is no snapshot: {self._initialization_type}")
        self._restore()

    def _on_invoke(self, event: "_events.Invoke") -> None:
        if not self.takes_invocations:
            raise LocalLifecycleError("The environment takes no more invocations")
        if self._waiting is not None:
            raise LocalLifecycleError(f"Request {self._waiting} waits already")
        if event.request_id == self.request_id:
            raise LocalLifecycleError(f"Request {event.request_id} is under way")
        self._waiting = event.request_id
        if self._phase is Phase.EMPTY and self._is_new:
            self._phase = next_phase(self._phase, PhaseInput.INIT)
            self._initialize()
        elif self._phase in (Phase.EMPTY, Phase.IDLE):
            self._begin_waiting_invocation()

    def _on_shutdown(self, event: "_events.Shutdown") -> None:
        if event.reason not in _SHUTDOWN_REASONS:
            raise LocalLifecycleError(f"{event.reason!r} is not one of {_SHUTDOWN_REASONS}")
        self._phase = next_phase(self._phase, PhaseInput.SHUTDOWN)
        failure = _failure.shut_down()
        self._give_up(failure)
        self._fail_waiting(failure)
        if self._shutdown is None:
            self._begin_shutdown(event.reason, is_final=True)
        else:
            self._shutdown.is_final = True

    # What extensions call

    def _on_register(self, event: "_events.Register") -> None:
        is_open = self._initialization is not None
        self._roster.register(
            event,
            externals_may=self._phase not in (Phase.EMPTY, Phase.SHUTDOWN, Phase.ENDED),
            internals_may=is_open and may_register_internal(self._runtime),
        )
        self._start_runtime_when_allowed()

    def _on_subscribe(self, event: "_events.Subscribe") -> None:
        agent = self._roster.calling(event.identifier)
        is_registered = agent.state in (ExtensionState.REGISTERED, ExtensionState.READY)
        if self._initialization is None or not is_registered:
            message = f"{event.api} API subscription is closed already"
            raise RemoteLifecycleError(f"{event.api}.SubscriptionClosed", message)
        if agent.subscribed_to not in ("", event.api):
            message = f"{agent.name} has subscribed to the {agent.subscribed_to} API already"
            raise RemoteLifecycleError(_VALIDATION_ERRORS[event.api], message, status=400)
        agent.subscribed_to = event.api
        record = {"name": agent.name, "state": "Subscribed", "types": list(event.types)}
        self._emit(_SUBSCRIPTION_RECORDS[event.api], record)

    def _on_next(self, event: "_events.Next") -> None:
        agent = self._roster.calling(event.identifier)
        agent.move(ExtensionInput.NEXT)
        if self._shutdown is not None:
            self._effects += self._shutdown.deliver(agent)
        self._check_gates()

    def _on_extension_init_error(self, event: "_events.ExtensionInitError") -> None:
        self._report_extension_error(event, ExtensionInput.INIT_ERROR)

    def _on_extension_exit_error(self, event: "_events.ExtensionExitError") -> None:
        self._report_extension_error(event, ExtensionInput.EXIT_ERROR)

    def _report_extension_error(
        self,
        event: "_events.ExtensionInitError | _events.ExtensionExitError",
        move: ExtensionInput,
    ) -> None:
        agent = self._roster.calling(event.identifier)
        if not event.error_type:
            message = "Lambda-Extension-Function-Error-Type not found"
            raise RemoteLifecycleError("Extension.MissingHeader", message)
        agent.move(move)
        agent.error_type = agent.error_type or event.error_type
        # An external fails the environment when its process exits. An internal has no process, and
        # would leave the gates closed until a timeout.
        if not agent.is_external and self._shutdown is None:
            self._fail(self._extension_failure(agent, agent.state, agent.error_type))

    # What happens to extensions' processes

    def _on_launch_failed(self, event: "_events.LaunchFailed") -> None:
        agent = self._roster.running(event.extension)
        agent.move(ExtensionInput.LAUNCH_FAIL)
        agent.is_alive = False
        agent.error_type = "Extension.LaunchError"
        self._lose(_failure.extension_failed(agent.error_type, event.reason))

    def _on_extension_exited(self, event: "_events.ExtensionExited") -> None:
        agent = self._roster.running(event.extension)
        last_state = agent.state
        agent.move(ExtensionInput.EXIT)
        agent.is_alive = False
        self._lose(self._extension_failure(agent, last_state, event.status))

    def _extension_failure(
        self, agent: "Agent", last_state: ExtensionState, status: str
    ) -> "Failure":
        error_type = self._announced(agent, last_state) or "Extension.Crash"
        agent.error_type = agent.error_type or error_type
        return _failure.extension_failed(error_type, status)

    def _announced(self, _agent: "Agent", last_state: ExtensionState) -> "str | None":
        """The type of a failure that the extension has announced, whatever type it gave."""
        return _ANNOUNCED.get(last_state)

    # What the runtime calls, and what happens to its process

    def _on_runtime_next(self, _event: "_events.RuntimeNext") -> None:
        last_state = self._runtime
        self._move_runtime(RuntimeInput.NEXT)
        if last_state is RuntimeState.STARTED:
            self._end_runtime_init(None)
        elif last_state is RuntimeState.RESTORING and self._restoration is not None:
            self._end_restoration(self._restoration, None)
            self._become_idle(PhaseInput.RESTORE_DONE)
        elif self._invocation is not None and self._shutdown is None:
            if last_state is RuntimeState.RUNNING:
                self._deliver_invocation(self._invocation)
            elif last_state is RuntimeState.RESPONSE_SENT:
                self._end_runtime_invocation()
        self._check_gates()

    def _on_runtime_response(self, event: "_events.RuntimeResponse") -> None:
        invocation = self._answering(event.request_id, RuntimeInput.RESPONSE)
        invocation.response_begun_ms = self._now_ms

    def _on_runtime_invocation_error(self, event: "_events.RuntimeInvocationError") -> None:
        invocation = self._answering(event.request_id, RuntimeInput.ERROR)
        invocation.response_begun_ms = self._now_ms
        invocation.is_function_error = True
        invocation.error_type = event.error_type or ""

    def _on_runtime_response_sent(self, event: "_events.RuntimeResponseSent") -> None:
        invocation = self._answering(event.request_id, RuntimeInput.RESPONSE_SENT)
        invocation.response_ended_ms = self._now_ms
        invocation.produced_bytes = event.produced_bytes
        self._respond(invocation.answer(event.error_type))

    def _on_runtime_init_error(self, event: "_events.RuntimeInitError") -> None:
        self._move_runtime(RuntimeInput.INIT_ERROR)
        self._runtime_error_type = _failure.runtime_error_type(event.error_type)

    def _on_runtime_restore_next(self, _event: "_events.RuntimeRestoreNext") -> None:
        if self._initialization_type != "snap-start":
            raise RemoteLifecycleError("NotFound", "There is no snapshot to restore", status=404)
        self._move_runtime(RuntimeInput.RESTORE_NEXT)
        self._end_runtime_init(None)
        if self._phase is Phase.INVOKE:
            self._deliver_restore()  # a repeated init makes no snapshot
        self._check_gates()

    def _on_runtime_restore_error(self, event: "_events.RuntimeRestoreError") -> None:
        self._move_runtime(RuntimeInput.RESTORE_ERROR)
        self._runtime_error_type = _failure.runtime_error_type(event.error_type)

    def _on_runtime_exited(self, event: "_events.RuntimeExited") -> None:
        last_state = self._runtime
        if last_state is None:
            raise LocalLifecycleError("The runtime has not been started")
        self._runtime = next_runtime_state(last_state, RuntimeInput.EXIT)
        if last_state is RuntimeState.INIT_ERROR:
            self._lose(_failure.init_error(self._runtime_error_type))
        elif last_state is RuntimeState.RESTORE_ERROR:
            self._lose(_failure.runtime_exited(self._runtime_error_type, event.status))
        else:
            self._lose(_failure.runtime_exited(event.error_type, event.status))

    def _answering(self, request_id: str, move: RuntimeInput) -> Invocation:
        latest = self._latest_invocation
        if latest is None or latest.request_id != request_id:
            raise RemoteLifecycleError("InvalidRequestID", "Invalid request ID", status=400)
        self._move_runtime(move)
        return latest


RECEIVERS: "dict[type, Callable[[Any, Any], None]]" = {
    _events.Init: Environment._on_init,
    _events.Restore: Environment._on_restore,
    _events.Invoke: Environment._on_invoke,
    _events.Shutdown: Environment._on_shutdown,
    _events.Register: Environment._on_register,
    _events.Subscribe: Environment._on_subscribe,
    _events.Next: Environment._on_next,
    _events.ExtensionInitError: Environment._on_extension_init_error,
    _events.ExtensionExitError: Environment._on_extension_exit_error,
    _events.LaunchFailed: Environment._on_launch_failed,
    _events.ExtensionExited: Environment._on_extension_exited,
    _events.RuntimeNext: Environment._on_runtime_next,
    _events.RuntimeResponse: Environment._on_runtime_response,
    _events.RuntimeInvocationError: Environment._on_runtime_invocation_error,
    _events.RuntimeResponseSent: Environment._on_runtime_response_sent,
    _events.RuntimeInitError: Environment._on_runtime_init_error,
    _events.RuntimeRestoreNext: Environment._on_runtime_restore_next,
    _events.RuntimeRestoreError: Environment._on_runtime_restore_error,
    _events.RuntimeExited: Environment._on_runtime_exited,
}
Environment.receivers = RECEIVERS
