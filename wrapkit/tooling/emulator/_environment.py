"""The execution environment: what users of the emulator hold in their hands."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from wrapkit.lifecycle import (
    AWS_PROFILE,
    RIE_PROFILE,
    Environment,
    Init,
    ManagedEnvironment,
    Shutdown,
)
from wrapkit.tooling._errors import USAGE, DiagnosticError
from wrapkit.tooling._http_server import Server

from ._api import Api
from ._clock import Clock, SystemClock
from ._control_group import MB_PER_CORE, ControlGroup
from ._host import Host
from ._interpreter import inspect_interpreter, require_runtime_client
from ._invocation import Invocation
from ._journal import Journal
from ._limits import check_limits
from ._loopback_ports import LoopbackPorts
from ._played import PlayedProcesses, PlayedSandbox
from ._processes import Processes
from ._results import InitResult, InvocationResult, ShutdownResult
from ._sandbox import Isolation, Sandbox, create_sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from ._function import Function
    from ._records import Record
    from ._usage import ProcessUsage

ProfileName = Literal["aws", "rie"]
logger = logging.getLogger("wrapkit.emulator")
_PROFILES = {profile.name: profile for profile in (AWS_PROFILE, RIE_PROFILE)}


class ExecutionEnvironment:
    """Lambda's execution environment on this machine, for one function.

    An asynchronous context manager: entering it makes the sandbox and starts the API server;
    leaving it, in whatever way, kills every process and removes the sandbox. ``shutdown`` is the
    orderly end, and is up to the caller.

    Args:
        function: what to run.
        on_record: called with every ``Record``: platform.*, function and extension.
        on_log_line: called with every line of the log, as CloudWatch shows it, in order.
        isolation: ``namespace`` for a private mount namespace, ``none`` for folders, ``auto`` for
            the first if possible.
        runtime_api_port: the port of the runtime API on the loopback; 0 for any that is free.
        profile: ``aws`` for the observed platform, ``rie`` for AWS's own emulator where it differs.
        freezes: whether processes stand still between invocations; None as in the profile.
        limits_cpu: whether the function has, after Init, only the share of the CPU that its memory
            size buys; said where control groups do not allow that.
        clock: the time; for tests.
        played: the names of external extensions whose part the caller plays over the APIs, and the
            runtime's with them: no process is started, nor is there a sandbox; ``exit`` ends one.
    """

    def __init__(
        self,
        function: Function,
        *,
        on_record: Callable[[Record], None] | None = None,
        on_log_line: Callable[[str], None] | None = None,
        isolation: Isolation = "auto",
        runtime_api_port: int = 0,
        profile: ProfileName = "aws",
        freezes: bool | None = None,
        limits_cpu: bool = False,
        clock: Clock | None = None,
        played: Sequence[str] | None = None,
    ) -> None:
        self.function = function
        self._on_record, self._on_log_line = on_record, on_log_line
        self._isolation: Isolation = isolation
        self._port = runtime_api_port
        self._profile, self._freezes = _PROFILES[profile], freezes
        self._clock = clock or SystemClock()
        self._played = played
        self._limits_cpu = limits_cpu
        self._init_has_begun = self._shutdown_has_begun = False
        self._sandbox: Sandbox | None = None
        self._host: Host | None = None
        self._server: Server | None = None
        self._ports: LoopbackPorts | None = None

    async def __aenter__(self) -> ExecutionEnvironment:
        try:
            await self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clean_up()

    async def _start(self) -> None:
        if sys.platform != "linux":
            raise DiagnosticError(
                "linux-needed",
                f"the emulator needs Linux, not {sys.platform}",
                "run it in a Linux container",
                USAGE,
            )
        self.function.check()
        if self._profile.has_limits and self._played is None:
            check_limits(self.function)
        self._sandbox, runtime_version = await self._make_sandbox()
        if self._limits_cpu:
            self._sandbox.control_group = _make_control_group(self.function.memory_mb)
        log_stream = _log_stream(self.function.version)
        journal = Journal(
            self.function,
            runtime_version=runtime_version,
            log_stream=log_stream,
            clock=self._clock,
            on_record=self._on_record,
            on_log_line=self._on_log_line,
        )
        environment = self._make_environment(self._sandbox.extensions)
        host = self._host = Host(self.function, environment, journal, self._clock, self._profile)
        self._server = Server(Api(host), "the runtime API")
        await self._server.start(self._port)
        make_processes = Processes if self._played is None else PlayedProcesses
        host.attach(
            make_processes(
                self._with_free_ports(),
                self._sandbox,
                runtime_api=self._server.address,
                tokens=host.tokens,
                log_stream=log_stream,
                on_text=host.text,
                profile=self._profile,
                on_exec=host.executed,
                on_exit=host.exited,
            )
        )

    def _with_free_ports(self) -> Function:
        """The function with the addresses that it gets in place of those that are taken."""
        function = self.function
        unset = {
            name: port
            for name, port in function.loopback_ports.items()
            if name not in function.environment
        }
        self._ports = LoopbackPorts(unset)
        return replace(function, environment={**function.environment, **self._ports.variables})

    def _make_environment(self, extensions: tuple[str, ...]) -> Environment:
        function = self.function
        if function.is_managed:
            return ManagedEnvironment(
                extensions=extensions,
                function_timeout_ms=function.timeout_ms,
                max_concurrency=function.max_concurrency,
            )
        return Environment(
            extensions=extensions,
            function_timeout_ms=function.timeout_ms,
            initialization_type=function.initialization_type,
            profile=self._profile,
            freezes=self._freezes,
        )

    async def _make_sandbox(self) -> tuple[Sandbox, str]:
        """The sandbox, and the name of the runtime that runs in it."""
        if self._played is not None:
            return PlayedSandbox(self._played), "provided:al2023"
        interpreter = inspect_interpreter(self.function.python)
        if self.function.command is None:
            require_runtime_client(interpreter)
        sandbox = await create_sandbox(self.function, interpreter, self._isolation)
        if self.function.command is not None:
            return sandbox, "provided:al2023"
        return sandbox, "python:{}.{}".format(*interpreter.version)

    def _clean_up(self) -> None:
        """Leaves nothing behind; never waits, so that a cancellation cannot interrupt it.

        In this order, and each although the one before has failed.
        """
        host, self._host = self._host, None
        sandbox, self._sandbox = self._sandbox, None
        with contextlib.ExitStack() as last_first:
            if self._ports is not None:
                last_first.callback(self._ports.close)
            if sandbox is not None and sandbox.control_group is not None:
                last_first.callback(sandbox.control_group.close)
            if sandbox is not None:
                last_first.callback(sandbox.close)
            if self._server is not None:
                last_first.callback(self._server.close)
            if host is not None:
                last_first.callback(host.close)

    @property
    def isolation(self) -> str:
        """The isolation in force: ``namespace`` or ``none``."""
        return "" if self._sandbox is None else self._sandbox.isolation

    @property
    def has_cpu_limit(self) -> bool:
        """Whether the function has, after Init, no more of the CPU than its memory size buys."""
        return self._sandbox is not None and self._sandbox.control_group is not None

    @property
    def takes_invocations(self) -> bool:
        """Whether the environment can still be invoked: not after its shutdown has begun, which on
        managed instances a failure begins.
        """
        return self._host is not None and self._host.takes_invocations

    @property
    def extensions(self) -> tuple[str, ...]:
        """The file names of the external extensions."""
        return () if self._sandbox is None else self._sandbox.extensions

    @property
    def runtime_api(self) -> str:
        """The address of the runtime API, as in ``AWS_LAMBDA_RUNTIME_API``."""
        return "" if self._server is None else self._server.address

    def _running(self) -> Host:
        if self._host is None:
            raise RuntimeError("use the environment within 'async with'")
        if self._host.failure is not None:
            raise self._host.failure
        return self._host

    async def init(self) -> InitResult:
        """Runs the Init phase; a failure is a result. After one, the next invocation initialises
        anew.
        """
        self.begin_init()
        host = self._running()
        await asyncio.shield(host.settled)
        return host.progress.result(
            host.init_report,
            host.init_error_body,
            host.processes.statuses,
            self.function.environment.get("AWS_LAMBDA_EXEC_WRAPPER", ""),
        )

    def begin_init(self) -> None:
        """Begins the Init phase, unless it has begun; ``init`` waits for its end."""
        host = self._running()
        if not self._init_has_begun:
            self._init_has_begun = True
            host.progress.begin()
            host.receive(Init())

    async def invoke(
        self,
        payload: bytes,
        *,
        request_id: str | None = None,
        trace_header: str | None = None,
        client_context: str | None = None,
        cognito_identity: str | None = None,
        tenant_id: str | None = None,
        content_type: str = "application/json",
    ) -> InvocationResult:
        """Invokes the function, and returns when the invocation is over for the extensions, too.

        Initialises first where ``init`` has not been called. ``trace_header`` as in
        ``X-Amzn-Trace-Id``; ``client_context`` and ``cognito_identity`` are JSON.
        """
        invocation = self.send(
            payload,
            request_id=request_id,
            trace_header=trace_header,
            client_context=client_context,
            cognito_identity=cognito_identity,
            tenant_id=tenant_id,
            content_type=content_type,
        )
        await invocation.ended
        return invocation.result()

    async def wait_for_worker(self, limit_s: float) -> None:
        """On managed instances: waits until the runtime can take an invocation, at most so long."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._running().has_worker.wait(), limit_s)

    def send(
        self,
        payload: bytes,
        *,
        request_id: str | None = None,
        trace_header: str | None = None,
        client_context: str | None = None,
        cognito_identity: str | None = None,
        tenant_id: str | None = None,
        content_type: str = "application/json",
        invoked_function_arn: str | None = None,
        on_piece: Callable[[bytes], None] | None = None,
    ) -> Invocation:
        """Begins an invocation without waiting: the returned one is ``answered``, and ``ended``.

        ``invoked_function_arn`` where the caller named a version or an alias; ``on_piece`` gets
        what the runtime streams.
        """
        host = self._running()
        invocation = Invocation(
            request_id or str(uuid.uuid4()),
            payload,
            trace_header=trace_header,
            client_context=client_context,
            cognito_identity=cognito_identity,
            tenant_id=tenant_id,
            content_type=content_type,
            invoked_function_arn=invoked_function_arn or self.function.arn,
            on_piece=on_piece,
            sent_ms=self._clock.now_ms(),
        )
        host.invoke(invocation)
        return invocation

    def usage(self) -> Mapping[str, ProcessUsage]:
        """What each running process (``runtime`` and the extensions' names) has used so far."""
        return self._running().processes.usage()

    async def shutdown(self, reason: str = "spindown") -> ShutdownResult:
        """Runs the Shutdown phase: SIGTERM, the SHUTDOWN event, the deadlines, SIGKILL."""
        host = self._running()
        begun_ms = self._clock.now_ms()
        self.begin_shutdown(reason)
        await asyncio.shield(host.ended)
        return ShutdownResult(
            reason=reason,
            duration_ms=round(self._clock.now_ms() - begun_ms, 3),
            statuses=dict(host.processes.statuses),
            killed=tuple(host.processes.killed),
            exited_ms={
                name: round(at_ms - begun_ms, 3)
                for name, at_ms in host.exited_ms.items()
                if at_ms >= begun_ms
            },
        )

    def begin_shutdown(self, reason: str = "spindown") -> None:
        """Begins the Shutdown phase without waiting; ``shutdown`` waits for its end."""
        host = self._running()
        if not self._shutdown_has_begun:
            self._shutdown_has_begun = True
            if host.ended.done():
                return  # on managed instances, by a failure
            host.processes.killed.clear()
            host.receive(Shutdown(reason=reason))

    def exit(self, name: str, status: str = "exit status 0") -> None:
        """An extension that the caller plays, or the ``runtime``, ends with this status."""
        processes = self._running().processes
        if not isinstance(processes, PlayedProcesses):
            raise TypeError("only an environment with played=[...] has its parties' ends told")
        processes.exit(name, status)


def _make_control_group(memory_mb: int) -> ControlGroup | None:
    try:
        return ControlGroup(memory_mb)
    except OSError as error:
        logger.warning(
            "no control group for the CPU: %s; the function has more of it than on Lambda, where %d"
            " MB are %.2f of a core",
            error,
            memory_mb,
            memory_mb / MB_PER_CORE,
        )
        return None


def _log_stream(version: str) -> str:
    """``YYYY/MM/DD[version]GUID``."""
    return f"{time.strftime('%Y/%m/%d', time.gmtime())}[{version}]{uuid.uuid4().hex}"
