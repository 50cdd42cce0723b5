"""Kinds of values: what ``wrapkit.toml`` may say, and the text that a variable says it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, urlsplit


class Kind(Protocol):
    """How a value is checked and written. ``example`` is TOML."""

    @property
    def example(self) -> str: ...

    def text(self, value: object) -> str:
        """The value as the text of a variable; ``ValueError`` says what was expected."""
        ...


@dataclass(frozen=True)
class Text:
    """Any text without control characters."""

    example: str = '""'

    def text(self, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError("a text of one line")
        return value


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def example(self) -> str:
        return f'"{self.words[0]}"'

    def text(self, value: object) -> str:
        if value not in self.words:
            raise ValueError("one of " + ", ".join(f'"{word}"' for word in self.words))
        return str(value)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    example: str = "true"

    def text(self, value: object) -> str:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return "true" if value else "false"


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    least: int
    most: int
    example: str = "1"

    def text(self, value: object) -> str:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"a whole number from {self.least} to {self.most}")
        if not self.least <= value <= self.most:
            raise ValueError(f"a whole number from {self.least} to {self.most}")
        return str(value)


@dataclass(frozen=True)
class Ratio:
    """A number from 0 to 1."""

    example: str = "0.25"

    def text(self, value: object) -> str:
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not number or not 0 <= float(str(value)) <= 1:
            raise ValueError("a number from 0 to 1")
        return str(value)


@dataclass(frozen=True)
class Listing:
    """A list of words, where ``words`` is not empty of these only."""

    words: tuple[str, ...] = ()
    separator: str = ","
    example: str = "[]"

    def text(self, value: object) -> str:
        if not isinstance(value, list) or not all(map(self._fits, value)):
            of = f" of {', '.join(self.words)}" if self.words else " of texts"
            raise ValueError(f"a list{of}")
        return self.separator.join(value)

    def _fits(self, item: object) -> bool:
        if not isinstance(item, str) or not item.isprintable() or self.separator in item:
            return False
        return bool(item) and (not self.words or item in self.words)


@dataclass(frozen=True)
class Mapping:
    """A table of texts, written as OpenTelemetry writes resource attributes."""

    example: str = '{ "deployment.environment.name" = "production" }'

    def text(self, value: object) -> str:
        if not isinstance(value, dict):
            raise ValueError("a table of texts")
        pairs = []
        for name, text in value.items():
            if not name or any(mark in name for mark in ",= ") or not isinstance(text, str):
                raise ValueError("a table of texts, their names without comma, space and =")
            pairs.append(f"{name}={quote(text, safe=_BAGGAGE_SAFE)}")
        return ",".join(pairs)


# What W3C Baggage lets stand in a value, besides letters and digits.
_BAGGAGE_SAFE = "!#$&'()*+-./:<=>?@[]^_`{|}~"


@dataclass(frozen=True)
class Url:
    """An http or https URL; one with a password in it does not belong into a file."""

    example: str = '"https://otlp.example.com"'

    def text(self, value: object) -> str:
        parts = urlsplit(value) if isinstance(value, str) else None
        if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc:
            raise ValueError("an http:// or https:// URL")
        if "@" in parts.netloc:
            raise ValueError("a URL without user and password: a layer is no place for them")
        return str(value)
