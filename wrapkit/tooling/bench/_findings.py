"""What the starts say: each measure of each cell, and what the variant adds to bare."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from ._measures import MEASURES, measure_of
from ._statistics import Estimate, estimate
from ._variant import BARE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._start import Start

Verdict = Literal["more", "less", "same", "undecided"]
# A difference that may be as large as this share of bare's value is not ruled out: "undecided".
SAME_SHARE = 0.10
_ORDER = {measure.name: number for number, measure in enumerate(MEASURES)}


@dataclass(frozen=True)
class Finding:
    """One measure of one variant at one memory size.

    ``added`` and ``ratio`` compare with bare in the same rounds; None where bare has no such value.
    """

    measure: str
    unit: str
    variant: str
    memory_mb: int
    value: Estimate
    added: Estimate | None = None
    ratio: Estimate | None = None

    @property
    def verdict(self) -> Verdict | None:
        """Whether the variant has more or less than bare, as far as chance can be ruled out."""
        if self.added is None:
            return None
        if not self.added.spans_zero:
            return "more" if self.added.median > 0 else "less"
        bare = abs(self.value.median - self.added.median)
        if self.added.half_width <= SAME_SHARE * bare:
            return "same"
        return "undecided"

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "verdict": self.verdict}


def findings(starts: Sequence[Start], only: Sequence[str] = ()) -> list[Finding]:
    """Every measure (or `only` some) of every cell that has it, in the order of `MEASURES`."""
    keys = dict.fromkeys(key for start in starts for key in start.measures)
    if only:
        keys = dict.fromkeys(key for key in keys if key in only)
    cells = dict.fromkeys(start.cell for start in starts)
    found = []
    for key in sorted(keys, key=_order):
        for cell in cells:
            values = by_round(key, cell.variant, cell.memory_mb, starts)
            if values:
                bare = by_round(key, BARE, cell.memory_mb, starts)
                found.append(_finding(key, cell.variant, cell.memory_mb, values, bare))
    return found


def _order(key: str) -> tuple[int, str]:
    process, _, name = key.rpartition(".")
    return _ORDER[name], process


def _finding(
    key: str,
    variant: str,
    memory_mb: int,
    values: Mapping[int, float],
    bare: Mapping[int, float],
) -> Finding:
    measure = measure_of(key)
    unit = measure.unit if measure else ""
    # Pairs within a round share the machine's mood: what else it did in that second is in both.
    pairs = [(value, bare[number]) for number, value in values.items() if number in bare]
    if variant == BARE or not pairs:
        return Finding(key, unit, variant, memory_mb, estimate(list(values.values())))
    ratios = [value / base for value, base in pairs if base]
    return Finding(
        key,
        unit,
        variant,
        memory_mb,
        estimate(list(values.values())),
        estimate([value - base for value, base in pairs]),
        estimate(ratios) if ratios else None,
    )


def by_round(key: str, variant: str, memory_mb: int, starts: Sequence[Start]) -> dict[int, float]:
    """A measure's values by the number of their round."""
    return {
        start.round: start.measures[key]
        for start in starts
        if start.variant == variant and start.memory_mb == memory_mb and key in start.measures
    }
