"""Measures by variants: the cells of a table, in words and with what is known of chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..bench import BARE, measure_of
from ._bench_table import is_shown, row_title
from ._wording import figure, signed_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..bench import BenchRecord, Finding


@dataclass(frozen=True)
class Cell:
    """A value; what it adds to bare, with an interval, and whether that is more, less or the same.

    Of what is no cost, more is not worse.
    """

    value: str
    added: str = ""
    interval: str = ""
    verdict: str = ""
    is_cost: bool = True


def _is_cost(key: str) -> bool:
    measure = measure_of(key)
    return measure is None or measure.is_cost


@dataclass(frozen=True)
class FigureRow:
    key: str
    title: str
    unit: str
    cells: Sequence[Cell | None]


@dataclass(frozen=True)
class FigureTable:
    """A row a measure, a column a variant."""

    variants: Sequence[str]
    rows: Sequence[FigureRow]


def figure_table(
    record: BenchRecord, found: Mapping[tuple[str, str], Finding], *, details: bool
) -> FigureTable:
    """The measures of the starts, then the constants of the variants."""
    rows = [*_measured(record, found), *_inspected(record)]
    shown = [row for row in rows if is_shown(row.key, measure_of(row.key), details=details)]
    return FigureTable(record.variants, shown)


def _measured(record: BenchRecord, found: Mapping[tuple[str, str], Finding]) -> Iterator[FigureRow]:
    for key in dict.fromkeys(key for key, _ in found):
        of_key = [found.get((key, variant)) for variant in record.variants]
        if any(finding and finding.value.median for finding in of_key):
            measure = measure_of(key)
            cells = [_cell(finding) if finding else None for finding in of_key]
            yield FigureRow(key, row_title(key), measure.unit if measure else "", cells)


def _cell(finding: Finding) -> Cell:
    value = figure(finding.value.median)
    if finding.added is None:
        return Cell(value)
    return Cell(
        value,
        signed_figure(finding.added.median),
        f"{signed_figure(finding.added.low)} to {signed_figure(finding.added.high)}",
        finding.verdict or "",
        is_cost=_is_cost(finding.measure),
    )


def _inspected(record: BenchRecord) -> Iterator[FigureRow]:
    measures = {name: record.inspections[name]["measures"] for name in record.variants}
    for key in dict.fromkeys(key for values in measures.values() for key in values):
        measure = measure_of(key)
        base = measures[BARE].get(key)
        cells = [_constant(measures[name].get(key), base, name) for name in record.variants]
        if measure is not None:
            yield FigureRow(key, measure.title, measure.unit, cells)


def _constant(value: float | None, base: float | None, variant: str) -> Cell | None:
    if value is None:
        return None
    if base is None or variant == BARE:
        return Cell(figure(value))
    if value == base:
        return Cell(figure(value), "same", "", "same")
    return Cell(figure(value), signed_figure(value - base), "", "more" if value > base else "less")
