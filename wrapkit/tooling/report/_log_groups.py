"""REPORT lines by version: what each version took, and how two of them differ."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any

from ..bench import Estimate, difference, estimate, quantile
from ._wording import figure, signed_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ..bench import Price, Report


@dataclass(frozen=True)
class LogRow:
    """One measure of the groups.

    ``values`` are medians unless the title says otherwise; ``changed`` is each group's median less
    that of the first, with an interval, where there are values to compare.
    """

    name: str
    title: str
    unit: str
    values: Sequence[float | None]
    changed: Sequence[Estimate | None]

    def as_document(self) -> dict[str, Any]:
        return asdict(self)


def group_reports(reports: Sequence[Report], names: Mapping[str, str]) -> dict[str, list[Report]]:
    """The reports by version, in the order of versions; `names` gives a version another name."""
    groups: dict[str, list[Report]] = {}
    for report in sorted(reports, key=lambda one: _version_order(one.version)):
        name = names.get(report.version, report.version) or "all"
        groups.setdefault(name, []).append(report)
    return groups


def _version_order(version: str) -> tuple[bool, int]:
    return (not version.isdigit(), int(version) if version.isdigit() else 0)


def log_rows(groups: Mapping[str, Sequence[Report]], price: Price | None) -> list[LogRow]:
    """What the groups took, row by row; rows without any value are left out."""
    series = list(groups.values())
    rows = [*_counts(series), *_times(series), *_sums(series, price)]
    return [row for row in rows if any(value is not None for value in row.values)]


def _counts(series: Sequence[Sequence[Report]]) -> Iterator[LogRow]:
    counts: tuple[tuple[str, str, Callable[[Report], bool]], ...] = (
        ("invocations", "Invocations", lambda report: bool(report.request_id)),
        ("cold_starts", "Cold starts", lambda report: report.is_cold),
        ("failures", "Failures", lambda report: bool(report.status or report.error_type)),
    )
    nothing = [None] * len(series)
    for name, title, counted in counts:
        yield LogRow(name, title, "", [sum(map(counted, one)) for one in series], nothing)


def _times(series: Sequence[Sequence[Report]]) -> Iterator[LogRow]:
    """Distributions: their median with what has changed, and their tail."""
    yield from _distribution(
        "init", "Init Duration", [[r.init_ms for r in one if r.init_ms] for one in series]
    )
    restores = [[r.restore_ms for r in one if r.restore_ms] for one in series]
    yield from _distribution("restore", "Restore Duration", restores)
    cold = [[r.duration_ms for r in one if r.is_cold] for one in series]
    yield from _distribution("first_duration", "Cold, Duration", cold)
    yield from _distribution(
        "warm_duration",
        "Warm, Duration",
        [[r.duration_ms for r in one if not r.is_cold] for one in series],
    )
    yield _row(
        "max_memory_used_mb",
        "Max Memory Used",
        "MB",
        [[float(r.max_memory_used_mb) for r in one] for one in series],
    )


def _distribution(name: str, title: str, values: Sequence[Sequence[float]]) -> Iterator[LogRow]:
    yield _row(f"{name}_ms", f"{title} p50", "ms", values)
    nothing = [None] * len(values)
    for suffix, share in (("p90", 0.9), ("p99", 0.99)):
        tail = [quantile(sorted(one), share) if one else None for one in values]
        yield LogRow(f"{name}_{suffix}_ms", f"{title} {suffix}", "ms", tail, nothing)


def _row(name: str, title: str, unit: str, values: Sequence[Sequence[float]]) -> LogRow:
    medians = [estimate(one).median if one else None for one in values]
    first, *others = values
    changed = [difference(one, first) if one and first else None for one in others]
    return LogRow(name, title, unit, medians, [None, *changed])


def _sums(series: Sequence[Sequence[Report]], price: Price | None) -> Iterator[LogRow]:
    """What is billed: a bill is a sum, so these are means."""
    nothing = [None] * len(series)
    billed = [mean(report.billed_ms for report in one) for one in series]
    yield LogRow("billed_ms", "Billed Duration, mean", "ms", billed, nothing)
    if price is not None:
        costs = [
            mean(price.million_usd(report.memory_mb, report.billed_ms) for report in one)
            for one in series
        ]
        yield LogRow("usd_per_million", "Cost of a million", "USD", costs, nothing)


def log_table(groups: Mapping[str, Sequence[Report]], rows: Sequence[LogRow]) -> str:
    """Plain text; of two groups within 80 columns."""
    names = list(groups)
    widths = [max(11, len(name) + 2) for name in names]
    cells = "".join(name.rjust(width) for name, width in zip(names, widths, strict=True))
    lines = ["version".ljust(26) + cells]
    for row in rows:
        label = (f"{row.title}, {row.unit}" if row.unit else row.title).ljust(26)
        values = "".join(
            ("-" if value is None else figure(value)).rjust(width)
            for value, width in zip(row.values, widths, strict=True)
        )
        changes = [
            f"{'~' if one.spans_zero else ''}{signed_figure(one.median)} "
            f"({signed_figure(one.low)}..{signed_figure(one.high)})"
            for one in row.changed
            if one is not None
        ]
        lines.append((label + values + "  " + "  ".join(changes)).rstrip())
    return "\n".join(lines)
