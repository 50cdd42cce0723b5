"""The characters to draw with, where Unicode is understood and where it is not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Glyphs:
    """Bars, branches of a tree, and the mark of a failure."""

    bar: str
    branch: str
    last_branch: str
    trunk: str
    failed: str


UNICODE_GLYPHS = Glyphs(bar="━", branch="├─ ", last_branch="└─ ", trunk="│  ", failed="✗")
ASCII_GLYPHS = Glyphs(bar="=", branch="|- ", last_branch="`- ", trunk="|  ", failed="x")
