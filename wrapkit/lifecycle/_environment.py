"""The host's view of one execution environment: it drives the emulator."""

from . import _effects, _events, _failure
from ._deadlines import RESTORE_TIMEOUT_MS
from ._deadlines import init_timeout_ms as default_init_timeout_ms
from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._initialization import Initialization, Restoration
from ._invocation import Invocation
from ._roster import Roster
from ._shutdown import ShutdownSequence
from ._states import (
    ExtensionInput,
    ExtensionState,
    Phase,
    PhaseInput,
    RuntimeInput,
    RuntimeState,
    is_init_done,
    is_invoke_done,
    may_register_internal,
    may_start_runtime,
    next_phase,
    next_runtime_state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ._effects import EnvironmentEffect
    from ._events import EnvironmentEvent
    from ._failure import Failure
    from ._roster import Agent

_INITIALIZATION_TYPES = ("on-demand", "provisioned-concurrency", "snap-start")
_SHUTDOWN_REASONS = ("spindown", "timeout", "failure")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: extensions per function
_MAX_EXTENSIONS = 10


class Environment:
    """One execution environment, from its first Init to its end, resets included.

    Args:
        extensions: the file names of ``/opt/extensions``: the external extensions' names.
        function_timeout_ms: what one invocation may take, extensions included.
        init_timeout_ms: what the Init phase may take; by default what the platform allows.
        initialization_type: ``on-demand``, ``provisioned-concurrency`` or ``snap-start``.
        max_extensions: how many extensions there may be, external and internal together.
    """

    __slots__ = (
        "_cold_metrics",
        "_effects",
        "_extensions",
        "_function_timeout_ms",
        "_init_timeout_ms",
        "_initialization",
        "_initialization_type",
        "_invocation",
        "_is_frozen",
        "_is_new",
        "_latest_invocation",
        "_max_extensions",
        "_now_ms",
        "_phase",
        "_restoration",
        "_roster",
        "_runtime",
        "_runtime_error_type",
        "_shutdown",
        "_waiting",
    )

    def __init__(
        self,
        *,
        extensions: "Iterable[str]" = (),
        function_timeout_ms: int,
        init_timeout_ms: "int | None" = None,
        initialization_type: str = "on-demand",
        max_extensions: int = _MAX_EXTENSIONS,
    ) -> None:
        if initialization_type not in _INITIALIZATION_TYPES:
            raise LocalLifecycleError(f"Unknown initialization type {initialization_type!r}")
        if init_timeout_ms is None:
            init_timeout_ms = default_init_timeout_ms(initialization_type, function_timeout_ms)
        self._extensions = tuple(dict.fromkeys(extensions))
        self._function_timeout_ms = function_timeout_ms
        self._init_timeout_ms = init_timeout_ms
        self._initialization_type = initialization_type
        self._max_extensions = max_extensions

        self._phase = Phase.EMPTY
        self._roster = Roster(self._extensions, max_extensions)
        self._runtime: RuntimeState | None = None
        self._runtime_error_type = ""
        self._initialization: Initialization | None = None
        self._restoration: Restoration | None = None
        self._invocation: Invocation | None = None
        self._shutdown: ShutdownSequence | None = None
        self._waiting: str | None = None
        self._latest_invocation: Invocation | None = None
        self._cold_metrics: dict[str, float] = {}
        self._is_frozen = False
        self._is_new = True

        # Of the call that is being worked on.
        self._now_ms: float = 0.0
        self._effects: list[EnvironmentEffect] = []

    # The shape of every driver

    def receive(self, event: "EnvironmentEvent", now_ms: float) -> "list[EnvironmentEffect]":
        """Takes one event and returns what to do now, in order.

        ``now_ms`` is in epoch milliseconds. An event that is refused changes nothing.

        Raises:
            RemoteLifecycleError: a call of the runtime or of an extension that the platform
            refuses. LocalLifecycleError: the driver's mistake.
        """
        receiver = _RECEIVERS.get(type(event))
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
                self._fail(_failure.timed_out(self._timeout_ms()))
        return self._effects

    def _is_expired(self) -> bool:
        deadline_ms = self.next_deadline_ms()
        return deadline_ms is not None and deadline_ms <= self._now_ms

    def _timeout_ms(self) -> int:
        if self._invocation is not None:
            return self._function_timeout_ms
        return RESTORE_TIMEOUT_MS if self._restoration is not None else self._init_timeout_ms

    # What can be seen

    @property
    def phase(self) -> Phase:
        """Empty (no process: before Init, after a reset), Init, Idle, ..., or Ended."""
        return self._phase

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
        is_final = self._shutdown is not None and self._shutdown.is_final
        if is_final or self._phase is Phase.ENDED:
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
        if self._waiting is not None:
            self._effects.append(failure.respond(self._waiting))
            self._effects.append(_effects.InvocationEnded(request_id=self._waiting))
            self._waiting = None
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
            message = "Telemetry API subscription is closed already"
            raise RemoteLifecycleError("Telemetry.SubscriptionClosed", message)
        record = {"name": agent.name, "state": "Subscribed", "types": list(event.types)}
        self._emit("platform.telemetrySubscription", record)

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
            self._fail(_extension_failure(agent, agent.state, agent.error_type))

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
        self._lose(_extension_failure(agent, last_state, event.status))

    # What the runtime calls, and what happens to its process

    def _on_runtime_next(self, _event: "_events.RuntimeNext") -> None:
        last_state = self._runtime
        self._move_runtime(RuntimeInput.NEXT)
        if last_state is RuntimeState.STARTED:
            self._end_runtime_init(None)
        elif last_state is RuntimeState.RESTORING and self._restoration is not None:
            self._end_restoration(None)
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

    @property
    def _is_runtime_alive(self) -> bool:
        return self._runtime is not None and self._runtime is not RuntimeState.EXITED

    def _move_runtime(self, move: RuntimeInput) -> None:
        if self._runtime is None:
            message = f"The runtime has not been started: {move.value} is not allowed"
            raise RemoteLifecycleError("InvalidStateTransition", message)
        self._runtime = next_runtime_state(self._runtime, move)

    def _answering(self, request_id: str, move: RuntimeInput) -> Invocation:
        latest = self._latest_invocation
        if latest is None or latest.request_id != request_id:
            raise RemoteLifecycleError("InvalidRequestID", "Invalid request ID", status=400)
        self._move_runtime(move)
        return latest

    # Init

    def _initialize(self) -> None:
        self._is_new = False
        repeated = self._invocation is not None
        is_snapshot = self._initialization_type == "snap-start" and not repeated
        phase = "invoke" if repeated else "snap-start" if is_snapshot else "init"
        self._initialization = Initialization(
            self._initialization_type, phase, self._now_ms, self._init_timeout_ms
        )
        self._emit("platform.initStart", self._initialization.start_record())
        if self._roster.excess:
            self._refuse_excess()
        else:
            self._launch_extensions()
            self._start_runtime_when_allowed()

    def _refuse_excess(self) -> None:
        error_type = "Extension.TooManyExtensions"
        for agent in self._roster.excess:
            agent.move(ExtensionInput.LAUNCH_FAIL)
            agent.error_type = error_type
        self._fail(
            _failure.Failure(error_type, f"Extension limit ({self._max_extensions}) reached")
        )

    def _launch_extensions(self) -> None:
        for agent in self._roster:
            agent.is_alive = True
            self._effects.append(_effects.LaunchExtension(extension=agent.name))

    def _start_runtime_when_allowed(self) -> None:
        if self._runtime is None and may_start_runtime(
            agent.state for agent in self._roster.externals
        ):
            self._runtime = RuntimeState.STARTED
            self._effects.append(_effects.StartRuntime())

    def _end_runtime_init(self, failure: "Failure | None") -> None:
        initialization = self._initialization
        if initialization is not None and not initialization.is_runtime_done:
            initialization.is_runtime_done = True
            record = initialization.runtime_done_record(failure)
            self._emit("platform.initRuntimeDone", record)

    def _end_initialization(self, failure: "Failure | None") -> None:
        initialization, self._initialization = self._initialization, None
        if initialization is None:
            return
        for agent in self._roster:
            self._emit("platform.extension", agent.telemetry_record())
        record = initialization.report_record(self._now_ms, failure)
        self._emit("platform.initReport", record)
        # A repeated init is within Duration; that of a snapshot was not paid for by an invocation.
        is_snapshot = self._initialization_type == "snap-start"
        if failure is None and self._phase is Phase.INIT and not is_snapshot:
            self._cold_metrics["initDurationMs"] = record["metrics"]["durationMs"]

    # Restore

    def _restore(self) -> None:
        self._phase = next_phase(self._phase, PhaseInput.RESTORE)
        self._thaw()
        self._restoration = Restoration(self._now_ms)
        self._emit("platform.restoreStart", {})
        if self._runtime is RuntimeState.RESTORE_READY:
            self._deliver_restore()
        else:  # a runtime without restore hooks
            self._end_restoration(None)
            self._become_idle(PhaseInput.RESTORE_DONE)

    def _deliver_restore(self) -> None:
        self._move_runtime(RuntimeInput.DELIVER)
        self._effects.append(_effects.DeliverRestore())

    def _end_restoration(self, failure: "Failure | None") -> None:
        restoration, self._restoration = self._restoration, None
        if restoration is None:
            return
        self._emit("platform.restoreRuntimeDone", _failure.status_fields(failure))
        record = restoration.report_record(self._now_ms, failure)
        self._emit("platform.restoreReport", record)
        self._cold_metrics["restoreDurationMs"] = record["metrics"]["durationMs"]

    # Invoke

    def _begin_waiting_invocation(self) -> None:
        if self._waiting is None:
            return
        if self._phase is Phase.IDLE and self._runtime is RuntimeState.RESTORE_READY:
            self._restore()
            return
        is_initialized = self._phase is Phase.IDLE
        self._phase = next_phase(self._phase, PhaseInput.INVOKE)
        self._thaw()
        invocation = Invocation(self._waiting, self._function_timeout_ms, self._now_ms)
        self._invocation = self._latest_invocation = invocation
        self._waiting = None
        if is_initialized:
            self._start_invocation(invocation)
        else:
            self._initialize()

    def _start_invocation(self, invocation: Invocation) -> None:
        self._emit_start(invocation)
        invocation.delivered_ms = self._now_ms
        for agent in self._roster.invoked:
            # One that has reported exit/error takes no event; its exit, or the timeout, follows.
            if agent.state is ExtensionState.READY:
                agent.move(ExtensionInput.DELIVER)
                self._effects.append(
                    _effects.DeliverInvoke(
                        extension=agent.name,
                        identifier=agent.identifier,
                        request_id=invocation.request_id,
                        deadline_ms=invocation.deadline_ms,
                    )
                )
        self._move_runtime(RuntimeInput.DELIVER)
        self._deliver_invocation(invocation)

    def _emit_start(self, invocation: Invocation) -> None:
        invocation.has_started = True
        self._emit("platform.start", {"requestId": invocation.request_id})

    def _deliver_invocation(self, invocation: Invocation) -> None:
        self._effects.append(
            _effects.DeliverInvocation(
                request_id=invocation.request_id, deadline_ms=invocation.deadline_ms
            )
        )

    def _respond(self, answer: "_effects.Respond") -> None:
        invocation = self._invocation
        if invocation is not None and not invocation.is_answered:
            invocation.is_answered = True
            self._effects.append(answer)

    def _end_runtime_invocation(self) -> None:
        invocation = self._invocation
        if invocation is not None and invocation.runtime_done_ms is None:
            invocation.runtime_done_ms = self._now_ms
            self._emit("platform.runtimeDone", invocation.runtime_done_record(self._now_ms))

    def _end_invocation(self) -> None:
        invocation, self._invocation = self._invocation, None
        if invocation is None:
            return
        record = invocation.report_record(
            self._now_ms, cold=self._cold_metrics, has_extensions=bool(self._roster.invoked)
        )
        self._cold_metrics = {}
        self._emit("platform.report", record)
        self._effects.append(_effects.InvocationEnded(request_id=invocation.request_id))

    # Between the phases

    def _check_gates(self) -> None:
        if self._shutdown is not None:
            return
        if self._initialization is not None:
            if is_init_done(self._runtime, (agent.state for agent in self._roster)):
                self._end_initialization(None)
                if self._invocation is not None:
                    self._start_invocation(self._invocation)
                else:
                    self._become_idle(PhaseInput.INIT_DONE)
        elif self._invocation is not None and is_invoke_done(
            self._runtime, (agent.state for agent in self._roster.invoked)
        ):
            self._end_invocation()
            self._become_idle(PhaseInput.INVOKE_DONE)

    def _become_idle(self, move: PhaseInput) -> None:
        self._phase = next_phase(self._phase, move)
        if self._waiting is not None:
            self._begin_waiting_invocation()
        else:
            self._is_frozen = True
            self._effects.append(_effects.Freeze())

    def _thaw(self) -> None:
        if self._is_frozen:
            self._is_frozen = False
            self._effects.append(_effects.Thaw())

    def _emit(self, record_type: str, record: "dict[str, Any]") -> None:
        self._effects.append(_effects.Emit(record_type, record))

    # Failure, reset and shutdown

    def _lose(self, failure: "Failure") -> None:
        """A process is gone: expected in a shutdown, else the environment's failure."""
        if self._shutdown is None:
            self._fail(failure)
        else:
            self._advance_shutdown(self._shutdown)

    def _fail(self, failure: "Failure") -> None:
        self._phase = next_phase(self._phase, PhaseInput.FAIL)
        self._give_up(failure)
        self._begin_shutdown(failure.shutdown_reason, is_final=False)

    def _give_up(self, failure: "Failure") -> None:
        self._end_runtime_init(failure)
        self._end_initialization(failure)
        self._end_restoration(failure)
        invocation = self._invocation
        if invocation is not None and invocation.failure is None:
            invocation.failure = failure
            if not invocation.has_started:
                self._emit_start(invocation)
            self._end_runtime_invocation()
            self._respond(failure.respond(invocation.request_id))

    def _begin_shutdown(self, reason: str, *, is_final: bool) -> None:
        self._thaw()
        shutdown = ShutdownSequence(self._roster, reason, self._now_ms, is_final=is_final)
        self._shutdown = shutdown
        if self._is_runtime_alive:
            self._effects += shutdown.stop_runtime()
        else:
            self._advance_shutdown(shutdown)

    def _advance_shutdown(self, shutdown: ShutdownSequence) -> None:
        if self._is_runtime_alive:
            return
        if not shutdown.has_told:
            self._effects += shutdown.tell_extensions()
        if not self._roster.alive:
            self._end_shutdown(shutdown)

    def _end_shutdown(self, shutdown: ShutdownSequence) -> None:
        self._end_invocation()
        self._cold_metrics = {}
        self._shutdown = None
        self._roster = Roster(self._extensions, self._max_extensions)
        self._runtime = None
        if shutdown.is_final:
            self._phase = next_phase(self._phase, PhaseInput.SHUTDOWN_DONE)
            self._effects.append(_effects.EnvironmentEnded())
        else:
            self._phase = next_phase(self._phase, PhaseInput.RESET_DONE)
            self._effects.append(_effects.EnvironmentReset())
            self._begin_waiting_invocation()


def _extension_failure(agent: "Agent", last_state: ExtensionState, status: str) -> "Failure":
    announced = {
        ExtensionState.INIT_ERROR: "Extension.InitError",
        ExtensionState.EXIT_ERROR: "Extension.ExitError",
    }
    error_type = announced.get(last_state, "Extension.Crash")
    agent.error_type = agent.error_type or error_type
    return _failure.extension_failed(error_type, status)


_RECEIVERS: "dict[type, Callable[[Environment, Any], None]]" = {
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
