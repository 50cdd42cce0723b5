"""Bars aligned in time: where a stretch of time falls in a row of character cells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TimeWindow:
    """The stretch of time that a row of `cells` character cells stands for.

    Its unit is that of the bars that are placed in it.
    """

    start: float
    end: float
    cells: int

    def place(self, start: float, end: float) -> tuple[int, int]:
        """The first cell and the number of cells of a bar: at least one, all within the row."""
        first = min(self._cell(start), self.cells - 1)
        return first, max(1, min(self._cell(end), self.cells) - first)

    def _cell(self, moment: float) -> int:
        length = self.end - self.start
        if length <= 0:
            return 0
        return max(0, round((moment - self.start) / length * self.cells))


def bar_text(window: TimeWindow, start: float, end: float, cell: str) -> str:
    """A row as wide as the window with the bar drawn in `cell`s."""
    first, length = window.place(start, end)
    return (" " * first + cell * length).ljust(window.cells)
