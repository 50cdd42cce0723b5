"""Edits of a YAML text that leave every other byte alone, and that can be taken back.

A line that was added ends in a mark. A line that was replaced stays in front of its successor as a
comment. So whoever reads the template sees what came from where, and taking it back needs nothing
else than the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ADDED = "  # wrapkit"
REPLACED = "# wrapkit replaced: "

_ADDED_LINE = re.compile(rf"{re.escape(ADDED)}\s*$")
_REPLACED_LINE = re.compile(rf"^(?P<indent>\s*){re.escape(REPLACED)}(?P<line>.*)$", re.DOTALL)


@dataclass(frozen=True)
class Edit:
    """Lines to put in front of line ``at`` (from 0); with ``replaces``, in place of that line."""

    at: int
    lines: tuple[str, ...]
    replaces: bool = False


def apply_edits(text: str, edits: list[Edit]) -> str:
    """The text with the edits, in its own line ends."""
    lines = text.splitlines(keepends=True)
    end = "\r\n" if text.count("\r\n") > text.count("\n") / 2 else "\n"
    # From the last to the first, so that no edit moves another's line; at one line what replaces it
    # is done before anything is put in front of it.
    order = sorted(enumerate(edits), key=lambda e: (e[1].at, e[1].replaces, e[0]), reverse=True)
    for _, edit in order:
        added = [line + ADDED + end for line in edit.lines]
        if edit.replaces:
            old = lines[edit.at]
            stripped = old.lstrip()
            added.insert(0, old[: len(old) - len(stripped)] + REPLACED + stripped)
            lines[edit.at : edit.at + 1] = added
        else:
            _append_end(lines, edit.at, added, end)
            lines[edit.at : edit.at] = added
    return "".join(lines)


def _append_end(lines: list[str], at: int, added: list[str], end: str) -> None:
    """Where the text's last line has no end, the new last line has none instead."""
    if at == len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += end
        added[-1] = added[-1].removesuffix(end)


def take_back(text: str) -> str:
    """The text before `apply_edits`, byte for byte."""
    lines = text.splitlines(keepends=True)
    kept = [_restored(line) for line in lines if not _ADDED_LINE.search(line)]
    last_was_ours = bool(lines) and bool(_ADDED_LINE.search(lines[-1]))
    if last_was_ours and kept and not lines[-1].endswith("\n"):
        kept[-1] = kept[-1].rstrip("\r\n")
    return "".join(kept)


def _restored(line: str) -> str:
    match = _REPLACED_LINE.match(line)
    return match["indent"] + match["line"] if match else line


def added_lines(text: str) -> list[tuple[int, str]]:
    """The numbers (from 1) and texts of the lines that are wrapkit's."""
    return [
        (number, _ADDED_LINE.sub("", line))
        for number, line in enumerate(text.splitlines(), 1)
        if _ADDED_LINE.search(line)
    ]
