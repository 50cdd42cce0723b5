"""All values of a variant, not only their middle: cold starts as ticks, warm ones in bins."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from ..bench import quantile
from ._axis import WIDTH, LinearAxis, LogAxis, Tick
from ._wording import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..bench import Estimate

BINS = 80
HEIGHT = 100
# Beyond, single outliers would press everything else to the left.
LAST_SHARE = 0.999


@dataclass(frozen=True)
class Strip:
    """One variant's cold starts: each a tick, the median a line, its interval a band."""

    variant: str
    values: Sequence[float]
    low: float
    high: float
    median: float
    label: str
    spoken: str


@dataclass(frozen=True)
class Bin:
    x: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """One variant's warm invocations, the highest bin as high as the drawing."""

    variant: str
    bins: Sequence[Bin]
    marks: Sequence[Tick]
    labels: Sequence[str]
    spoken: str


def strips(
    values: Mapping[str, Sequence[float]], estimates: Mapping[str, Estimate]
) -> tuple[LinearAxis, list[Strip]]:
    """The values of each variant on one scale from zero."""
    axis = LinearAxis(max(max(of_variant) for of_variant in values.values()) * 1.02)
    return axis, [
        _strip(variant, of_variant, estimates[variant], axis)
        for variant, of_variant in values.items()
    ]


def _strip(variant: str, values: Sequence[float], estimate: Estimate, axis: LinearAxis) -> Strip:
    label = milliseconds(estimate.median)
    spoken = (
        f"{variant}: median {label}, interval {milliseconds(estimate.low)} to "
        f"{milliseconds(estimate.high)}, of {len(values)} cold starts from "
        f"{milliseconds(min(values))} to {milliseconds(max(values))}"
    )
    return Strip(
        variant,
        [axis.place(value) for value in values],
        axis.place(estimate.low),
        axis.place(estimate.high),
        axis.place(estimate.median),
        label,
        spoken,
    )


def histograms(values: Mapping[str, Sequence[float]]) -> tuple[LogAxis, list[Histogram]]:
    """The values of each variant in bins of one logarithmic scale."""
    ordered = {variant: sorted(of_variant) for variant, of_variant in values.items()}
    lowest = min(of_variant[0] for of_variant in ordered.values())
    highest = max(quantile(of_variant, LAST_SHARE) for of_variant in ordered.values())
    start = max(lowest, 0.001) * 0.9
    axis = LogAxis(start, max(highest * 1.1, start * 2))
    return axis, [_histogram(variant, one, axis) for variant, one in ordered.items()]


def _histogram(variant: str, ordered: Sequence[float], axis: LogAxis) -> Histogram:
    bounds = axis.bounds(BINS)
    edges = [bisect_right(ordered, bound) for bound in bounds]
    counts = [after - before for before, after in pairwise(edges)]
    most = max(counts) or 1
    width = WIDTH / BINS
    quantiles = [(share, quantile(ordered, share)) for share in (0.5, 0.99)]
    words = [f"p{share * 100:.0f} {milliseconds(value)}" for share, value in quantiles]
    return Histogram(
        variant,
        [
            Bin(round(number * width, 2), round(width * 0.9, 2), round(HEIGHT * count / most, 2))
            for number, count in enumerate(counts)
            if count
        ],
        [Tick(axis.place(value), f"p{share * 100:.0f}") for share, value in quantiles],
        words,
        f"{variant}: {', '.join(words)}, of {len(ordered)} warm invocations",
    )
