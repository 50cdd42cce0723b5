"""Makes the cold starts of a benchmark, in the emulator, one after the other."""

from __future__ import annotations

import datetime
import platform
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .._errors import DiagnosticError
from ..emulator import ExecutionEnvironment
from ..sink import OtlpSink
from ..wrapping import generate_layer
from ._machine import machine_document
from ._metrics import BARE
from ._plan import interleaved
from ._record import BenchRecord
from ._start import ColdStart

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..emulator import Function, InitResult, InvocationResult
    from ._plan import PlannedStart


@dataclass(frozen=True)
class BenchRequest:
    """What to measure: a function without layers, and how often."""

    function: Function
    event: bytes
    modes: Sequence[str]
    cold: int
    warm: int
    isolation: Literal["auto", "namespace", "none"]


async def measure(request: BenchRequest, on_start: Callable[[PlannedStart], None]) -> BenchRecord:
    """The record of the whole benchmark; raises `DiagnosticError` when a start or invocation fails.

    `on_start` is called before each cold start. The layers are generated into a temporary folder.
    """
    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    machine = machine_document()
    starts = []
    with tempfile.TemporaryDirectory(prefix="wrapkit-bench-") as folder:
        functions = {
            mode: _function(request.function, mode, Path(folder)) for mode in request.modes
        }
        # What "auto" comes to is found once, and holds for all starts.
        request = replace(request, isolation=await _isolation(request))
        for planned in interleaved(request.modes, request.cold):
            on_start(planned)
            starts.append(await _cold_start(request, planned, functions[planned.mode]))
    return BenchRecord(started, _scenario_document(request), machine, starts)


async def _isolation(request: BenchRequest) -> Literal["auto", "namespace", "none"]:
    async with ExecutionEnvironment(request.function, isolation=request.isolation) as environment:
        return "namespace" if environment.isolation == "namespace" else "none"


def _function(bare: Function, mode: str, folder: Path) -> Function:
    """The same function with the layer of the mode."""
    if mode == BARE:
        return bare
    layer = folder / mode
    generate_layer("python", layer, mode=mode, versions=(python_version(),))
    variables = dict(bare.environment)
    if (layer / "otel-handler").exists():
        variables.setdefault("AWS_LAMBDA_EXEC_WRAPPER", "/opt/otel-handler")
    return replace(bare, layers=(*bare.layers, layer), environment=variables)


async def _cold_start(
    request: BenchRequest, planned: PlannedStart, function: Function
) -> ColdStart:
    async with OtlpSink(decode_on_arrival=False) as sink:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, **function.environment}
        function = replace(function, environment=variables)
        async with ExecutionEnvironment(function, isolation=request.isolation) as environment:
            init = await environment.init()
            _check_init(init, planned)
            results = []
            for _ in range(1 + request.warm):
                results.append(await environment.invoke(request.event))
                _check_invocation(results[-1], planned)
            await environment.shutdown("spindown")
        sink.store.decode_pending()
        return ColdStart.of(
            round_number=planned.round,
            position=planned.position,
            mode=planned.mode,
            init=init,
            results=results,
            span_count=len(sink.store.spans),
        )


def _check_init(init: InitResult, planned: PlannedStart) -> None:
    if init.status != "success":
        raise DiagnosticError(
            "bench-init-failed",
            f"Init ended with {init.status} in mode {planned.mode}: "
            f"{init.error_message or init.error_type}",
            init.hint or "`wrapkit run` shows the function's log",
        )


def _check_invocation(result: InvocationResult, planned: PlannedStart) -> None:
    # A failing invocation costs something else than a working one; its figures would mislead.
    if result.function_error is not None:
        raise DiagnosticError(
            "bench-invocation-failed",
            f"an invocation failed in mode {planned.mode}: "
            f"{result.payload.decode(errors='replace')[:200]}",
            "give an event that the function can answer with --event",
        )


def python_version() -> str:
    """The Python that runs the function, as in `3.12`; byte code for it belongs in the layer."""
    return "{}.{}".format(*sys.version_info)


def _scenario_document(request: BenchRequest) -> Mapping[str, object]:
    function = request.function
    return {
        "task": function.name,
        "handler": function.handler,
        "memory_mb": function.memory_mb,
        "timeout_ms": function.timeout_ms,
        "event_bytes": len(request.event),
        "modes": list(request.modes),
        "cold": request.cold,
        "warm": request.warm,
        "isolation": request.isolation,
        "python": platform.python_version(),
    }
