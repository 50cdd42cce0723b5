"""Medians, and how far to trust them and the difference of two of them.

The intervals are those of the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13). The
bootstrap distribution of a median need not be drawn: it follows from the binomial distribution
(Efron, 1979, section 3), so the same values give the same interval, whoever computes it. Of few
values the bootstrap promises too much (with seven, it misses the true median in one of seven
cases), so an interval is never narrower than that of the sign test, which assumes nothing.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import comb
from statistics import NormalDist, median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.95
# With fewer values, not even the range from the smallest to the largest holds the true median
# in 95 of 100 cases: 2 * 0.5 ** 5 is 6 %.
MIN_VALUES = 6
# For the difference of two medians that are not paired. Enough for the second digit of the ends.
DRAWS = 4000
SEED = 20_250_801
# Above, the normal distribution stands for the binomial one.
EXACT_VALUES = 100


@dataclass(frozen=True)
class Estimate:
    """A median with its bootstrapped 95 % confidence interval, of `count` values."""

    median: float
    low: float
    high: float
    count: int

    @property
    def spans_zero(self) -> bool:
        """Whether the true value may be zero: zero lies within the interval, or hardly any values
        stand behind it.
        """
        if self.low == self.high == 0:
            return True
        return self.count < MIN_VALUES or self.low <= 0 <= self.high

    @property
    def half_width(self) -> float:
        """How far the true value may be away."""
        return max(self.high - self.median, self.median - self.low)


def estimate(values: Sequence[float]) -> Estimate:
    """The median of the values with its interval; raises `statistics.StatisticsError` on none."""
    ordered = sorted(values)
    distribution = _median_distribution(ordered)
    low, high = (_weighted_quantile(distribution, share) for share in _TAILS)
    outer = _sign_test_rank(len(ordered))
    low, high = min(low, ordered[outer]), max(high, ordered[-1 - outer])
    return Estimate(median(ordered), low, high, len(ordered))


def difference(values: Sequence[float], others: Sequence[float]) -> Estimate:
    """The difference of two medians, `values` less `others`, whose values are no pairs."""
    generator = random.Random(SEED)
    drawn = zip(_draw(values, generator), _draw(others, generator), strict=True)
    spread = sorted(value - other for value, other in drawn)
    low, high = (quantile(spread, share) for share in _TAILS)
    middle = median(values) - median(others)
    return Estimate(middle, min(low, middle), max(high, middle), min(len(values), len(others)))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` of the ordered values lie, interpolated between neighbours."""
    position = share * (len(ordered) - 1)
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def relative_spread(values: Sequence[float]) -> float:
    """The median absolute deviation as a share of the median, scaled to a standard deviation."""
    middle = median(values)
    if not middle:
        return 0.0
    return 1.4826 * median(abs(value - middle) for value in values) / abs(middle)


_TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def _draw(values: Sequence[float], generator: random.Random) -> list[float]:
    medians, weights = zip(*_median_distribution(sorted(values)), strict=True)
    return generator.choices(medians, weights, k=DRAWS)


def _weighted_quantile(distribution: Sequence[tuple[float, float]], share: float) -> float:
    reached = 0.0
    for value, weight in distribution:
        reached += weight
        if reached >= share:
            return value
    return distribution[-1][0]


def _sign_test_rank(count: int) -> int:
    """How many values on each side may be left out of the interval (0 of fewer than nine)."""
    if count > EXACT_VALUES:
        return max(0, int(count / 2 - 0.98 * count**0.5 - 1))
    rank, tail = 0, 0.5**count
    while rank < count // 2:
        tail += comb(count, rank + 1) * 0.5**count
        if tail > _TAILS[0]:
            break
        rank += 1
    return rank


def _median_distribution(ordered: Sequence[float]) -> list[tuple[float, float]]:
    """The medians of all resamples of the values with their probabilities, in order."""
    count = len(ordered)
    if count > EXACT_VALUES:
        middle = NormalDist(count / 2, count**0.5 / 2)
        weights = [middle.pdf(rank + 0.5) for rank in range(count)]
        total = sum(weights)
        return [(value, weight / total) for value, weight in zip(ordered, weights, strict=True)]
    below = [_at_most(rank, count) for rank in range(count + 1)]
    if count % 2:
        return [(ordered[i], below[i + 1] - below[i]) for i in range(count)]
    return _even_distribution(ordered, below)


def _even_distribution(
    ordered: Sequence[float], below: Sequence[float]
) -> list[tuple[float, float]]:
    """Of an even number of values the median lies between two: pairs of ranks have the weights."""
    pairs, count, half = [], len(ordered), len(ordered) // 2
    for i in range(count):
        rest = below[i + 1] - below[i]
        lower = ((i + 1) / count) ** half - (i / count) ** half
        for j in range(i + 1, count):
            upper = ((count - j) / count) ** half - ((count - j - 1) / count) ** half
            weight = comb(count, half) * lower * upper
            rest -= weight
            pairs.append(((ordered[i] + ordered[j]) / 2, weight))
        pairs.append((ordered[i], max(0.0, rest)))
    return sorted(pairs)


def _at_most(rank: int, count: int) -> float:
    """The probability that the middle (the lower of two) value of a resample is at most the
    `rank`-th.
    """
    share, needed = rank / count, (count + 1) // 2
    return sum(
        comb(count, k) * share**k * (1 - share) ** (count - k) for k in range(needed, count + 1)
    )
