"""The measured quantities by name, and what each adds to the bare function."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from ._statistics import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._start import ColdStart, Quantiles

BARE = "bare"
MODES = (BARE, "internal", "external", "both")
BYTES_PER_MB = 1024 * 1024


@dataclass(frozen=True)
class Metric:
    """One quantity: its names in records and in tables, its unit, its value for one start."""

    name: str
    title: str
    unit: str
    value: Callable[[ColdStart], float | None]


def _p50(quantiles: Quantiles | None) -> float | None:
    return quantiles.p50 if quantiles else None


def _p99(quantiles: Quantiles | None) -> float | None:
    return quantiles.p99 if quantiles else None


def _rss_mb(start: ColdStart) -> float | None:
    return None if start.runner_rss_bytes is None else start.runner_rss_bytes / BYTES_PER_MB


METRICS = (
    Metric("init_duration", "Init Duration", "ms", lambda s: s.init_duration_ms),
    Metric("runtime_init_cpu", "Init CPU, runtime", "ms", lambda s: s.runtime_init_cpu_ms),
    Metric("runner_init_cpu", "Init CPU, runner", "ms", lambda s: s.runner_init_cpu_ms),
    Metric("runner_exec_to_next", "Runner, exec to next", "ms", lambda s: s.runner_exec_to_next_ms),
    Metric("runner_rss", "Runner, resident", "MB", _rss_mb),
    Metric("first_response", "First, response", "ms", lambda s: s.first.response_latency_ms),
    Metric("first_duration", "First, Duration", "ms", lambda s: s.first.duration_ms),
    Metric("first_runtime_cpu", "First, CPU runtime", "ms", lambda s: s.first.runtime_cpu_ms),
    Metric("warm_response", "Warm, response", "ms", lambda s: _p50(s.warm.response_latency_ms)),
    Metric(
        "warm_response_p99", "Warm, response p99", "ms", lambda s: _p99(s.warm.response_latency_ms)
    ),
    Metric("warm_duration", "Warm, Duration", "ms", lambda s: _p50(s.warm.duration_ms)),
    Metric("warm_runtime_cpu", "Warm, CPU runtime", "ms", lambda s: _p50(s.warm.runtime_cpu_ms)),
    Metric("warm_runner_cpu", "Warm, CPU runner", "ms", lambda s: _p50(s.warm.runner_cpu_ms)),
    Metric(
        "warm_post_runtime_extensions",
        "Warm, PostRuntimeExt.",
        "ms",
        lambda s: _p50(s.warm.post_runtime_extensions_duration_ms),
    ),
    Metric("max_memory_used", "Max Memory Used", "MB", lambda s: s.max_memory_used_mb),
    Metric("spans", "Spans received", "", lambda s: s.span_count),
)


@dataclass(frozen=True)
class Finding:
    """One metric of one mode: its median, and the paired difference to bare in the same rounds."""

    metric: str
    unit: str
    mode: str
    median: float
    added: Estimate | None

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


def findings(starts: Sequence[ColdStart]) -> list[Finding]:
    """Every metric of every mode that has it, metric by metric."""
    modes = list(dict.fromkeys(start.mode for start in starts))
    found = (_finding(metric, mode, starts) for metric in METRICS for mode in modes)
    return [finding for finding in found if finding is not None]


def _finding(metric: Metric, mode: str, starts: Sequence[ColdStart]) -> Finding | None:
    values = _by_round(metric, mode, starts)
    if not values:
        return None
    bare = _by_round(metric, BARE, starts)
    # Pairs within a round share the machine's mood: what else it did in that second is in both.
    differences = [value - bare[number] for number, value in values.items() if number in bare]
    added = estimate(differences) if differences and mode != BARE else None
    return Finding(metric.name, metric.unit, mode, median(values.values()), added)


def _by_round(metric: Metric, mode: str, starts: Sequence[ColdStart]) -> dict[int, float]:
    return {
        start.round: value
        for start in starts
        if start.mode == mode and (value := metric.value(start)) is not None
    }
