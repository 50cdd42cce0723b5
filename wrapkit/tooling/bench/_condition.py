"""`--fail-if`: a condition on the figures, as in `both.init_ms > bare.init_ms + 15`.

    condition   any of ... or ...   all of ... and ...   not ...   ( ... )
    comparison  SUM < SUM, also <= > >=
    sum         of names and numbers with + - * / and parentheses
    name        VARIANT.MEASURE, VARIANT.PROCESS.MEASURE, VARIANT@MEMORY_MB.MEASURE

A name with a dash in it is one name, so a minus needs spaces around it. Arithmetic is done within
each round, so what a comparison decides on is the median of paired differences.
"""

from __future__ import annotations

import contextlib
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from .._errors import USAGE, DiagnosticError
from ._measures import MEASURES, measure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_LENGTH = 1000
MAX_DEPTH = 40
EXAMPLE = "both.init_ms > bare.init_ms + 15"
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w.])"
    r"|(?P<name>[A-Za-z_][\w-]*(?:@\d+)?(?:\.[A-Za-z_][\w-]*)*)"
    r"|(?P<sign><=|>=|[<>+\-*/()]))"
)


@dataclass(frozen=True)
class Name:
    """A measure of a variant; ``memory_mb`` is None where the condition holds for any size."""

    variant: str
    memory_mb: int | None
    key: str


@dataclass(frozen=True)
class Arithmetic:
    sign: str
    left: Value
    right: Value


@dataclass(frozen=True)
class Comparison:
    """``text`` is what the user wrote."""

    sign: str
    left: Value
    right: Value
    text: str


@dataclass(frozen=True)
class Logic:
    """``word`` is and, or, not; the last has one part."""

    word: str
    parts: tuple[Condition, ...]


Value: TypeAlias = "float | Name | Arithmetic"
Condition: TypeAlias = "Comparison | Logic"


def parse_condition(text: str, variants: Sequence[str]) -> Condition:
    """The condition; raises `DiagnosticError` (usage) that shows where it is not understood.

    `variants` are those that are measured, in other words the names that there can be.
    """
    return _Parser(text, variants).whole()


def names_in(condition: Condition | Value) -> Iterator[Name]:
    """Every name of a condition."""
    if isinstance(condition, Name):
        yield condition
    elif isinstance(condition, Logic):
        for part in condition.parts:
            yield from names_in(part)
    elif isinstance(condition, Arithmetic | Comparison):
        yield from names_in(condition.left)
        yield from names_in(condition.right)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


class _Parser:
    def __init__(self, text: str, variants: Sequence[str]) -> None:
        self._text, self._variants = text, variants
        self._depth = 0
        if len(text) > MAX_LENGTH:
            self._refuse(MAX_LENGTH, f"it is longer than {MAX_LENGTH} characters")
        self._tokens = list(self._scan())
        self._next = 0

    def whole(self) -> Condition:
        condition = self._any()
        token = self._peek()
        if token.kind != "end":
            self._refuse(token.start, f"{token.text!r} is not expected here")
        return self._truth(condition, 0)

    def _scan(self) -> Iterator[_Token]:
        position, end = 0, len(self._text.rstrip())
        while position < end:
            match = _TOKEN.match(self._text, position)
            if match is None:
                start = position + len(self._text[position:]) - len(self._text[position:].lstrip())
                self._refuse(start, f"{self._text[start]!r} is not understood")
            kind = str(match.lastgroup)
            yield _Token(kind, match[kind], match.start(kind), match.end(kind))
            position = match.end()
        yield _Token("end", "the end", end, end)

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *texts: str) -> _Token | None:
        token = self._peek()
        if token.text not in texts or token.kind == "end":
            return None
        self._next += 1
        return token

    def _any(self) -> Condition | Value:
        return self._logic("or", self._all)

    def _all(self) -> Condition | Value:
        return self._logic("and", self._not)

    def _logic(self, word: str, part: Callable[[], Condition | Value]) -> Condition | Value:
        start = self._peek().start
        first = part()
        parts = [first]
        while self._take(word):
            parts.append(part())
        if len(parts) == 1:
            return first
        return Logic(word, tuple(self._truth(one, start) for one in parts))

    def _not(self) -> Condition | Value:
        token = self._take("not")
        if token is None:
            return self._comparison()
        with self._nested(token):
            return Logic("not", (self._truth(self._not(), token.end),))

    def _comparison(self) -> Condition | Value:
        start = self._peek().start
        left = self._sum()
        sign = self._take(*COMPARISONS)
        if sign is None:
            return left
        right = self._sum()
        text = self._text[start : self._tokens[self._next - 1].end]
        return Comparison(sign.text, self._number(left, start), self._number(right, sign.end), text)

    def _sum(self) -> Condition | Value:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Condition | Value:
        return self._chain(("*", "/"), self._factor)

    def _chain(
        self, signs: tuple[str, ...], part: Callable[[], Condition | Value]
    ) -> Condition | Value:
        start = self._peek().start
        value = part()
        while sign := self._take(*signs):
            right = self._number(part(), sign.end)
            value = Arithmetic(sign.text, self._number(value, start), right)
        return value

    def _factor(self) -> Condition | Value:
        token = self._peek()
        self._next += token.kind != "end"
        if token.kind == "number":
            return float(token.text)
        if token.kind == "name":
            return self._name(token)
        if token.text in ("(", "-"):
            with self._nested(token):
                if token.text == "-":
                    return Arithmetic("*", -1.0, self._number(self._factor(), token.end))
                inner = self._any()
                if not self._take(")"):
                    self._refuse(self._peek().start, "a ) is missing here")
                return inner
        return self._refuse(token.start, f"a name or a number is missing before {token.text}")

    @contextlib.contextmanager
    def _nested(self, token: _Token) -> Iterator[None]:
        if self._depth >= MAX_DEPTH:
            self._refuse(token.start, f"it is nested deeper than {MAX_DEPTH}")
        self._depth += 1
        yield
        self._depth -= 1

    def _name(self, token: _Token) -> Name:
        variant, dot, key = token.text.partition(".")
        variant, _, memory = variant.partition("@")
        if not dot:
            self._refuse(token.start, f"{token.text} is not VARIANT.MEASURE")
        if variant not in self._variants:
            known = ", ".join(self._variants)
            self._refuse(token.start, f"no variant {variant} is measured, only {known}")
        if measure_of(key) is None:
            self._refuse(token.start + len(token.text) - len(key), self._unknown(key))
        return Name(variant, int(memory) if memory else None, key)

    def _unknown(self, key: str) -> str:
        name = key.rpartition(".")[2]
        if "-" in name and any(name.startswith(measure.name) for measure in MEASURES):
            return f"{key} is one name; a minus needs spaces around it"
        return f"there is no measure {key}"

    def _number(self, value: Condition | Value, position: int) -> Value:
        if isinstance(value, Comparison | Logic):
            self._refuse(position, "a number is needed here, not a comparison")
        return value

    def _truth(self, value: Condition | Value, position: int) -> Condition:
        if isinstance(value, Comparison | Logic):
            return value
        return self._refuse(position, "a comparison is needed here, as in " + EXAMPLE)

    def _refuse(self, position: int, reason: str) -> NoReturn:
        raise DiagnosticError(
            "unusable-condition",
            f"--fail-if {self._text[:MAX_LENGTH]!r}, at character {position + 1}: {reason}",
            f"for example '{EXAMPLE}'; docs/reference/bench-measures.md lists the measures",
            USAGE,
        )
