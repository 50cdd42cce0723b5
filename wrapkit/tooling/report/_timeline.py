"""Phases as lines with bars: who took how long, beside or after whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from ._bars import TimeWindow, bar_text
from ._glyphs import UNICODE_GLYPHS, Glyphs
from ._wording import fit, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..emulator import InitResult, InvocationResult

DURATION_CELLS = 11


@dataclass(frozen=True)
class TimelineRow:
    """One line; without `start_ms` it never began, without `end_ms` it did not get done."""

    label: str
    start_ms: float | None
    end_ms: float | None


def timeline(
    rows: Sequence[TimelineRow], total_ms: float, *, width: int, glyphs: Glyphs = UNICODE_GLYPHS
) -> Text:
    """The rows over a stretch of `total_ms`, in lines of at most `width` cells."""
    label_cells = max(8, min(width // 3, max(len(row.label) for row in rows) + 1))
    note_cells = 12 if any(row.end_ms is None for row in rows) else 0
    window = TimeWindow(0, total_ms, max(4, width - label_cells - DURATION_CELLS - note_cells))
    return Text("\n").join(_line(row, label_cells, window, glyphs) for row in rows)


def _line(row: TimelineRow, label_cells: int, window: TimeWindow, glyphs: Glyphs) -> Text:
    line = Text(fit(row.label, label_cells - 1).ljust(label_cells), end="")
    if row.start_ms is None:
        return line.append("not started", style="red")
    end_ms = window.end if row.end_ms is None else row.end_ms
    style = "red" if row.end_ms is None else "green"
    line.append(bar_text(window, row.start_ms, end_ms, glyphs.bar), style=style)
    line.append(milliseconds(end_ms - row.start_ms).rjust(DURATION_CELLS))
    if row.end_ms is None:
        line.append("  not ready", style="red")
    return line


def init_rows(init: InitResult) -> list[TimelineRow]:
    """Each extension from its start to its `next`, and the runtime from its start to its own."""
    rows = [
        # An internal one is no process of its own.
        TimelineRow(
            f"extension {name}",
            extension.registered_ms if extension.exec_ms is None else extension.exec_ms,
            extension.next_ms,
        )
        for name, extension in sorted(init.extensions.items())
    ]
    return [*rows, TimelineRow("runtime", init.runtime.exec_ms, init.runtime.next_ms)]


def invocation_rows(result: InvocationResult) -> Iterator[TimelineRow]:
    """The runtime's part of an invocation, and what the extensions took after it."""
    after_ms = result.post_runtime_extensions_duration_ms
    runtime_ms = max(0.0, result.duration_ms - (after_ms or 0))
    yield TimelineRow("runtime", 0, runtime_ms)
    if after_ms is not None:
        yield TimelineRow("extensions", runtime_ms, runtime_ms + after_ms)
