"""When a benchmark has seen enough: its rounds, its precision, or its budget of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._findings import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._start import Start

# What has to be precise: the two that a user pays for, cold and warm.
PRECISE_MEASURES = ("init_ms", "warm_duration_ms")
MIN_ROUNDS = 8


@dataclass(frozen=True)
class StopRule:
    """Ends the rounds early.

    ``precision`` is the half of an interval as a share of the bare function's value, ``budget_s``
    the time for all rounds; None for neither.
    """

    rounds: int
    precision: float | None = None
    budget_s: float | None = None

    def reason(
        self, starts: Sequence[Start], *, rounds_done: int, rounds_timed: int, elapsed_s: float
    ) -> str:
        """Why no other round is made; empty if one is.

        `elapsed_s` is what `rounds_timed` of the rounds took; others are of an earlier run.
        """
        if rounds_done >= self.rounds:
            return "rounds"
        if not rounds_done:
            return ""  # one round is made in any case, so that there is a record
        if self.budget_s is not None:
            next_s = elapsed_s / rounds_timed if rounds_timed > 0 else 0.0
            if elapsed_s + next_s > self.budget_s:
                return "budget"
        if self.precision is not None and rounds_done >= MIN_ROUNDS:
            reached = worst_precision(starts)
            if reached is not None and reached <= self.precision:
                return "precision"
        return ""


def worst_precision(starts: Sequence[Start]) -> float | None:
    """The widest interval of an added cost, its half as a share of the bare function's value."""
    precisions = [
        found.added.half_width / abs(found.value.median - found.added.median)
        for found in findings(starts, PRECISE_MEASURES)
        if found.added is not None and found.value.median != found.added.median
    ]
    return max(precisions, default=None)
