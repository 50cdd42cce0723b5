"""When a benchmark has seen enough: its rounds, its precision, or its budget of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from ._findings import findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._start import Start

# What has to be precise: the two that a user pays for, cold and warm.
PRECISE_MEASURES = ("init_ms", "warm_duration_ms")
MIN_ROUNDS = 8


class Progress(TypedDict):
    """How far a run is: `elapsed_s` is what `rounds_timed` of the rounds took, others are of an
    earlier run.
    """

    rounds_done: int
    rounds_timed: int
    elapsed_s: float


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
        """Why no other round is made; empty if one is. The keywords are those of `Progress`."""
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

    def expected_rounds(self, *, rounds_done: int, rounds_timed: int, elapsed_s: float) -> int:
        """How many rounds the budget affords at the speed so far; all of them without one."""
        if self.budget_s is None or rounds_timed <= 0:
            return self.rounds
        left = max(0, int((self.budget_s - elapsed_s) / (elapsed_s / rounds_timed)))
        return min(self.rounds, rounds_done + left)


def worst_precision(starts: Sequence[Start]) -> float | None:
    """The widest interval of an added cost, its half as a share of the bare function's value."""
    precisions = [
        found.added.half_width / abs(found.value.median - found.added.median)
        for found in findings(starts, PRECISE_MEASURES)
        if found.added is not None and found.value.median != found.added.median
    ]
    return max(precisions, default=None)
