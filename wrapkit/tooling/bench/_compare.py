"""Two records side by side: what has changed from the one to the other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ._findings import by_round, findings
from ._machine import unlike
from ._statistics import Estimate, difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._record import BenchRecord

# What has to be equal in two scenarios for their figures to be about the same thing.
SAME = ("task", "handler", "event_bytes", "warm", "isolation", "python", "limits_cpu")


@dataclass(frozen=True)
class Change:
    """One measure of one variant in both records; ``changed`` is the second's less the first's."""

    measure: str
    unit: str
    variant: str
    memory_mb: int
    before: float
    after: float
    changed: Estimate

    @property
    def is_found(self) -> bool:
        return not self.changed.spans_zero

    def as_document(self) -> dict[str, Any]:
        return {**asdict(self), "is_found": self.is_found}


def check_comparable(before: BenchRecord, after: BenchRecord) -> None:
    """Raises `DiagnosticError` (usage) for records of unlike machines or scenarios."""
    differing = unlike(before.machine, after.machine)
    differing += [
        f"{name} {before.scenario.get(name)} and {after.scenario.get(name)}"
        for name in SAME
        if before.scenario.get(name) != after.scenario.get(name)
    ]
    if differing:
        raise DiagnosticError(
            "unlike-records",
            f"the records are not for comparing: {'; '.join(differing)}",
            "make both on one machine, with the same task, event and Python; "
            "--force compares them all the same",
            USAGE,
        )


def changes(before: BenchRecord, after: BenchRecord) -> list[Change]:
    """Every measure that both records have of a variant at a memory size."""
    return list(_changes(before, after))


def _changes(before: BenchRecord, after: BenchRecord) -> Iterator[Change]:
    for found in findings(after.starts):
        key, variant, memory_mb = found.measure, found.variant, found.memory_mb
        old = list(by_round(key, variant, memory_mb, before.starts).values())
        new = list(by_round(key, variant, memory_mb, after.starts).values())
        if old:
            yield Change(
                key,
                found.unit,
                variant,
                memory_mb,
                median(old),
                median(new),
                difference(new, old),
            )
