"""Which cell starts when: every cell once a round, so that all of them meet the same machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Cell:
    """One line of the comparison: a variant at a memory size."""

    variant: str
    memory_mb: int


@dataclass(frozen=True)
class PlannedStart:
    """One cold start to make: its round, its place in the round, and what starts."""

    round: int
    position: int
    cell: Cell


def cells(variants: Sequence[str], memory_mb: Sequence[int]) -> list[Cell]:
    """Every variant at every memory size."""
    return [Cell(variant, size) for size in memory_mb for variant in variants]


def round_of(all_cells: Sequence[Cell], number: int) -> list[PlannedStart]:
    """The starts of a round; each round begins one cell further on.

    With a fixed order the cell after a heavy one would always find the caches and the clock speed
    that the heavy one left.
    """
    shift = number % len(all_cells)
    order = [*all_cells[shift:], *all_cells[:shift]]
    return [PlannedStart(number, position, cell) for position, cell in enumerate(order)]
