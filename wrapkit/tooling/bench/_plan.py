"""Which mode starts when: every mode once a round, so that all of them meet the same machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class PlannedStart:
    """One cold start to make: its round, its place in the round, and the mode."""

    round: int
    position: int
    mode: str


def interleaved(modes: Sequence[str], cold: int) -> Iterator[PlannedStart]:
    """`cold` rounds over the modes; each round begins one mode further on.

    With a fixed order the mode after a heavy one would always find the caches and the clock speed
    that the heavy one left.
    """
    for number in range(cold):
        shift = number % len(modes)
        for position, mode in enumerate([*modes[shift:], *modes[:shift]]):
            yield PlannedStart(number, position, mode)
