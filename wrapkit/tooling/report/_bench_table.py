"""A benchmark as plain text: the bare function's medians, and what each variant adds to them."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ..bench import BARE, Measure, findings, measure_of
from ._wording import figure, percent, signed_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..bench import BenchRecord, Finding

WIDTH = 80
LABEL_CELLS = 27
BARE_CELLS = 8
# Three variants make a line of 80 cells.
VARIANT_CELLS = 15
VARIANTS_A_BLOCK = 3
STOPPED = {
    "rounds": "",
    "precision": "stopped when precise enough; ",
    "budget": "stopped at the end of the budget; ",
}


def bench_table(record: BenchRecord, *, details: bool = False) -> str:
    """Plain text within 80 columns; with `details` every measure, of every process."""
    others = [variant for variant in record.variants if variant != BARE]
    blocks = [
        others[first : first + VARIANTS_A_BLOCK]
        for first in range(0, len(others), VARIANTS_A_BLOCK)
    ]
    tables = [
        "\n".join(_block(record, size, block, details=details))
        for size in record.memory_mb
        for block in blocks or [[]]
    ]
    return "\n\n".join([*tables, "\n".join(map(_wrapped, _closing(record)))])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def row_title(key: str) -> str:
    """`Init, CPU`, and of a process `Init, CPU, wrapkit`."""
    process, _, _ = key.rpartition(".")
    measure = measure_of(key)
    title = measure.title if measure else key
    return f"{title}, {process}" if process else title


def is_shown(key: str, measure: Measure | None, *, details: bool) -> bool:
    """Whether a row is for everybody: the headline figures, of a process only what only it has."""
    if details or measure is None:
        return True
    return measure.is_headline and ("." not in key or measure.by_process == "only")


def _block(
    record: BenchRecord, memory_mb: int, variants: Sequence[str], *, details: bool
) -> Iterator[str]:
    found = {
        (finding.measure, finding.variant): finding
        for finding in findings(record.starts)
        if finding.memory_mb == memory_mb
    }
    names = "".join(_cut(name, VARIANT_CELLS - 1).rjust(VARIANT_CELLS) for name in variants)
    yield f"{memory_mb} MB".ljust(LABEL_CELLS) + BARE.rjust(BARE_CELLS) + names
    for key in dict.fromkeys(key for key, _ in found):
        measure = measure_of(key)
        cells = [found.get((key, variant)) for variant in variants]
        bare = found.get((key, BARE))
        values = [cell.value.median for cell in (bare, *cells) if cell]
        if is_shown(key, measure, details=details) and any(values):
            yield from _row(key, bare, cells)
    yield from _inspected(record, variants, details=details)


def _row(key: str, bare: Finding | None, cells: Sequence[Finding | None]) -> Iterator[str]:
    measure = measure_of(key)
    title = _label(row_title(key), measure.unit if measure else "")
    yield (
        title
        + _median(bare).rjust(BARE_CELLS)
        + "".join(_value(cell).rjust(VARIANT_CELLS) for cell in cells)
    )
    intervals = "".join(_interval(cell).rjust(VARIANT_CELLS) for cell in cells)
    if intervals.strip():
        yield " " * (LABEL_CELLS + BARE_CELLS) + intervals


def _inspected(record: BenchRecord, variants: Sequence[str], *, details: bool) -> Iterator[str]:
    """What one start told of each variant: constants, without an interval."""
    measures = {name: record.inspections[name]["measures"] for name in (BARE, *variants)}
    keys = dict.fromkeys(key for values in measures.values() for key in values)
    for key in keys:
        measure = measure_of(key)
        if measure is None or not is_shown(key, measure, details=details):
            continue
        base = measures[BARE].get(key)
        cells = "".join(
            _constant(measures[variant].get(key), base).rjust(VARIANT_CELLS) for variant in variants
        )
        bare = "-" if base is None else figure(base)
        yield _label(measure.title, measure.unit) + bare.rjust(BARE_CELLS) + cells


def _label(title: str, unit: str) -> str:
    text = f"{title}, {unit}" if unit else title
    return _cut(text, LABEL_CELLS - 1).ljust(LABEL_CELLS)


def _cut(text: str, cells: int) -> str:
    return text if len(text) <= cells else text[: cells - 2] + ".."


def _constant(value: float | None, base: float | None) -> str:
    if value is None:
        return "-"
    if base is None:
        return figure(value)
    return "same" if value == base else signed_figure(value - base)


def _closing(record: BenchRecord) -> Iterator[str]:
    warm, scenario = record.scenario["warm"], record.scenario
    yield (
        f"Medians of {record.rounds()} cold starts a variant, each with {warm} warm invocations."
    )
    yield "+/- is what a variant adds to bare in the same round, its 95 % confidence"
    yield "interval below; ~ marks what may be chance. Without a sign: the variant's own."
    if scenario.get("limits_cpu"):
        yield "After Init the CPU is what the memory size buys: 1,769 MB for one core."
    elif len(record.memory_mb) > 1:
        yield "Control groups allow no CPU limit here: all memory sizes had all of the CPU."
    if "usd_per_gb_second" in scenario:
        yield (
            f"Cost: {scenario['architecture']} in {scenario['region']}, "
            f"{percent(scenario['cold_start_rate'])} cold starts, "
            f"prices of {scenario['prices_as_of']}."
        )
    yield from dict.fromkeys(
        f"Not measured here, {row_title(key).lower()}: {why}."
        for inspection in record.inspections.values()
        for key, why in inspection["problems"].items()
        if key not in inspection["measures"]
    )
    noise = record.noise
    yield f"The machine was {noise['level']}: {STOPPED[record.stopped]}{_advice(record)}"
    yield from (f"  {reason}" for reason in noise["reasons"])


def _advice(record: BenchRecord) -> str:
    if record.noise["level"] == "too noisy":
        return "do not conclude from these figures."
    if record.rounds() < 6:
        return "with fewer than 6 cold starts all differences may be chance."
    return "the intervals hold." if record.noise["level"] == "quiet" else "trust the differences."


def _value(finding: Finding | None) -> str:
    if finding is None:
        return "-"
    if finding.added is None:
        return _median(finding)
    mark = "~" if finding.verdict in ("same", "undecided") else ""
    return f"{mark}{signed_figure(finding.added.median)}"


def _median(finding: Finding | None) -> str:
    return "-" if finding is None else figure(finding.value.median)


def _interval(finding: Finding | None) -> str:
    if finding is None or finding.added is None:
        return ""
    return f"{signed_figure(finding.added.low)}..{signed_figure(finding.added.high)}"
