"""Whether the machine was quiet enough for its figures to mean something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._findings import by_round
from ._statistics import difference, relative_spread
from ._variant import BARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._start import Start

Level = Literal["quiet", "noisy", "too noisy"]
LEVELS: tuple[Level, ...] = ("quiet", "noisy", "too noisy")
# From which value on a machine is noisy, and too noisy to conclude. The bare function's cold starts
# spread by 3 to 8 % on an idle machine; with one of two cores busy otherwise, by 15 to 40 %.
LIMITS = {
    "spread": (0.15, 0.35),
    "drift": (0.10, 0.30),
    "others_share": (0.25, 0.60),
    "stolen_share": (0.02, 0.10),
}
_WORDS = {
    "spread": "the bare function's Init Duration spreads by {:.0%}",
    "drift": "the bare function's Init Duration changed by {:.0%} from first half to second",
    "others_share": "other programs used {:.0%} of the processors",
    "stolen_share": "the machine's host withheld {:.0%} of the processors",
}
MEASURE = "init_ms"
# Too few values spread by chance.
MIN_VALUES = 6


@dataclass(frozen=True)
class Noise:
    """The verdict on the machine, and the figures it stands on (shares of 1)."""

    level: Level
    reasons: Sequence[str]
    figures: Mapping[str, float]

    def as_document(self) -> dict[str, Any]:
        return {"level": self.level, "reasons": list(self.reasons), **self.figures}


def check_noise(starts: Sequence[Start], shares: Mapping[str, float]) -> Noise:
    """`shares` as of `CpuClock.shares_since`: what else happened while the starts were made."""
    figures = {**dict(_bare_figures(starts)), **shares}
    level, reasons = 0, []
    for name, limits in LIMITS.items():
        rank = sum(figures.get(name, 0.0) >= limit for limit in limits)
        if rank:
            reasons.append(_WORDS[name].format(figures[name]))
        level = max(level, rank)
    return Noise(LEVELS[level], reasons, {name: round(value, 4) for name, value in figures.items()})


def _bare_figures(starts: Sequence[Start]) -> Iterator[tuple[str, float]]:
    """The worst of the memory sizes."""
    series = [
        [value for _, value in sorted(by_round(MEASURE, BARE, size, starts).items())]
        for size in dict.fromkeys(start.memory_mb for start in starts)
    ]
    enough = [values for values in series if len(values) >= MIN_VALUES]
    if enough:
        yield "spread", max(relative_spread(values) for values in enough)
    halves = [values for values in enough if len(values) >= 2 * MIN_VALUES]
    if halves:
        yield "drift", max(_drift(values) for values in halves)


def _drift(values: Sequence[float]) -> float:
    middle = len(values) // 2
    first, second = values[:middle], values[middle:]
    changed = difference(second, first)
    if changed.spans_zero:
        return 0.0
    return abs(changed.median) / sorted(first)[len(first) // 2]
