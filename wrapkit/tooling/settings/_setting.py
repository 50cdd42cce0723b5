"""What a setting is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._kinds import Kind


@dataclass(frozen=True)
class Setting:
    """One thing that can be set.

    Args:
        key: its place in ``wrapkit.toml`` (``traces.exporter``); empty for what belongs to one
            function or is secret, and so has no place in a layer.
        variable: the variable of the function; empty for what concerns the making of a layer only.
        kind: what its value may be.
        default: what holds without it, in Markdown.
        meaning: what it does, in Markdown, one paragraph.
    """

    key: str
    variable: str
    kind: Kind
    default: str
    meaning: str

    @property
    def table(self) -> str:
        """The table of ``wrapkit.toml`` that it stands in."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Its name within the table."""
        return self.key.rpartition(".")[2]


@dataclass(frozen=True)
class Section:
    """A group of settings under one heading, with a paragraph about them."""

    title: str
    settings: tuple[Setting, ...]
    about: str = ""
