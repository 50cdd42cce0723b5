"""Medians, and how far to trust the difference of two of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Enough for the second digit of an interval's ends (Efron and Tibshirani, 1993, chapter 13).
RESAMPLES = 2000
CONFIDENCE = 0.95
# The same record gives the same interval, whoever computes it.
SEED = 20_250_801


@dataclass(frozen=True)
class Estimate:
    """A median with its bootstrapped 95 % confidence interval."""

    median: float
    low: float
    high: float

    @property
    def spans_zero(self) -> bool:
        """Whether zero lies within the interval: the difference may be chance."""
        return self.low <= 0 <= self.high and self.low < self.high


def estimate(values: Sequence[float]) -> Estimate:
    """The median of the values, with the percentile bootstrap's interval; raises on no values."""
    generator = random.Random(SEED)
    medians = sorted(median(generator.choices(values, k=len(values))) for _ in range(RESAMPLES))
    tail = (1 - CONFIDENCE) / 2
    return Estimate(median(values), quantile(medians, tail), quantile(medians, 1 - tail))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ordered values lie, interpolated between neighbours."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)
