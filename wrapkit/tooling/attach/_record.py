"""What an attachment changed, kept on the function itself in one variable.

A variable rather than a tag: it is written in the same call as the change, so that no interrupt can
come between the two; it takes no permission beyond the one to change the function; and it has room,
where a tag's value ends at 256 characters. It counts towards the 4 KB of all variables, so it is
short: names and check sums of what was set, and values only of what was replaced.

Form: that of a URL's query, since JSON's quotation marks would count twice.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlencode

from .._errors import DiagnosticError

if TYPE_CHECKING:
    from collections.abc import Mapping

RECORD = "WRAPKIT_ATTACHED"
_FORM = "1"
_SAFE = "/:,;~"


@dataclass(frozen=True)
class Record:
    """The parts of a function's configuration that wrapkit is answerable for.

    ``layer`` is the version that was added; ``replaced_layers`` those that made room for it, with
    the places that they had; ``checksums`` by the name of each variable that was set; ``replaced``
    the values that some of these had before.
    """

    version: str
    layer: str
    replaced_layers: tuple[tuple[int, str], ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)
    replaced: Mapping[str, str] = field(default_factory=dict)

    def encode(self) -> str:
        """The variable's value."""
        fields = {
            "form": _FORM,
            "by": self.version,
            "layer": self.layer,
            "out": ",".join(f"{place}~{arn}" for place, arn in self.replaced_layers),
            "set": ",".join(f"{name}:{self.checksums[name]}" for name in sorted(self.checksums)),
            # Quoted once more, since a value may hold any of the separators.
            "was": ",".join(
                f"{k}:{quote(self.replaced[k], safe='/')}" for k in sorted(self.replaced)
            ),
        }
        return urlencode({key: text for key, text in fields.items() if text}, safe=_SAFE)


def decode(text: str, function: str) -> Record:
    """The record in a variable's value.

    Raises:
        DiagnosticError: it is damaged, or a later wrapkit wrote it.
    """
    try:
        fields = dict(parse_qsl(text, strict_parsing=True))
        if fields["form"] != _FORM:
            raise DiagnosticError(
                "record-too-new",
                f"{function}: the record in {RECORD} has form {fields['form']}, unknown here",
                "use the version of wrapkit that attached it, or a later one",
            )
        return Record(
            fields.get("by", ""),
            fields["layer"],
            tuple(_replaced_layer(item) for item in _items(fields.get("out", ""))),
            dict(_pair(item) for item in _items(fields.get("set", ""))),
            {name: unquote(was) for name, was in map(_pair, _items(fields.get("was", "")))},
        )
    except (KeyError, ValueError) as error:
        raise DiagnosticError(
            "record-damaged",
            f"{function}: the record in {RECORD} cannot be read",
            "remove wrapkit's layer, its variables and this one by hand",
        ) from error


def _items(text: str) -> list[str]:
    return text.split(",") if text else []


def _pair(item: str) -> tuple[str, str]:
    name, colon, rest = item.partition(":")
    if not colon:
        raise ValueError(item)
    return name, rest


def _replaced_layer(item: str) -> tuple[int, str]:
    place, _, arn = item.partition("~")
    return int(place), arn


def checksum(text: str) -> str:
    """Tells whether a value was changed since; short, since it counts towards the 4 KB."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
