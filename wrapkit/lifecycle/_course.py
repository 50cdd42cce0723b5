"""What follows from an event: the course of one environment through its phases.

``Environment`` takes the events; here are the steps that they lead to.
"""

from . import _effects, _failure
from ._deadlines import init_timeout_ms as default_init_timeout_ms
from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._initialization import Initialization, Restoration
from ._invocation import Invocation
from ._profile import AWS_PROFILE
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
    may_start_runtime,
    next_phase,
    next_runtime_state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._effects import EnvironmentEffect
    from ._failure import Failure
    from ._profile import Profile

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: extensions per function
_MAX_EXTENSIONS = 10


class Course:
    """The state of one environment, and its steps from phase to phase."""

    __slots__ = (
        "_cold_metrics",
        "_effects",
        "_extensions",
        "_freezes",
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
        "_profile",
        "_restoration",
        "_roster",
        "_runtime",
        "_runtime_error_type",
        "_shutdown",
        "_waiting",
    )

    INITIALIZATION_TYPES: "tuple[str, ...]" = ("on-demand", "provisioned-concurrency", "snap-start")

    def __init__(
        self,
        *,
        extensions: "Iterable[str]" = (),
        function_timeout_ms: int,
        init_timeout_ms: "int | None" = None,
        initialization_type: str = "on-demand",
        max_extensions: int = _MAX_EXTENSIONS,
        profile: "Profile" = AWS_PROFILE,
        freezes: "bool | None" = None,
    ) -> None:
        if initialization_type not in self.INITIALIZATION_TYPES:
            raise LocalLifecycleError(f"Unknown initialization type {initialization_type!r}")
        if function_timeout_ms <= 0:
            raise LocalLifecycleError(f"A function timeout of {function_timeout_ms} ms")
        if init_timeout_ms is None and profile.limits_init:
            init_timeout_ms = default_init_timeout_ms(initialization_type, function_timeout_ms)
        self._extensions = tuple(dict.fromkeys(extensions))
        self._function_timeout_ms = function_timeout_ms
        self._init_timeout_ms = init_timeout_ms
        self._initialization_type = initialization_type
        self._max_extensions = max_extensions
        self._profile = profile
        self._freezes = profile.freezes if freezes is None else freezes

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

    # The runtime

    @property
    def _is_runtime_alive(self) -> bool:
        return self._runtime is not None and self._runtime is not RuntimeState.EXITED

    def _move_runtime(self, move: RuntimeInput) -> None:
        if self._runtime is None:
            message = f"The runtime has not been started: {move.value} is not allowed"
            raise RemoteLifecycleError("InvalidStateTransition", message)
        self._runtime = next_runtime_state(self._runtime, move)

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
        restoration = self._restoration = Restoration(self._now_ms)
        self._emit("platform.restoreStart", {})
        if self._runtime is RuntimeState.RESTORE_READY:
            self._deliver_restore()
        else:  # a runtime without restore hooks
            self._end_restoration(restoration, None)
            self._become_idle(PhaseInput.RESTORE_DONE)

    def _deliver_restore(self) -> None:
        self._move_runtime(RuntimeInput.DELIVER)
        self._effects.append(_effects.DeliverRestore())

    def _end_restoration(self, restoration: Restoration, failure: "Failure | None") -> None:
        self._restoration = None
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
        # The platform releases all at once. A driver does one after the other, and what it does
        # for the extensions and the log must not be part of what the caller waits for.
        invocation.delivered_ms = self._now_ms
        self._move_runtime(RuntimeInput.DELIVER)
        self._deliver_invocation(invocation)
        self._emit_start(invocation)
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
        elif self._freezes:
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
        if self._restoration is not None:
            self._end_restoration(self._restoration, failure)
            self._fail_waiting(_failure.restore_failed(failure))
        invocation = self._invocation
        if invocation is not None and invocation.failure is None:
            invocation.failure = failure
            if not invocation.has_started:
                self._emit_start(invocation)
            self._end_runtime_invocation()
            self._respond(failure.respond(invocation.request_id))

    def _fail_waiting(self, failure: "Failure") -> None:
        """Answers the invocation that waits: it does not begin any more."""
        request_id, self._waiting = self._waiting, None
        if request_id is not None:
            self._effects.append(failure.respond(request_id))
            self._effects.append(_effects.InvocationEnded(request_id=request_id))

    def _begin_shutdown(self, reason: str, *, is_final: bool) -> None:
        self._thaw()
        shutdown = ShutdownSequence(
            self._roster, reason, self._now_ms, self._profile, is_final=is_final
        )
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
