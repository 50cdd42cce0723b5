"""The base of events and effects: a plain value with slots, equal by its fields, readable when
printed.

Not a dataclass: importing ``dataclasses`` alone costs 10 ms of a cold start, a slotted class 0.6
ms.
"""


class Record:
    """A value with named fields."""

    __slots__: "tuple[str, ...]" = ()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"
