"""A record as a table: the bare function's medians, and what each mode adds to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._metrics import BARE, METRICS, findings

if TYPE_CHECKING:
    from ._metrics import Finding
    from ._record import BenchRecord

LABEL_CELLS = 26
BARE_CELLS = 9
# Four modes make a line of 80 cells.
MODE_CELLS = 15


def table(record: BenchRecord) -> str:
    """Plain text within 80 columns; a metric that only some modes have shows its own medians."""
    found = {(finding.metric, finding.mode): finding for finding in findings(record.starts)}
    modes = [mode for mode in dict.fromkeys(start.mode for start in record.starts) if mode != BARE]
    header = "".join(mode.rjust(MODE_CELLS) for mode in modes)
    lines = [" " * LABEL_CELLS + BARE.rjust(BARE_CELLS) + header]
    for metric in METRICS:
        cells = [found.get((metric.name, mode)) for mode in modes]
        bare = found.get((metric.name, BARE))
        if bare is None and not any(cells):
            continue
        title = f"{metric.title}, {metric.unit}" if metric.unit else metric.title
        values = "".join(_value(cell).rjust(MODE_CELLS) for cell in cells)
        lines.append(title.ljust(LABEL_CELLS) + _median(bare).rjust(BARE_CELLS) + values)
        intervals = "".join(_interval(cell).rjust(MODE_CELLS) for cell in cells)
        if intervals.strip():
            lines.append(" " * (LABEL_CELLS + BARE_CELLS) + intervals)
    return "\n".join([*lines, "", _legend(record)])


def _legend(record: BenchRecord) -> str:
    cold, warm = record.scenario["cold"], record.scenario["warm"]
    return (
        f"Medians of {cold} cold starts a mode, each with {warm} warm invocations.\n"
        "+/- is what a mode adds to bare in the same round, its 95 % confidence interval\n"
        "below; ~ marks what may be chance. Without a sign: the mode's own value."
    )


def _value(finding: Finding | None) -> str:
    if finding is None:
        return "-"
    if finding.added is None:
        return _median(finding)
    mark = "~" if finding.added.spans_zero else ""
    return f"{mark}{_signed(finding.added.median)}"


def _median(finding: Finding | None) -> str:
    return "-" if finding is None else f"{finding.median:.2f}"


def _interval(finding: Finding | None) -> str:
    if finding is None or finding.added is None:
        return ""
    return f"{_signed(finding.added.low)}..{_signed(finding.added.high)}"


def _signed(value: float) -> str:
    """At most seven cells, so that an interval fits below its median."""
    return f"{value:+.2f}" if abs(value) < 100 else f"{value:+.0f}"
