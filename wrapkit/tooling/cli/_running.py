"""What `wrapkit run` does: one environment, its invocations, its sink and its report."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .._errors import DiagnosticError
from ..emulator import ExecutionEnvironment, Function
from ..report import BackgroundStream, InvocationRecord, RunRecord, RunReport, bytes_as_hex
from ..sink import OtlpSink
from ._arguments import function_name
from ._own_variables import ENDPOINT_VARIABLE, own_ports, own_variables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..emulator import InitResult
    from ._events import Event

# What the runtime client says of a handler that it cannot load (awslambdaric, bootstrap.py).
INIT_HINTS = {
    "Runtime.HandlerNotFound": "--handler is FILE.FUNCTION, and the file has no such function",
    "Runtime.ImportModuleError": "--handler is FILE.FUNCTION; the file is looked for in --task, "
    "what it imports in the interpreter given by --python, too",
    "Runtime.MalformedHandlerName": "--handler is FILE.FUNCTION, as in app.handler",
    "Extension.Crash": "an extension's process has to wait for SHUTDOWN; its end is a failure, "
    "also with exit code 0",
    "Extension.TooManyExtensions": "Lambda starts 10 files of /opt/extensions at most, those of "
    "all layers together",
}
LOG_HINT = "the log and the outcome are above"
TIMEOUT_HINT = "--timeout sets the function's timeout in seconds"
MAX_NAMED_EVENTS = 3


@dataclass(frozen=True)
class RunRequest:
    """What to run, as the user said it."""

    task_root: Path
    handler: str
    layers: tuple[Path, ...]
    events: Sequence[Event]
    environment: Mapping[str, str]
    memory_mb: int
    ephemeral_storage_mb: int
    limits_cpu: bool
    timeout_ms: int
    python: Path | None
    command: tuple[str, ...] | None
    isolation: Literal["auto", "namespace", "none"]
    runtime_api_port: int
    initialization_type: str
    max_concurrency: int
    profile: Literal["aws", "rie"]
    freezes: bool | None
    log_format: str
    application_log_level: str
    system_log_level: str
    has_sink: bool

    def function(self, endpoint: str | None) -> Function:
        """The function to emulate; the user's own variables win over those of the run."""
        return Function(
            task_root=self.task_root,
            handler=self.handler,
            layers=self.layers,
            name=function_name(self.task_root),
            memory_mb=self.memory_mb,
            ephemeral_storage_mb=self.ephemeral_storage_mb,
            timeout_ms=self.timeout_ms,
            environment={**own_variables(self.layers, endpoint), **self.environment},
            command=self.command or None,
            python=self.python or Path(sys.executable),
            initialization_type=self.initialization_type,
            max_concurrency=self.max_concurrency,
            log_format=self.log_format,
            application_log_level=self.application_log_level,
            system_log_level=self.system_log_level,
            loopback_ports=own_ports(self.layers),
        )


async def perform(request: RunRequest, *, err: bool) -> RunRecord:
    """Run all of it, telling it on stdout (or with `err` on stderr) as it happens."""
    async with BackgroundStream(sys.stderr if err else sys.stdout) as stream:
        return await _perform(request, RunReport(stream))


async def _perform(request: RunRequest, report: RunReport) -> RunRecord:
    async with AsyncExitStack() as stack:
        receives = request.has_sink and ENDPOINT_VARIABLE not in request.environment
        sink = await stack.enter_async_context(OtlpSink()) if receives else None
        function = request.function(sink.endpoint if sink else None)
        record = RunRecord(function, sink.store if sink else None)
        await _perform_phases(request, record, report)
    if record.invocations:
        if record.store:
            report.traces(record, function.environment[ENDPOINT_VARIABLE])
        elif request.has_sink:
            report.traces_go_elsewhere(ENDPOINT_VARIABLE)
        report.end(record)
    return record


async def _perform_phases(request: RunRequest, record: RunRecord, report: RunReport) -> None:
    def on_log_line(line: str) -> None:
        record.log.append(line)
        report.log_line(line)

    async with ExecutionEnvironment(
        record.function,
        on_log_line=on_log_line,
        isolation=request.isolation,
        runtime_api_port=request.runtime_api_port,
        profile=request.profile,
        freezes=request.freezes,
        limits_cpu=request.limits_cpu,
    ) as environment:
        record.isolation = environment.isolation
        report.begin(record.function, record.isolation)
        record.init = await environment.init()
        report.init_done(record.init)
        # An Init that takes too long is not the end: the first invocation repeats it.
        if record.init.status in ("success", "timeout"):
            await _invoke_all(environment, request.events, record, report)
        report.shutdown_begins()
        record.shutdown = await environment.shutdown("spindown")
        report.shutdown_done(record.shutdown)


async def _invoke_all(
    environment: ExecutionEnvironment,
    events: Sequence[Event],
    record: RunRecord,
    report: RunReport,
) -> None:
    for number, event in enumerate(events, 1):
        if environment.function.is_managed:
            await environment.wait_for_worker(environment.function.timeout_ms / 1000)
        if not environment.takes_invocations:
            report.not_sent(len(events) - number + 1)
            return
        report.invocation_begins(number, len(events), event.name)
        result = await environment.invoke(event.payload)
        record.invocations.append(InvocationRecord(event.name, result))
        report.invocation_done(record.invocations[-1])


def write_document(record: RunRecord) -> None:
    """The run as one JSON document on stdout."""
    json.dump(record.as_document(), sys.stdout, indent=2, default=bytes_as_hex)
    sys.stdout.write("\n")


def check_outcome(record: RunRecord, *, fail_on_error: bool) -> None:
    """Raise `DiagnosticError` when the run failed."""
    if record.init is not None and record.init.status == "error":
        raise _init_failed(record.init)
    ended = [item for item in record.invocations if item.ended_by_platform]
    if ended:
        raise _invocations_failed(ended, record, "ended by the platform")
    raised = [item for item in record.invocations if item.failure]
    if raised and fail_on_error:
        raise _invocations_failed(raised, record, "failed")


def _init_failed(init: InitResult) -> DiagnosticError:
    kind = init.error_type or init.status
    message = f"Init failed: {kind}: {init.error_message or 'no reason was given'}"
    return DiagnosticError("init-failed", message, init.hint or INIT_HINTS.get(kind, LOG_HINT))


def _invocations_failed(
    failed: Sequence[InvocationRecord], record: RunRecord, how: str
) -> DiagnosticError:
    places = ", ".join(f"{item.event} ({item.failure})" for item in failed[:MAX_NAMED_EVENTS])
    more = ", ..." if len(failed) > MAX_NAMED_EVENTS else ""
    message = f"{len(failed)} of {len(record.invocations)} invocations {how}: {places}{more}"
    hint = TIMEOUT_HINT if failed[0].result.status == "timeout" else LOG_HINT
    if record.init is not None and record.init.status == "timeout" and record.init.error_message:
        hint = f"Init took too long, too: {record.init.error_message}"
    return DiagnosticError("invocation-failed", message, hint)
