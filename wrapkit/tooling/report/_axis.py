"""A scale from zero, or over decades, with marks at round numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

# The width of a drawing, in its own units: a tenth of a percent each.
WIDTH = 1000
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True)
class Tick:
    """A mark of an axis: where it is, and what stands there."""

    x: float
    label: str


@dataclass(frozen=True)
class LinearAxis:
    """From zero to `end`."""

    end: float

    def place(self, value: float) -> float:
        """Where a value is drawn, from 0 to `WIDTH`."""
        return round(WIDTH * min(max(value / self.end, 0.0), 1.0), 2) if self.end > 0 else 0.0

    def ticks(self, count: int = 5) -> list[Tick]:
        """At most `count` marks and zero, at round numbers."""
        step = _round_step(self.end / count) if self.end > 0 else 1.0
        marks = range(int(self.end / step + 1e-9) + 1)
        return [Tick(self.place(mark * step), f"{mark * step:g}") for mark in marks]


@dataclass(frozen=True)
class LogAxis:
    """From `start` to `end`, both above zero, each decade as wide as the others."""

    start: float
    end: float

    def place(self, value: float) -> float:
        """Where a value is drawn, from 0 to `WIDTH`."""
        whole = math.log(self.end / self.start)
        share = math.log(max(value, self.start) / self.start) / whole if whole > 0 else 0.0
        return round(WIDTH * min(share, 1.0), 2)

    def ticks(self) -> list[Tick]:
        """At 1, 2 and 5 of each decade, or at 1 only where there are many."""
        first, last = math.floor(math.log10(self.start)), math.ceil(math.log10(self.end))
        steps = _STEPS[:3] if last - first <= 3 else _STEPS[:1]
        values = [step * 10.0**power for power in range(first, last + 1) for step in steps]
        inside = [value for value in values if self.start <= value <= self.end]
        return [Tick(self.place(value), f"{value:g}") for value in inside]

    def bounds(self, count: int) -> list[float]:
        """The ends of `count` bins of one width on the drawing."""
        whole = math.log(self.end / self.start)
        return [self.start * math.exp(whole * number / count) for number in range(count + 1)]


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5, 10, ... that is not less."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in _STEPS if step * power >= least * (1 - 1e-9))
