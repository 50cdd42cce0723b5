"""One cold start as measured: Init, the first invocation, the warm ones after it, Shutdown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from ._plan import Cell
from ._statistics import quantile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..emulator import (
        ExtensionInit,
        InitResult,
        InvocationResult,
        ProcessUsage,
        ShutdownResult,
    )
    from ..sink import TelemetryStore
    from ._plan import PlannedStart
    from ._price import Traffic

BYTES_PER_MB = 1024 * 1024
RUNTIME = "runtime"


@dataclass(frozen=True)
class Start:
    """What was measured of one environment.

    ``measures`` maps the names in `_measures.py` to values, those of one process as
    ``PROCESS.NAME``. ``warm_response_ms`` and ``warm_duration_ms`` hold every warm invocation,
    ``timeline`` when each process did what, for drawing.
    """

    round: int
    position: int
    variant: str
    memory_mb: int
    measures: Mapping[str, float]
    warm_response_ms: Sequence[float]
    warm_duration_ms: Sequence[float]
    timeline: Mapping[str, Any]

    @property
    def cell(self) -> Cell:
        return Cell(self.variant, self.memory_mb)

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Observation:
    """What the emulator told of one environment, from which a `Start` is made."""

    init: InitResult
    results: Sequence[InvocationResult]
    shutdown: ShutdownResult
    usage_ready: Mapping[str, ProcessUsage]
    usage_first: Mapping[str, ProcessUsage]
    usage_last: Mapping[str, ProcessUsage]
    store: TelemetryStore


def start_of(planned: PlannedStart, seen: Observation, traffic: Traffic) -> Start:
    """The start with all its measures; the first invocation is not among the warm ones."""
    warm = seen.results[1:]
    memory_mb = planned.cell.memory_mb
    measures = {
        **dict(_init_measures(seen)),
        **dict(_first_measures(seen.results[0], seen)),
        **dict(_warm_measures(warm, seen)),
        **dict(_memory_measures(seen)),
        **dict(_telemetry_measures(seen.store)),
        "shutdown_ms": seen.shutdown.duration_ms,
    }
    if warm:
        measures["usd_per_million"] = traffic.million_usd(
            memory_mb, measures["first_billed_ms"], measures["warm_billed_ms"]
        )
    return Start(
        planned.round,
        planned.position,
        planned.cell.variant,
        memory_mb,
        {name: round(value, 6) for name, value in measures.items()},
        [result.response_latency_ms for result in warm],
        [result.duration_ms for result in warm],
        _timeline(seen),
    )


def _init_measures(seen: Observation) -> Iterator[tuple[str, float]]:
    init = seen.init
    yield "init_ms", init.duration_ms
    begun = [init.runtime.exec_ms, *(one.exec_ms for one in init.extensions.values())]
    if any(begun):
        yield "init_environment_ms", min(filter(None, begun))
    if init.runtime.exec_ms is not None and init.runtime.next_ms is not None:
        yield "init_runtime_ms", init.runtime.next_ms - init.runtime.exec_ms
    for name, extension in init.extensions.items():
        yield from _extension_measures(name, extension)
    yield from _work("init", seen.usage_ready, {}, 1)


def _extension_measures(name: str, extension: ExtensionInit) -> Iterator[tuple[str, float]]:
    if extension.exec_ms is None:
        return  # an internal extension, which is part of the runtime's process
    if extension.registered_ms is not None:
        yield f"{name}.register_ms", extension.registered_ms - extension.exec_ms
    if extension.next_ms is not None:
        yield f"{name}.ready_ms", extension.next_ms - extension.exec_ms


def _first_measures(first: InvocationResult, seen: Observation) -> Iterator[tuple[str, float]]:
    yield "first_response_ms", first.response_latency_ms
    yield "first_duration_ms", first.duration_ms
    yield "first_billed_ms", first.billed_duration_ms
    if first.post_runtime_extensions_duration_ms is not None:
        yield "first_post_runtime_extensions_ms", first.post_runtime_extensions_duration_ms
    yield from _work("first", seen.usage_first, seen.usage_ready, 1)


def _warm_measures(
    warm: Sequence[InvocationResult], seen: Observation
) -> Iterator[tuple[str, float]]:
    if not warm:
        return
    yield from _quantiles("warm_response", [result.response_latency_ms for result in warm])
    yield from _quantiles("warm_duration", [result.duration_ms for result in warm])
    yield "warm_billed_ms", mean(result.billed_duration_ms for result in warm)
    overheads = [
        result.post_runtime_extensions_duration_ms
        for result in warm
        if result.post_runtime_extensions_duration_ms is not None
    ]
    if overheads:
        yield "warm_post_runtime_extensions_ms", median(overheads)
    yield from _work("warm", seen.usage_last, seen.usage_first, len(warm))


def _quantiles(name: str, values: Sequence[float]) -> Iterator[tuple[str, float]]:
    ordered = sorted(values)
    for suffix, share in (("", 0.5), ("_p90", 0.9), ("_p99", 0.99)):
        yield f"{name}{suffix}_ms", quantile(ordered, share)


def _work(
    phase: str,
    usage: Mapping[str, ProcessUsage],
    before: Mapping[str, ProcessUsage],
    invocations: int,
) -> Iterator[tuple[str, float]]:
    """CPU time and instructions of a phase, of each process and of all of them."""
    totals: dict[str, float] = {}
    for name, used in usage.items():
        for measure, value in _counts(used).items():
            earlier = _counts(before[name]).get(measure, 0) if name in before else 0
            spent = (value - earlier) / invocations
            yield f"{name}.{phase}_{measure}", spent
            totals[measure] = totals.get(measure, 0) + spent
    for measure, value in totals.items():
        yield f"{phase}_{measure}", value


def _counts(used: ProcessUsage) -> dict[str, float]:
    counts: dict[str, float] = {"cpu_ms": used.tree_cpu_ms or used.cpu_ms}
    if used.instructions is not None:
        counts["instructions"] = used.instructions
    return counts


def _memory_measures(seen: Observation) -> Iterator[tuple[str, float]]:
    yield "max_memory_used_mb", seen.results[-1].max_memory_used_mb
    for name, used in seen.usage_last.items():
        yield f"{name}.max_resident_mb", used.max_resident_bytes / BYTES_PER_MB
        if used.proportional_bytes is not None:
            yield f"{name}.proportional_mb", used.proportional_bytes / BYTES_PER_MB


def _telemetry_measures(store: TelemetryStore) -> Iterator[tuple[str, float]]:
    yield "spans", len(store.spans)
    yield "duplicate_spans", len(store.duplicate_spans)
    yield "log_records", len(store.log_records)
    yield "metrics", len(store.metrics)
    yield "exports", len(store.requests)
    yield "export_bytes", sum(request.wire_bytes for request in store.requests)


def _timeline(seen: Observation) -> dict[str, Any]:
    """Bars by phase; times in milliseconds since the phase began."""
    return {
        "init": {
            "duration_ms": seen.init.duration_ms,
            "processes": {
                RUNTIME: asdict(seen.init.runtime),
                **{name: asdict(one) for name, one in seen.init.extensions.items()},
            },
        },
        "first": _invocation_timeline(seen.results[0]),
        "warm": _invocation_timeline(_typical(seen.results[1:])) if seen.results[1:] else None,
        "shutdown": {
            "duration_ms": seen.shutdown.duration_ms,
            "exited_ms": dict(seen.shutdown.exited_ms),
        },
    }


def _typical(results: Sequence[InvocationResult]) -> InvocationResult:
    """The invocation of the middle duration."""
    return sorted(results, key=lambda result: result.duration_ms)[len(results) // 2]


def _invocation_timeline(result: InvocationResult) -> dict[str, Any]:
    return {
        "duration_ms": result.duration_ms,
        "response_ms": result.response_latency_ms,
        "next_ms": dict(result.next_ms),
    }
