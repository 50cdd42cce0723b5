"""A benchmark as a Markdown table, for a README or a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bench import BARE, findings, measure_of
from ._bench_table import row_title

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..bench import BenchRecord, Finding

ROWS = (
    "init_ms",
    "init_cpu_ms",
    "first_duration_ms",
    "warm_response_ms",
    "warm_duration_ms",
    "warm_cpu_ms",
    "max_memory_used_mb",
    "spans",
    "modules_imported",
    "usd_per_million",
)


def bench_markdown(record: BenchRecord, rows: Sequence[str] = ROWS) -> str:
    """A paragraph of conditions, and a table for each memory size: rows are measures."""
    tables = ["\n".join(_table(record, memory_mb, rows)) for memory_mb in record.memory_mb]
    return "\n\n".join([_conditions(record), *tables]) + "\n"


def _conditions(record: BenchRecord) -> str:
    scenario, machine = record.scenario, record.machine
    noise = record.noise["level"]
    return (
        f"Medians of {record.rounds()} cold starts, each with {scenario['warm']} warm invocations; "
        "beside bare what\na variant adds to it in the same round, with 95% confidence intervals. "
        f"Python {scenario['python']}, {machine['cpu_count']} processors\n"
        f"({machine['cpu_model']}), {record.started[:10]}; the machine was {noise}."
    )


def _table(record: BenchRecord, memory_mb: int, rows: Sequence[str]) -> Iterator[str]:
    found = {
        (one.measure, one.variant): one
        for one in findings(record.starts)
        if one.memory_mb == memory_mb
    }
    yield f"| {memory_mb} MB | {' | '.join(record.variants)} |"
    yield f"|---|{'--:|' * len(record.variants)}"
    for key in rows:
        cells = [_cell(key, variant, found, record) for variant in record.variants]
        if any(cells):
            yield f"| {row_title(key)} | {' | '.join(cells)} |"


def _cell(
    key: str, variant: str, found: Mapping[tuple[str, str], Finding], record: BenchRecord
) -> str:
    finding = found.get((key, variant))
    if finding is not None:
        return _measured(finding)
    values = {name: record.inspections[name]["measures"].get(key) for name in (BARE, variant)}
    if values[variant] is None:
        return ""
    measure = measure_of(key)
    unit = measure.unit if measure else ""
    if variant == BARE or values[BARE] is None:
        return _quantity(values[variant], unit)
    return f"{_signed(values[variant] - values[BARE])} {unit}".rstrip()


def _measured(finding: Finding) -> str:
    if finding.added is None:
        return _quantity(finding.value.median, finding.unit)
    added = finding.added
    is_exact = added.low == added.high
    interval = "" if is_exact else f" ({_digits(added.low)} to {_digits(added.high)})"
    if finding.verdict in ("same", "undecided"):
        return f"nothing found{interval}"
    if finding.unit == "USD":
        return f"{'-' if added.median < 0 else '+'}${abs(added.median):.4f}"
    return f"{_signed(added.median)} {finding.unit}".rstrip() + interval


def _quantity(value: float, unit: str) -> str:
    return f"${value:.4f}" if unit == "USD" else f"{_digits(value)} {unit}".rstrip()


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{_digits(value)}"


def _digits(value: float) -> str:
    """Three digits, and all of a whole number: `0.355`, `29.1`, `1706`."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
