"""Two benchmarks side by side as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bench import measure_of
from ._bench_table import is_shown, row_title
from ._wording import figure, signed_figure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..bench import BenchRecord, Change

LABEL_CELLS = 26
VALUE_CELLS = 10


def change_table(
    before: BenchRecord, after: BenchRecord, found: Sequence[Change], *, details: bool = False
) -> str:
    """Plain text within 80 columns, variant by variant."""
    return "\n".join(_lines(before, after, found, details=details))


def _lines(
    before: BenchRecord, after: BenchRecord, found: Sequence[Change], *, details: bool
) -> Iterator[str]:
    yield _origin("first", before)
    yield _origin("second", after)
    cells = dict.fromkeys((change.variant, change.memory_mb) for change in found)
    for variant, memory_mb in cells:
        yield ""
        heading = f"{variant}, {memory_mb} MB"
        yield heading.ljust(LABEL_CELLS) + "first".rjust(VALUE_CELLS) + "second".rjust(VALUE_CELLS)
        for change in found:
            is_of_cell = (change.variant, change.memory_mb) == (variant, memory_mb)
            measure = measure_of(change.measure)
            if is_of_cell and is_shown(change.measure, measure, details=details):
                yield _row(change)
    yield ""
    yield "The last column is second less first, with its 95 % confidence interval;"
    yield "~ marks what may be chance."


def _origin(name: str, record: BenchRecord) -> str:
    versions = record.versions
    return (
        f"{name}: {record.started}, wrapkit {versions['wrapkit']}, Python {versions['python']}, "
        f"{record.rounds()} cold starts"
    )


def _row(change: Change) -> str:
    title = row_title(change.measure)
    label = f"{title}, {change.unit}" if change.unit else title
    mark = "" if change.is_found else "~"
    interval = f"{signed_figure(change.changed.low)}..{signed_figure(change.changed.high)}"
    return (
        label[: LABEL_CELLS - 1].ljust(LABEL_CELLS)
        + figure(change.before).rjust(VALUE_CELLS)
        + figure(change.after).rjust(VALUE_CELLS)
        + f"  {mark}{signed_figure(change.changed.median)} ({interval})"
    ).rstrip()
