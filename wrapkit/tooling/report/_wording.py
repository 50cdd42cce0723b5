"""Values as a reader of the terminal sees them."""

from __future__ import annotations

import json
import unicodedata

from rich.cells import cell_len, set_cell_size


def milliseconds(value_ms: float) -> str:
    """A duration with three significant digits or so: `0.42 ms`, `12.3 ms`, `1 234 ms`."""
    if value_ms < 10:
        return f"{value_ms:.2f} ms"
    if value_ms < 1000:
        return f"{value_ms:.1f} ms"
    return f"{value_ms:,.0f} ms".replace(",", " ")


def one_line(text: str, *, keep_indent: bool = False) -> str:
    """The text without line breaks and control characters, which could rewrite the terminal."""
    indent = " " * (len(text) - len(text.lstrip(" "))) if keep_indent else ""
    printable = "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in text
    )
    return indent + " ".join(printable.split())


def fit(text: str, cells: int) -> str:
    """The text, cut with three dots where it is wider than `cells`."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, max(0, cells - 3)).rstrip() + "..." if cells > 3 else text[:cells]


def attribute_text(value: object) -> str:
    """An attribute's value on one line; what is not a string as JSON, bytes in hex."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, bytes):
        return value.hex()
    return one_line(json.dumps(value, default=bytes_as_hex))


def bytes_as_hex(value: object) -> str:
    """What JSON has no form for, as the text that stands for it in a document."""
    return value.hex() if isinstance(value, bytes) else str(value)


def seconds(value_ms: float) -> str:
    """A setting in seconds, as Lambda shows timeouts: `3 s`, `0.5 s`."""
    return f"{value_ms / 1000:g} s"


def counted(count: int, noun: str) -> str:
    """`1 trace`, `2 traces`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def figure(value: float) -> str:
    """A measured value with two or three digits behind the point; a count without."""
    if float(value).is_integer():
        return f"{value:.0f}"
    if abs(value) < 1:
        return f"{value:.3f}"
    return f"{value:.2f}" if abs(value) < 100_000 else f"{value:.0f}"


def signed_figure(value: float) -> str:
    """A difference, in at most six cells."""
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:+.0f}"
    return f"{value:+.3f}" if abs(value) < 1 else f"{value:+.2f}"


def percent(share: float) -> str:
    """A share of 1: `1%`, `0.1%`."""
    return f"{share * 100:g}%"
