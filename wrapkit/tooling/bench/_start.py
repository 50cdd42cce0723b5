"""One cold start as measured: Init, the first invocation, and the warm ones after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._statistics import quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..emulator import ExtensionInit, InitResult, InvocationResult

RUNTIME = "runtime"
RUNNER = "wrapkit"


@dataclass(frozen=True)
class Quantiles:
    """The middle and the tail of the warm invocations of one start."""

    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quantiles | None:
        """None when there is nothing to measure."""
        if not values:
            return None
        ordered = sorted(values)
        return cls(*(round(quantile(ordered, share), 4) for share in (0.5, 0.9, 0.99)))


@dataclass(frozen=True)
class InvocationCost:
    """What one invocation took; None where there is no such process or phase."""

    response_latency_ms: float
    duration_ms: float
    runtime_cpu_ms: float | None
    runner_cpu_ms: float | None
    post_runtime_extensions_duration_ms: float | None

    @classmethod
    def of(cls, result: InvocationResult) -> InvocationCost:
        return cls(
            response_latency_ms=result.response_latency_ms,
            duration_ms=result.duration_ms,
            runtime_cpu_ms=result.cpu_ms.get(RUNTIME),
            runner_cpu_ms=result.cpu_ms.get(RUNNER),
            post_runtime_extensions_duration_ms=result.post_runtime_extensions_duration_ms,
        )


@dataclass(frozen=True)
class WarmCosts:
    """The warm invocations of one start, field by field as in `InvocationCost`."""

    response_latency_ms: Quantiles | None
    duration_ms: Quantiles | None
    runtime_cpu_ms: Quantiles | None
    runner_cpu_ms: Quantiles | None
    post_runtime_extensions_duration_ms: Quantiles | None

    @classmethod
    def of(cls, costs: Sequence[InvocationCost]) -> WarmCosts:
        def quantiles(value: Callable[[InvocationCost], float | None]) -> Quantiles | None:
            return Quantiles.of([found for cost in costs if (found := value(cost)) is not None])

        return cls(
            response_latency_ms=quantiles(lambda cost: cost.response_latency_ms),
            duration_ms=quantiles(lambda cost: cost.duration_ms),
            runtime_cpu_ms=quantiles(lambda cost: cost.runtime_cpu_ms),
            runner_cpu_ms=quantiles(lambda cost: cost.runner_cpu_ms),
            post_runtime_extensions_duration_ms=quantiles(
                lambda cost: cost.post_runtime_extensions_duration_ms
            ),
        )


@dataclass(frozen=True)
class ColdStart:
    """All that was measured of one environment, from its Init to its Shutdown."""

    round: int
    position: int
    mode: str
    init_duration_ms: float
    runtime_init_cpu_ms: float | None
    runner_exec_to_next_ms: float | None
    runner_init_cpu_ms: float | None
    runner_rss_bytes: int | None
    first: InvocationCost
    warm: WarmCosts
    warm_count: int
    max_memory_used_mb: int
    span_count: int

    @classmethod
    def of(
        cls,
        *,
        round_number: int,
        position: int,
        mode: str,
        init: InitResult,
        results: Sequence[InvocationResult],
        span_count: int,
    ) -> ColdStart:
        """The costs in the emulator's results; the first invocation is not among the warm ones."""
        runner = init.extensions.get(RUNNER)
        costs = [InvocationCost.of(result) for result in results]
        return cls(
            round=round_number,
            position=position,
            mode=mode,
            init_duration_ms=init.duration_ms,
            runtime_init_cpu_ms=init.runtime.cpu_ms,
            runner_exec_to_next_ms=_exec_to_next_ms(runner),
            runner_init_cpu_ms=runner.cpu_ms if runner else None,
            runner_rss_bytes=runner.rss_bytes if runner else None,
            first=costs[0],
            warm=WarmCosts.of(costs[1:]),
            warm_count=len(costs) - 1,
            max_memory_used_mb=results[-1].max_memory_used_mb,
            span_count=span_count,
        )


def _exec_to_next_ms(extension: ExtensionInit | None) -> float | None:
    if extension is None or extension.exec_ms is None or extension.next_ms is None:
        return None
    return extension.next_ms - extension.exec_ms
