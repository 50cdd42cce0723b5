"""The environment of a function on Lambda Managed Instances: many invocations at a time.

Source: AWS Lambda developer guide, "Understanding the Lambda Managed Instances execution
environment"; status codes and error types are those of AWS's runtime interface emulator, in its
stack for managed instances (internal/lambda-managed-instances).

- The runtime has workers: each ``invocation/next`` that waits is one, up to the concurrency. Init
  is over when the first one waits and every extension has called ``next``.
- An invocation goes to a worker that waits; when none does, it is refused.
- Each has its own timeout, which ends that invocation only: the worker goes on, its late answer is
  refused with 410.
- Nothing is frozen and nothing is reset: when the runtime or an extension exits, the environment
  ends.
- Extensions hear of SHUTDOWN only, and there is no ``platform.runtimeDone``.
"""

from . import _effects, _events, _failure
from ._environment import RECEIVERS, Environment
from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._invocation import Invocation
from ._states import (
    ExtensionState,
    Phase,
    PhaseInput,
    RequestInput,
    RequestState,
    RuntimeInput,
    RuntimeState,
    is_init_done,
    next_phase,
    next_request_state,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._effects import EnvironmentEffect
    from ._failure import Failure
    from ._roster import Agent

MANAGED_INSTANCES = "lambda-managed-instances"
_DEFAULT_CONCURRENCY = 16  # of one vCPU with Python; same guide
# Answers that come later than this many others have timed out are refused as unknown.
_MAX_REMEMBERED = 1000


class ManagedEnvironment(Environment):
    """One environment on managed instances; driven like ``Environment``.

    Args:
        extensions: the file names of ``/opt/extensions``.
        function_timeout_ms: what one invocation may take.
        max_concurrency: how many workers may wait, hence invocations be under way.
    """

    __slots__ = ("_max_concurrency", "_overdue", "_queue", "_requests", "_waiting_workers")

    INITIALIZATION_TYPES = (MANAGED_INSTANCES,)

    def __init__(self, *, max_concurrency: int = _DEFAULT_CONCURRENCY, **settings: "Any") -> None:
        super().__init__(initialization_type=MANAGED_INSTANCES, freezes=False, **settings)
        self._max_concurrency = max_concurrency
        self._waiting_workers = 0
        self._requests: dict[str, tuple[Invocation, RequestState]] = {}
        self._queue: list[str] = []
        self._overdue: dict[str, None] = {}

    def next_deadline_ms(self) -> "int | None":
        """As of ``Environment``: the first deadline of all invocations."""
        if self._shutdown is None and self._requests:
            return min(invocation.deadline_ms for invocation, _ in self._requests.values())
        return super().next_deadline_ms()

    def expire(self, now_ms: float) -> "list[EnvironmentEffect]":
        """As of ``Environment``; an invocation that is late ends alone."""
        self._now_ms = now_ms
        self._effects = []
        late = [
            invocation
            for invocation, _ in self._requests.values()
            if self._shutdown is None and invocation.deadline_ms <= now_ms
        ]
        for invocation in late:
            self._time_out(invocation)
        return self._effects if late else super().expire(now_ms)

    def _time_out(self, invocation: Invocation) -> None:
        _, state = self._requests[invocation.request_id]
        next_request_state(state, RequestInput.EXPIRE)
        self._overdue[invocation.request_id] = None
        while len(self._overdue) > _MAX_REMEMBERED:
            del self._overdue[next(iter(self._overdue))]
        self._end_request(invocation, _failure.timed_out(self._function_timeout_ms))

    # What the platform decides

    def _on_invoke(self, event: "_events.Invoke") -> None:
        if not self.takes_invocations:
            raise LocalLifecycleError("The environment takes no more invocations")
        if event.request_id in self._requests or event.request_id in self._queue:
            raise LocalLifecycleError(f"Request {event.request_id} is under way")
        if self._phase in (Phase.EMPTY, Phase.INIT):
            self._queue.append(event.request_id)
            if self._phase is Phase.EMPTY:
                self._phase = next_phase(self._phase, PhaseInput.INIT)
                self._initialize()
        else:
            self._begin_request(event.request_id)

    def _begin_request(self, request_id: str) -> None:
        if not self._waiting_workers:
            self._refuse(request_id, _failure.no_worker())
            return
        self._waiting_workers -= 1
        if self._phase is Phase.IDLE:
            self._phase = next_phase(self._phase, PhaseInput.INVOKE)
        invocation = Invocation(request_id, self._function_timeout_ms, self._now_ms)
        self._requests[request_id] = invocation, RequestState.RUNNING
        self._deliver_invocation(invocation)
        self._emit_start(invocation)

    def _refuse(self, request_id: str, failure: "Failure") -> None:
        self._effects.append(failure.respond(request_id))
        self._effects.append(_effects.InvocationEnded(request_id=request_id))

    def _end_request(self, invocation: Invocation, failure: "Failure | None") -> None:
        del self._requests[invocation.request_id]
        if failure is not None:
            invocation.failure = failure
            self._effects.append(failure.respond(invocation.request_id))
        self._emit("platform.report", invocation.managed_report_record(self._now_ms))
        self._effects.append(_effects.InvocationEnded(request_id=invocation.request_id))
        if not self._requests and self._phase is Phase.INVOKE:
            self._phase = next_phase(self._phase, PhaseInput.INVOKE_DONE)

    def _check_gates(self) -> None:
        if self._shutdown is not None or self._initialization is None:
            return
        if self._waiting_workers and is_init_done(
            self._runtime, (agent.state for agent in self._roster)
        ):
            self._end_initialization(None)
            self._phase = next_phase(self._phase, PhaseInput.INIT_DONE)
            queue, self._queue = self._queue, []
            for request_id in queue:
                self._begin_request(request_id)

    # What extensions call

    def _on_register(self, event: "_events.Register") -> None:
        if event.extension and "INVOKE" in event.events:
            message = "INVOKE: not supported on Lambda Managed Instances"
            raise RemoteLifecycleError("Extension.InvalidEventType", message)
        super()._on_register(event)

    def _on_subscribe(self, event: "_events.Subscribe") -> None:
        if event.api == "Logs":
            message = "There is no Logs API on Lambda Managed Instances"
            raise RemoteLifecycleError("NotFound", message, status=404)
        super()._on_subscribe(event)

    def _announced(self, agent: "Agent", last_state: ExtensionState) -> "str | None":
        """Here the type that the extension gave is kept, if it has the platform's form."""
        announced = super()._announced(agent, last_state)
        category, _, reason = agent.error_type.partition(".")
        is_type = category == "Extension" and reason.isascii() and reason.isalpha()
        return agent.error_type if announced and is_type and reason[0].isupper() else announced

    # What the runtime calls

    def _on_runtime_next(self, _event: "_events.RuntimeNext") -> None:
        if self._waiting_workers >= self._max_concurrency:
            message = f"{self._max_concurrency} workers wait already"
            raise RemoteLifecycleError("Runtime.TooManyIdleRuntimes", message)
        is_first = self._runtime is RuntimeState.STARTED
        self._move_runtime(RuntimeInput.NEXT)
        self._waiting_workers += 1
        if is_first:
            self._end_runtime_init(None)
        self._check_gates()

    def _on_worker_lost(self, _event: "_events.RuntimeWorkerLost") -> None:
        if not self._waiting_workers:
            raise LocalLifecycleError("No worker waits")
        self._waiting_workers -= 1

    def _on_runtime_response(self, event: "_events.RuntimeResponse") -> None:
        self._move_request(event.request_id, RequestInput.RESPONSE)

    def _on_runtime_invocation_error(self, event: "_events.RuntimeInvocationError") -> None:
        invocation = self._move_request(event.request_id, RequestInput.RESPONSE)
        invocation.is_function_error = True
        invocation.error_type = event.error_type or ""

    def _on_runtime_response_sent(self, event: "_events.RuntimeResponseSent") -> None:
        invocation = self._move_request(event.request_id, RequestInput.SENT)
        invocation.response_ended_ms = self._now_ms
        self._effects.append(invocation.answer(event.error_type))
        self._end_request(invocation, None)

    def _move_request(self, request_id: str, move: RequestInput) -> Invocation:
        if request_id not in self._requests:
            if request_id in self._overdue:
                del self._overdue[request_id]
                message = "The invocation has timed out"
                raise RemoteLifecycleError("InvokeTimeout", message, status=410)
            raise RemoteLifecycleError("InvalidRequestID", "Invalid request ID", status=400)
        invocation, state = self._requests[request_id]
        self._requests[request_id] = invocation, next_request_state(state, move)
        if move is RequestInput.RESPONSE:
            invocation.response_begun_ms = self._now_ms
        return invocation

    # Failure and shutdown

    def _fail(self, failure: "Failure") -> None:
        self._phase = next_phase(self._phase, PhaseInput.FAIL)
        self._give_up(failure)
        self._begin_shutdown(failure.shutdown_reason, is_final=True)

    def _give_up(self, failure: "Failure") -> None:
        super()._give_up(failure)
        for invocation, _ in list(self._requests.values()):
            self._end_request(invocation, failure)
        queue, self._queue = self._queue, []
        for request_id in queue:
            self._refuse(request_id, failure)


ManagedEnvironment.receivers = {
    **RECEIVERS,
    _events.Invoke: ManagedEnvironment._on_invoke,
    _events.Register: ManagedEnvironment._on_register,
    _events.Subscribe: ManagedEnvironment._on_subscribe,
    _events.RuntimeNext: ManagedEnvironment._on_runtime_next,
    _events.RuntimeWorkerLost: ManagedEnvironment._on_worker_lost,
    _events.RuntimeResponse: ManagedEnvironment._on_runtime_response,
    _events.RuntimeInvocationError: ManagedEnvironment._on_runtime_invocation_error,
    _events.RuntimeResponseSent: ManagedEnvironment._on_runtime_response_sent,
}
