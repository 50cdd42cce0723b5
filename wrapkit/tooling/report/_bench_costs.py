"""Money: what a million invocations of each variant cost, at several shares of cold starts."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from ..bench import BARE
from ._wording import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bench import BenchRecord

COLD, WARM = "first_billed_ms", "warm_billed_ms"
RATES = (0.001, 0.01, 0.1, 1.0)
MILLION = 1_000_000
MB_PER_GB = 1024


@dataclass(frozen=True)
class CostRow:
    """A variant's billed durations, and at each of the shares its cost and what it adds to bare."""

    variant: str
    cold_billed: str
    warm_billed: str
    costs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class CostTable:
    memory_mb: int
    rates: Sequence[str]
    rows: Sequence[CostRow]


def cost_tables(record: BenchRecord) -> list[CostTable]:
    """One table a memory size; none where no warm invocation or no price is known."""
    is_known = all({COLD, WARM} <= start.measures.keys() for start in record.starts)
    if "usd_per_gb_second" not in record.scenario or not is_known:
        return []
    rates = sorted({*RATES, record.scenario["cold_start_rate"]})
    return [_table(record, memory_mb, rates) for memory_mb in record.memory_mb]


def _table(record: BenchRecord, memory_mb: int, rates: Sequence[float]) -> CostTable:
    billed = {
        variant: (
            _median(record, variant, memory_mb, COLD),
            _median(record, variant, memory_mb, WARM),
        )
        for variant in record.variants
    }
    rows = []
    for variant, (cold_ms, warm_ms) in billed.items():
        costs = [_cost(record, memory_mb, rate, cold_ms, warm_ms) for rate in rates]
        bare = [_cost(record, memory_mb, rate, *billed[BARE]) for rate in rates]
        rows.append(
            CostRow(
                variant,
                f"{cold_ms:.0f} ms",
                f"{warm_ms:.1f} ms",
                [
                    (f"${cost:.4f}", "" if variant == BARE else f"{_signed(cost - base)}")
                    for cost, base in zip(costs, bare, strict=True)
                ],
            )
        )
    return CostTable(memory_mb, [percent(rate) for rate in rates], rows)


def _signed(usd: float) -> str:
    return f"{'-' if usd < 0 else '+'}${abs(usd):.4f}"


def _median(record: BenchRecord, variant: str, memory_mb: int, key: str) -> float:
    return median(
        start.measures[key]
        for start in record.starts
        if start.variant == variant and start.memory_mb == memory_mb
    )


def _cost(
    record: BenchRecord, memory_mb: int, rate: float, cold_ms: float, warm_ms: float
) -> float:
    """In US dollars, by the price that the record was made with."""
    billed_s = (rate * cold_ms + (1 - rate) * warm_ms) / 1000
    gb_seconds = MILLION * billed_s * memory_mb / MB_PER_GB
    per_gb_second: float = record.scenario["usd_per_gb_second"]
    requests: float = record.scenario["usd_per_million_requests"]
    return requests + gb_seconds * per_gb_second
