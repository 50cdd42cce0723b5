"""Makes the cold starts of a benchmark, in the emulator, one after the other."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from wrapkit import __version__

from .._errors import DiagnosticError
from ..emulator import ExecutionEnvironment
from ..sink import OtlpSink
from ._deployment import Deployment, deploy
from ._inspection import inspect
from ._machine import CpuClock, machine_document
from ._noise import check_noise
from ._plan import cells, round_of
from ._record import BenchRecord
from ._start import Observation, Start, start_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..emulator import Function, InitResult, InvocationResult
    from ._plan import PlannedStart
    from ._price import Traffic
    from ._stopping import Progress, StopRule
    from ._unfinished import UnfinishedRun
    from ._variant import Variant


@dataclass(frozen=True)
class BenchRequest:
    """What to measure: a function without layers, in which variants, and how often."""

    function: Function
    event: bytes
    variants: Sequence[Variant]
    memory_mb: Sequence[int]
    warm: int
    isolation: Literal["auto", "namespace", "none"]
    limits_cpu: bool
    stop: StopRule
    traffic: Traffic
    unfinished: UnfinishedRun | None = None
    is_resumed: bool = False


class Observer(Protocol):
    """Who wants to know how far the benchmark is."""

    def prepare(self, variant: str) -> None:
        """A variant is made ready and inspected."""

    def begin(self, starts: int, done: int) -> None:
        """The rounds begin: at most `starts` cold starts, of which some are done already."""

    def expect(self, rounds: int) -> None:
        """So many rounds there will be, as far as can be foreseen by now."""

    def tell(self, planned: PlannedStart) -> None:
        """A cold start begins."""


async def measure(request: BenchRequest, observer: Observer) -> BenchRecord:
    """The record of the whole benchmark; raises `DiagnosticError` when a start or invocation fails.

    Layers are generated and extracted into a temporary folder.
    """
    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    machine = machine_document()
    version = python_version(request.function.python)
    with tempfile.TemporaryDirectory(prefix="wrapkit-bench-") as folder:
        # What "auto" comes to is found once, and holds for all starts.
        request = await _as_possible(request)
        deployments, inspections = {}, {}
        for variant in request.variants:
            observer.prepare(variant.name)
            deployment = deploy(variant, request.function, Path(folder), version)
            deployments[variant.name] = deployment
            inspections[variant.name] = await inspect(request, deployment)
        scenario = _scenario(request, list(deployments.values()), version)
        rounds = _Rounds(request, deployments, _resumed(request, scenario, machine))
        clock = CpuClock.read()
        stopped = await rounds.run(observer)
        shares = CpuClock.read().shares_since(clock)
    return BenchRecord(
        started=started,
        stopped=stopped,
        versions=_versions(version),
        scenario=scenario,
        machine=machine,
        noise=check_noise(rounds.starts, shares).as_document(),
        inspections={name: one.as_document() for name, one in inspections.items()},
        starts=rounds.starts,
    )


def _resumed(
    request: BenchRequest, scenario: Mapping[str, Any], machine: Mapping[str, Any]
) -> list[Start]:
    """What an interrupted run has left, if it is to be gone on with."""
    if request.unfinished is None:
        return []
    starts = request.unfinished.resume(scenario, machine) if request.is_resumed else []
    request.unfinished.begin(scenario, machine)
    for start in starts:
        request.unfinished.add(start)
    return starts


class _Rounds:
    """The rounds, and the starts made so far."""

    def __init__(
        self, request: BenchRequest, deployments: Mapping[str, Deployment], done: Sequence[Start]
    ) -> None:
        self.starts = list(done)
        self._request, self._deployments = request, deployments
        self._cells = cells([one.name for one in request.variants], request.memory_mb)
        self._rounds_before = len({start.round for start in done})
        self._begun_s = time.monotonic()

    async def run(self, observer: Observer) -> str:
        """Makes rounds until the stop rule says why not; returns that."""
        stop = self._request.stop
        observer.begin(stop.rounds * len(self._cells), len(self.starts))
        done = {(start.round, start.cell) for start in self.starts}
        number = 0
        while not (reason := self._reason(number)):
            observer.expect(stop.expected_rounds(**self._progress(number)))
            for planned in round_of(self._cells, number):
                if (planned.round, planned.cell) not in done:
                    observer.tell(planned)
                    await self._make(planned)
            number += 1
        return reason

    def _reason(self, number: int) -> str:
        return self._request.stop.reason(self.starts, **self._progress(number))

    def _progress(self, number: int) -> Progress:
        return {
            "rounds_done": number,
            "rounds_timed": number - self._rounds_before,
            "elapsed_s": time.monotonic() - self._begun_s,
        }

    async def _make(self, planned: PlannedStart) -> None:
        start = await _cold_start(
            self._request, planned, self._deployments[planned.cell.variant].function
        )
        self.starts.append(start)
        if self._request.unfinished is not None:
            self._request.unfinished.add(start)


async def _as_possible(request: BenchRequest) -> BenchRequest:
    """The isolation and the limit of the CPU that this machine has."""
    async with ExecutionEnvironment(
        request.function, isolation=request.isolation, limits_cpu=request.limits_cpu
    ) as environment:
        isolation: Literal["namespace", "none"] = (
            "namespace" if environment.isolation == "namespace" else "none"
        )
        return replace(request, isolation=isolation, limits_cpu=environment.has_cpu_limit)


async def _cold_start(request: BenchRequest, planned: PlannedStart, function: Function) -> Start:
    async with OtlpSink(decode_on_arrival=False) as sink:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint, **function.environment}
        function = replace(function, environment=variables, memory_mb=planned.cell.memory_mb)
        async with ExecutionEnvironment(
            function, isolation=request.isolation, limits_cpu=request.limits_cpu
        ) as environment:
            init = await environment.init()
            _check_init(init, planned)
            usages = [environment.usage()]
            results = []
            for number in range(1 + request.warm):
                results.append(await environment.invoke(request.event))
                _check_invocation(results[-1], planned)
                if number == 0:
                    usages.append(environment.usage())
            usages.append(environment.usage())
            shutdown = await environment.shutdown("spindown")
        sink.store.decode_pending()
        ready, first, last = usages
        seen = Observation(init, results, shutdown, ready, first, last, sink.store)
        return start_of(planned, seen, request.traffic)


def _check_init(init: InitResult, planned: PlannedStart) -> None:
    if init.status != "success":
        raise DiagnosticError(
            "bench-init-failed",
            f"Init ended with {init.status} in variant {planned.cell.variant}: "
            f"{init.error_message or init.error_type}",
            init.hint or "`wrapkit run` shows the function's log",
        )


def _check_invocation(result: InvocationResult, planned: PlannedStart) -> None:
    # A failing invocation costs something else than a working one; its figures would mislead.
    if result.function_error is not None:
        raise DiagnosticError(
            "bench-invocation-failed",
            f"an invocation failed in variant {planned.cell.variant}: "
            f"{result.payload.decode(errors='replace')[:200]}",
            "give an event that the function can answer with --event",
        )


def python_version(python: Path) -> str:
    """The version of the Python that runs the function, as in `3.12`."""
    code = "import json, sys; print(json.dumps(sys.version_info[:2]))"
    answer = subprocess.run(
        [python, "-I", "-S", "-c", code], capture_output=True, check=True, timeout=30
    )
    return "{}.{}".format(*json.loads(answer.stdout))


def _versions(version: str) -> dict[str, str]:
    return {
        "wrapkit": __version__,
        "python": version,
        "awslambdaric": importlib.metadata.version("awslambdaric"),
    }


def _scenario(
    request: BenchRequest, deployments: Sequence[Deployment], version: str
) -> dict[str, Any]:
    function, price = request.function, request.traffic.price
    return {
        "task": function.name,
        "handler": function.handler,
        "variants": [deployment.as_document() for deployment in deployments],
        "memory_mb": list(request.memory_mb),
        "timeout_ms": function.timeout_ms,
        "event_bytes": len(request.event),
        "cold": request.stop.rounds,
        "warm": request.warm,
        "precision": request.stop.precision,
        "budget_s": request.stop.budget_s,
        "isolation": request.isolation,
        "limits_cpu": request.limits_cpu,
        "python": version,
        "region": price.region,
        "architecture": price.architecture,
        "cold_start_rate": request.traffic.cold_start_rate,
        "prices_as_of": price.as_of,
        "usd_per_gb_second": price.gb_second,
        "usd_per_million_requests": price.million_requests,
    }
