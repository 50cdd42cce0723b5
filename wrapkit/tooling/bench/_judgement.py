"""Whether a condition holds for the figures of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from .._errors import DiagnosticError
from ._condition import ARITHMETIC, COMPARISONS, Arithmetic, Comparison, Name, names_in
from ._findings import by_round
from ._statistics import Estimate, estimate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._condition import Condition, Value
    from ._record import BenchRecord

# One number, or one by round.
Figures: TypeAlias = "float | Mapping[int, float]"


@dataclass(frozen=True)
class Judged:
    """One comparison at one memory size: by how much its left side exceeds its right one."""

    text: str
    memory_mb: int
    holds: bool
    excess: Estimate

    @property
    def is_close(self) -> bool:
        """Whether chance may have decided: the limit lies within the interval."""
        return self.excess.low <= 0 <= self.excess.high and self.excess.low < self.excess.high

    def in_words(self) -> str:
        """`both.init_ms > bare.init_ms + 15 at 128 MB: yes, by 3.1 (2.0 to 4.2)`."""
        by = abs(self.excess.median)
        ends = sorted(abs(end) for end in (self.excess.low, self.excess.high))
        interval = f" ({ends[0]:.2f} to {ends[1]:.2f})" if not self.is_close else ""
        close = ", but its interval holds the limit: more cold starts may decide otherwise"
        return (
            f"{self.text} at {self.memory_mb} MB: {'yes' if self.holds else 'no'}, "
            f"by {by:.2f}{interval}{close if self.is_close else ''}"
        )


def judge(condition: Condition, record: BenchRecord) -> tuple[bool, list[Judged]]:
    """Whether the condition holds at any memory size, and each comparison that was made.

    Raises `DiagnosticError` where a measure has no value: no such process, or not to be had here.
    """
    sizes = record.memory_mb
    if all(name.memory_mb is not None for name in names_in(condition)):
        sizes = sizes[:1]
    judged: list[Judged] = []
    holds = [_holds(condition, record, size, judged) for size in sizes]
    return any(holds), judged


def _holds(condition: Condition, record: BenchRecord, memory_mb: int, judged: list[Judged]) -> bool:
    if isinstance(condition, Comparison):
        judged.append(_compare(condition, record, memory_mb))
        return judged[-1].holds
    parts = [_holds(part, record, memory_mb, judged) for part in condition.parts]
    if condition.word == "not":
        return not parts[0]
    return all(parts) if condition.word == "and" else any(parts)


def _compare(comparison: Comparison, record: BenchRecord, memory_mb: int) -> Judged:
    left, right = (
        _figures(side, record, memory_mb) for side in (comparison.left, comparison.right)
    )
    excess = _combined("-", left, right, comparison.text)
    values = [excess] if isinstance(excess, float) else list(excess.values())
    found = estimate(values)
    holds = COMPARISONS[comparison.sign](found.median, 0)
    return Judged(comparison.text, memory_mb, holds, found)


def _figures(value: Value, record: BenchRecord, memory_mb: int) -> Figures:
    if isinstance(value, Name):
        return _named(value, record, value.memory_mb or memory_mb)
    if isinstance(value, Arithmetic):
        left, right = (_figures(side, record, memory_mb) for side in (value.left, value.right))
        return _combined(value.sign, left, right, value.sign)
    return float(value)


def _named(name: Name, record: BenchRecord, memory_mb: int) -> Figures:
    inspected = record.inspections[name.variant]["measures"].get(name.key)
    if inspected is not None:
        return float(inspected)
    values = by_round(name.key, name.variant, memory_mb, record.starts)
    if not values:
        problem = record.inspections[name.variant]["problems"].get(name.key, "")
        raise DiagnosticError(
            "no-such-figure",
            f"--fail-if: {name.variant} has no {name.key} at {memory_mb} MB"
            + (f": {problem}" if problem else ""),
            "`wrapkit bench --details` lists what was measured",
        )
    return values


def _combined(sign: str, left: Figures, right: Figures, place: str) -> Figures:
    """Round by round; a round that one side lacks, or that divides by zero, is left out."""
    combine = ARITHMETIC[sign]
    rounds = [set(side) for side in (left, right) if not isinstance(side, float)]
    if not rounds:
        if sign == "/" and right == 0:
            raise _undefined(place)
        return combine(float(left), float(right))  # type: ignore[arg-type]
    values = {}
    for number in sorted(set.intersection(*rounds)):
        sides = [side if isinstance(side, float) else side[number] for side in (left, right)]
        if sign != "/" or sides[1]:
            values[number] = combine(*sides)
    if not values:
        raise _undefined(place)
    return values


def _undefined(place: str) -> DiagnosticError:
    return DiagnosticError("undefined-figure", f"--fail-if: {place} divides by zero in every round")
