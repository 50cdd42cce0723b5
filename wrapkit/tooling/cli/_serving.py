"""What `wrapkit serve` does: the service, its sink, and what is shown of both until it is ended."""

from __future__ import annotations

import asyncio
import math
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..invoke_api import EnvironmentSettings, InvokeService, ServedFunction
from ..report import BackgroundStream, JsonServeReport, ServeReport
from ..sink import OtlpSink
from ._function_settings import with_own_variables

if TYPE_CHECKING:
    from ..sink import TelemetryStore

# Spans of one trace come in several requests: the runner's, and those of the SDKs. Not a bound on
# anything but how long a reader waits for a whole picture.
_SETTLING_S = 0.3


@dataclass(frozen=True)
class ServeRequest:
    """What to serve, as the user said it."""

    functions: tuple[ServedFunction, ...]
    environments: EnvironmentSettings
    port: int
    as_json: bool
    has_sink: bool


async def perform(request: ServeRequest) -> None:
    """Serves until it is cancelled; then shuts down in order."""
    async with AsyncExitStack() as stack:
        stream = await stack.enter_async_context(BackgroundStream(sys.stdout))
        report = JsonServeReport(stream) if request.as_json else ServeReport(stream)
        sink = await stack.enter_async_context(OtlpSink()) if request.has_sink else None
        functions = tuple(
            with_own_variables(served, sink.endpoint if sink else None)
            for served in request.functions
        )
        if sink is not None:
            stack.push_async_callback(_show_rest, report, sink.store)
        service = await stack.enter_async_context(
            InvokeService(
                functions, port=request.port, environments=request.environments, observer=report
            )
        )
        report.listening(service.endpoint, functions)
        if sink is None:
            await asyncio.Event().wait()
        else:
            await _show_telemetry(report, sink.store)


async def _show_telemetry(report: ServeReport | JsonServeReport, store: TelemetryStore) -> None:
    while True:
        await store.wait_for_spans(1, timeout_s=math.inf)
        await asyncio.sleep(_SETTLING_S)
        report.traces(store.take_spans())


async def _show_rest(report: ServeReport | JsonServeReport, store: TelemetryStore) -> None:
    """What came with the Shutdown phases, once these are over."""
    spans = store.take_spans()
    if spans:
        report.traces(spans)
