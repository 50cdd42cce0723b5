"""The host: executes the effects of the lifecycle core, and tells it what happens.

No rule of the lifecycle stands here. What a request, an exit or a deadline means is the core's to
say.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import uuid
from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import (
    DeliverInvocation,
    DeliverInvoke,
    DeliverRestore,
    DeliverShutdown,
    Emit,
    Environment,
    EnvironmentEnded,
    EnvironmentReset,
    ExtensionExited,
    Freeze,
    InvocationEnded,
    Invoke,
    KillExtension,
    KillRuntime,
    LaunchExtension,
    LaunchFailed,
    Next,
    Profile,
    Respond,
    RuntimeExited,
    RuntimeNext,
    RuntimeRestoreNext,
    RuntimeWorkerLost,
    StartRuntime,
    Subscribe,
    TerminateRuntime,
    Thaw,
    invocation_answer,
    invoke_event_answer,
    restore_answer,
    shutdown_event_answer,
)

from ._credentials import Tokens
from ._deadline_timer import DeadlineTimer
from ._processes import RUNTIME, Processes
from ._progress import InitProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wrapkit.tooling._http_server import Connection

    from ._clock import Clock
    from ._function import Function
    from ._invocation import Invocation
    from ._journal import Journal
    from ._launch import Process
    from ._launch_problem import LaunchProblem
    from ._subscription import Subscription

# SHUTDOWN waits so long for the telemetry that its extension is still owed; AWS's emulator allows 1
# s of the 2 s.
_TELEMETRY_LIMIT_S = 0.3


class Host:
    """Drives one ``Environment`` with real processes, requests and timers.

    ``settled`` is completed when the first Init is over, ``ended`` when every process is gone for
    good; both fail with whatever goes wrong within the host itself, as do the invocations.
    """

    def __init__(
        self,
        function: Function,
        environment: Environment,
        journal: Journal,
        clock: Clock,
        profile: Profile,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.function = function
        self.profile = profile
        self.tokens = Tokens()
        self.init_error_body = b""
        self.init_report: Mapping[str, Any] = {}
        self.progress = InitProgress(clock)
        self.settled: asyncio.Future[None] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._environment, self._journal, self._clock = environment, journal, clock
        self._processes: Processes | None = None
        self._invocations: dict[str, Invocation] = {}
        self._runtime_connections: list[Connection] = []
        self._restore_connection: Connection | None = None
        self.has_worker = asyncio.Event()
        self._extension_connections: dict[str, Connection] = {}
        self._starting: asyncio.Handle | None = None
        self._ended_cpu_ms: Mapping[str, float] | None = None
        self._deadline = DeadlineTimer(environment, clock, self._expire)
        self._tasks: set[asyncio.Task[None]] = set()
        self.failure: BaseException | None = None
        self.exited_ms: dict[str, float] = {}

    def attach(self, processes: Processes) -> None:
        """Gives the host what starts processes; they need its address first."""
        self._processes = processes

    @property
    def processes(self) -> Processes:
        """The processes of the environment."""
        if self._processes is None:
            raise RuntimeError("the host has no processes yet")
        return self._processes

    @property
    def takes_invocations(self) -> bool:
        """Whether the environment can still be invoked."""
        return self._environment.takes_invocations

    # Events in

    def receive(self, event: Any) -> None:
        """Tells the core of an event and does what follows; raises ``RemoteLifecycleError`` when it
        is refused.
        """
        self._execute_all(self._environment.receive(event, self._clock.now_ms()))

    def _expire(self) -> None:
        self._execute_all(self._environment.expire(self._clock.now_ms()))

    def _execute_all(self, effects: list[Any]) -> None:
        kinds = {type(effect) for effect in effects}
        try:
            if Emit in kinds:  # what was printed before stands before the record
                self.processes.drain()
            for effect in self._urgent_first(effects, kinds):
                _EXECUTORS[type(effect)](self, effect)
        except BaseException as error:
            self.fail(error)
            raise
        self._deadline.set()

    def _urgent_first(self, effects: list[Any], kinds: set[type]) -> list[Any]:
        """The event to the runtime before what is written down: it works on another core meanwhile.

        The processes go on when it is there, since before they would only wait again. Nothing that
        they print from then on is read until all effects have been executed, so the log keeps its
        order.
        """
        if len(effects) < 2 or DeliverInvocation not in kinds:
            return effects
        if InvocationEnded in kinds:
            self._ended_cpu_ms = self.processes.cpu_ms_since_mark()
        self.processes.mark_cpu()
        return sorted(effects, key=lambda effect: _URGENCY.get(type(effect), len(_URGENCY)))

    def _report(self, event: object) -> None:
        """Tells the core what happened to a process; nobody is there to hear of an error."""
        try:
            self.receive(event)
        except BaseException as error:
            self.fail(error)
            raise

    def fail(self, error: BaseException) -> None:
        """Lets everybody who waits, or will wait, know that the host itself went wrong."""
        self.failure = self.failure or error
        for future in (self.settled, self.ended):
            if not future.done():
                future.set_exception(error)
                future.exception()  # not to be reported as never retrieved
        for invocation in self._invocations.values():
            invocation.fail(error)

    # What the caller asks for

    def invoke(self, invocation: Invocation) -> None:
        """Begins an invocation, or lets it wait for its turn."""
        self._invocations[invocation.request_id] = invocation
        self._journal.invocations[invocation.request_id] = invocation
        self.receive(Invoke(request_id=invocation.request_id))

    # What the API's requests ask for

    def wait_for_invocation(self, connection: Connection, event: RuntimeNext) -> None:
        """The runtime waits for an invocation on this connection."""
        self._runtime_connections.append(connection)
        self.has_worker.set()
        try:
            self._called_next(RUNTIME)
            self.receive(event)
        except BaseException:
            self.forget(connection)
            raise

    def wait_for_restore(self, connection: Connection, event: RuntimeRestoreNext) -> None:
        """The runtime waits on this connection until its snapshot has been restored."""
        before, self._restore_connection = self._restore_connection, connection
        try:
            self._called_next(RUNTIME)
            self.receive(event)
        except BaseException:
            self._restore_connection = before
            raise

    def wait_for_event(self, connection: Connection, event: Next) -> None:
        """An extension waits for an event on this connection."""
        identifier = event.identifier or ""
        before = self._extension_connections.get(identifier)
        self._extension_connections[identifier] = connection
        self._note_next(identifier)
        try:
            self.receive(event)
        except BaseException:
            self.forget(connection)
            if before is not None:
                self._extension_connections[identifier] = before
            raise

    def _note_next(self, identifier: str) -> None:
        with contextlib.suppress(KeyError):  # an unknown identifier is about to be refused
            name = self._environment.extension_name(identifier)
            self._called_next(name)

    def _called_next(self, name: str) -> None:
        self.progress.called_next(name, self.processes)
        for invocation in self._invocations.values():
            invocation.called_next(name, self._clock.now_ms())

    def abandon(self, connection: Connection) -> None:
        """The peer of the connection has hung up."""
        is_worker = connection in self._runtime_connections
        self.forget(connection)
        if is_worker and self.function.is_managed:
            self._report(RuntimeWorkerLost())

    def forget(self, connection: Connection) -> None:
        """The connection waits no longer."""
        if connection in self._runtime_connections:
            self._runtime_connections.remove(connection)
            if not self._runtime_connections:
                self.has_worker.clear()
        for identifier, waiting in tuple(self._extension_connections.items()):
            if waiting is connection:
                del self._extension_connections[identifier]

    def subscribe(self, event: Subscribe, subscription: Subscription) -> None:
        """An extension subscribes to the Telemetry API."""
        self.receive(event)
        name = self._environment.extension_name(event.identifier or "")
        self._journal.telemetry.subscribe(name, subscription)

    def begin_response(self, request_id: str, content_type: str, *, is_streamed: bool) -> None:
        """The runtime begins to answer."""
        invocation = self._invocations.get(request_id)
        if invocation is not None:
            invocation.begin_response(content_type, is_streamed=is_streamed)

    def stream(self, request_id: str, piece: bytes) -> None:
        """Passes on a piece of a response that the runtime streams."""
        invocation = self._invocations.get(request_id)
        if invocation is not None:
            invocation.stream(piece)

    def keep_outcome(self, request_id: str, body: bytes, trailers: Mapping[str, str]) -> None:
        """Keeps the body that the runtime posted."""
        invocation = self._invocations.get(request_id)
        if invocation is not None:
            invocation.keep_outcome(body, trailers)

    # What happens to processes

    def executed(self, process: Process, problem: LaunchProblem | None) -> None:
        """A process runs, or could not be started."""
        self.progress.executed(process.name, problem)
        if problem is None:
            return
        if process.name == RUNTIME:
            event: object = RuntimeExited(
                status=problem.reason, error_type="Runtime.InvalidEntrypoint"
            )
        else:
            event = LaunchFailed(extension=process.name, reason=problem.reason)
        self._report(event)

    def exited(self, process: Process) -> None:
        """A process is gone."""
        self.exited_ms[process.name] = self._clock.now_ms()
        if process.name == RUNTIME:
            self._runtime_connections.clear()
            self._report(RuntimeExited(status=process.status))
        else:
            self._report(ExtensionExited(extension=process.name, status=process.status))

    def text(self, kind: str, text: str, level: str, time_ms: float | None) -> None:
        """A process wrote a line, or the runtime a message to its log descriptor; what the caller's
        own listeners raise ends the run.
        """
        try:
            self._journal.text(kind, text, level, time_ms)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            self.fail(error)

    # Effects out

    def _launch_extension(self, effect: LaunchExtension) -> None:
        self.processes.start_extension(effect.extension)

    def _start_runtime(self, _: object) -> None:
        # Soon, not now: the extension whose registration led to this gets its answer first.
        loop = asyncio.get_running_loop()
        self._starting = loop.call_soon(self._start_runtime_now)

    def _start_runtime_now(self) -> None:
        if self._starting is None:
            return
        self._starting.cancel()
        self._starting = None
        try:
            self.processes.start_runtime()
        except OSError as error:
            self.fail(error)
            raise

    def _deliver_invocation(self, effect: DeliverInvocation) -> None:
        invocation = self._invocations.get(effect.request_id)
        if not self._runtime_connections or invocation is None:
            return  # the runtime has hung up; its exit, its next call or the timeout follows
        answer = invocation_answer(
            invocation.payload,
            request_id=effect.request_id,
            deadline_ms=effect.deadline_ms,
            invoked_function_arn=invocation.invoked_function_arn,
            trace_header=invocation.trace_header if self.profile.traces else None,
            client_context=invocation.client_context,
            cognito_identity=invocation.cognito_identity,
            tenant_id=invocation.tenant_id,
            content_type=invocation.content_type,
        )
        self._runtime_connections.pop().answer(answer)
        if not self._runtime_connections:
            self.has_worker.clear()

    def _deliver_restore(self, _: object) -> None:
        connection, self._restore_connection = self._restore_connection, None
        if connection is not None:
            connection.answer(restore_answer())

    def _deliver_invoke(self, effect: DeliverInvoke) -> None:
        connection = self._extension_connections.pop(effect.identifier, None)
        invocation = self._invocations.get(effect.request_id)
        if connection is not None and invocation is not None:
            answer = invoke_event_answer(
                str(uuid.uuid4()),
                request_id=effect.request_id,
                deadline_ms=effect.deadline_ms,
                invoked_function_arn=invocation.invoked_function_arn,
                trace_header=invocation.trace_header,
            )
            connection.answer(answer)

    def _deliver_shutdown(self, effect: DeliverShutdown) -> None:
        connection = self._extension_connections.pop(effect.identifier, None)
        if connection is not None:
            answer = shutdown_event_answer(
                str(uuid.uuid4()), reason=effect.reason, deadline_ms=effect.deadline_ms
            )
            task = asyncio.get_running_loop().create_task(self._tell_last(connection, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell_last(self, connection: Connection, answer: bytes) -> None:
        await self._journal.telemetry.drained(_TELEMETRY_LIMIT_S)
        connection.answer(answer)

    def _respond(self, effect: Respond) -> None:
        invocation = self._invocations.get(effect.request_id)
        if invocation is not None:
            invocation.respond(effect, self.init_error_body, self._clock.now_ms())

    def _invocation_ended(self, effect: InvocationEnded) -> None:
        # Only now: the runtime is to get its invocation even when its caller has gone away.
        invocation = self._invocations.pop(effect.request_id, None)
        self._journal.invocations.pop(effect.request_id, None)
        cpu_ms, self._ended_cpu_ms = self._ended_cpu_ms, None
        if invocation is not None:
            invocation.end(cpu_ms or self.processes.cpu_ms_since_mark(), self._journal.tail)

    def _terminate_runtime(self, _: object) -> None:
        self._start_runtime_now()
        self.processes.signal(RUNTIME, signal.SIGTERM)

    def _kill_runtime(self, _: object) -> None:
        self._start_runtime_now()
        self.processes.signal(RUNTIME, signal.SIGKILL)

    def _kill_extension(self, effect: KillExtension) -> None:
        self.processes.signal(effect.extension, signal.SIGKILL)

    def _freeze(self, _: object) -> None:
        self._journal.telemetry.pause()
        self.processes.freeze()

    def _thaw(self, _: object) -> None:
        self.processes.thaw()
        self._journal.telemetry.resume()

    def _emit(self, effect: Emit) -> None:
        max_memory_used_mb = self.function.memory_mb
        if self.profile.measures_memory:
            # At the end of Init as well: of a process that has died, little is known afterwards.
            if effect.type in ("platform.report", "platform.initReport"):
                self.processes.sample_memory()
            # Beyond the limit it is killed, if a moment later than there.
            max_memory_used_mb = min(max_memory_used_mb, self.processes.memory.max_mb)
        self._journal.platform(effect.type, effect.record, max_memory_used_mb=max_memory_used_mb)
        if effect.type == "platform.report":
            self._keep_report(effect.record)
        elif effect.type == "platform.initReport":
            self.init_report = self.init_report or effect.record
            self._journal.telemetry.close_window()
            if effect.record["status"] == "success":
                self.processes.limit_cpu()
                self._settle()  # after a failure, only when the reset is over

    def _keep_report(self, report: Mapping[str, Any]) -> None:
        invocation = self._invocations.get(report["requestId"])
        if invocation is not None:
            invocation.report = report

    def _reset(self, _: object) -> None:
        self.processes.kill_strays()
        self._extension_connections.clear()
        self.processes.lift_cpu_limit()
        self._journal.telemetry.reset()
        self._settle()

    def _end(self, _: object) -> None:
        self._journal.telemetry.close()
        self._settle()
        if not self.ended.done():
            self.ended.set_result(None)

    def _settle(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)

    def close(self) -> None:
        """Ends timers, tasks and processes at once, without waiting."""
        self._deadline.close()
        if self._starting is not None:
            self._starting.cancel()
        for task in self._tasks:
            task.cancel()
        self._journal.telemetry.close()
        if self._processes is not None:
            self._processes.destroy()


_URGENCY = {DeliverInvocation: 0, Thaw: 1}
_EXECUTORS: dict[type, Callable[[Host, Any], None]] = {
    DeliverInvocation: Host._deliver_invocation,
    DeliverInvoke: Host._deliver_invoke,
    DeliverRestore: Host._deliver_restore,
    DeliverShutdown: Host._deliver_shutdown,
    Emit: Host._emit,
    EnvironmentEnded: Host._end,
    EnvironmentReset: Host._reset,
    Freeze: Host._freeze,
    InvocationEnded: Host._invocation_ended,
    KillExtension: Host._kill_extension,
    KillRuntime: Host._kill_runtime,
    LaunchExtension: Host._launch_extension,
    Respond: Host._respond,
    StartRuntime: Host._start_runtime,
    TerminateRuntime: Host._terminate_runtime,
    Thaw: Host._thaw,
}
