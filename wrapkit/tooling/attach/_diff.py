"""What a plan changes, in words.

Of the variables only wrapkit's own and the exec wrapper show their values: others may be secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._configuration import EXEC_WRAPPER
from ._record import RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._plan import Plan


@dataclass(frozen=True)
class Line:
    """One line of a diff; ``sign`` is ``+``, ``-``, ``~`` for a new value, or a space."""

    sign: str
    what: str
    name: str
    shown: str = ""

    def __str__(self) -> str:
        return f"  {self.sign} {self.what} {self.name}{self.shown}"


def diff(plan: Plan) -> list[Line]:
    """The lines: every layer in the order to be, then the variables that differ."""
    if not plan.changes:
        return []
    return [*_layer_lines(plan), *_variable_lines(plan)]


def _layer_lines(plan: Plan) -> Iterator[Line]:
    before = plan.before.layers
    if before == plan.layers:
        return
    for layer in before:
        if layer not in plan.layers:
            yield Line("-", "layer", layer)
    for layer in plan.layers:
        yield Line(" " if layer in before else "+", "layer", layer)


def _variable_lines(plan: Plan) -> Iterator[Line]:
    before, after = plan.before.variables, plan.variables
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        sign = "+" if old is None else "-" if new is None else "~"
        yield Line(sign, "variable", name, _shown(name, old, new))


def _shown(name: str, old: str | None, new: str | None) -> str:
    if name == RECORD:
        return "  (what `wrapkit detach` restores)"
    if name != EXEC_WRAPPER and not name.startswith("WRAPKIT_"):
        return ""
    return " = " + " -> ".join(value for value in (old, new) if value is not None)
