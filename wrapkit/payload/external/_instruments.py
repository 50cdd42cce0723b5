"""What metrics are collected in: counters and histograms, one series each, without attributes."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Union

    Instrument = Union["Counter", "Histogram"]


class Counter:
    """A count that only grows."""

    __slots__ = ("description", "name", "unit", "value")

    def __init__(self, name: str, unit: str, description: str) -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.value = 0

    def add(self, count: int = 1) -> None:
        """Counts ``count`` more."""
        self.value += count

    def __bool__(self) -> bool:
        """Whether there is anything to export."""
        return self.value > 0

    def reset(self) -> None:
        """Begins anew, after an export of what has changed since the last."""
        self.value = 0

    def __repr__(self) -> str:
        return f"<Counter {self.name} {self.value}>"


class Histogram:
    """How often a value fell between which two of ``bounds``, upper bounds included."""

    __slots__ = (
        "bounds",
        "buckets",
        "count",
        "description",
        "maximum",
        "minimum",
        "name",
        "total",
        "unit",
    )

    def __init__(self, name: str, unit: str, description: str, bounds: "Sequence[float]") -> None:
        self.name = name
        self.unit = unit
        self.description = description
        self.bounds = tuple(bounds)
        self.buckets = [0] * (len(self.bounds) + 1)
        self.count = 0
        self.total = self.minimum = self.maximum = 0.0

    def record(self, value: float) -> None:
        """Adds one value."""
        place = 0
        while place < len(self.bounds) and value > self.bounds[place]:
            place += 1
        self.minimum = min(self.minimum, value) if self.count else value
        self.maximum = max(self.maximum, value) if self.count else value
        self.buckets[place] += 1
        self.count += 1
        self.total += value

    def __bool__(self) -> bool:
        """Whether there is anything to export."""
        return self.count > 0

    def reset(self) -> None:
        """Begins anew, after an export of what has changed since the last."""
        self.buckets = [0] * (len(self.bounds) + 1)
        self.count = 0
        self.total = self.minimum = self.maximum = 0.0

    def __repr__(self) -> str:
        return f"<Histogram {self.name} of {self.count}>"
