"""A ``wrapkit.toml`` with every setting in it as a comment."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from ._schema import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._setting import Setting

_WIDTH = 100
_OPENING = """\
# What wrapkit builds into a layer: defaults for every function that has it. A variable of the
# function wins over what is here. Take the # off what you set; docs/reference/settings.md has all.
"""


def commented_file() -> str:
    """The text of the file; it is valid as it is, and with any of the comments taken off."""
    return _OPENING + "".join(_table(name) for name in _tables())


def _tables() -> list[str]:
    return list(dict.fromkeys(setting.table for setting in SETTINGS if setting.table))


def _table(name: str) -> str:
    settings = [setting for setting in SETTINGS if setting.key and setting.table == name]
    return f"\n[{name}]\n" + "\n".join("\n".join(_lines(setting)) for setting in settings) + "\n"


def _lines(setting: Setting) -> Iterator[str]:
    text = f"{setting.meaning}. Default: {setting.default}"
    yield from (f"# {line}" for line in textwrap.wrap(_plain(text), _WIDTH - 2))
    yield f"#{setting.name} = {setting.kind.example}"


def _plain(markdown: str) -> str:
    """Without the links of the reference, which lead nowhere from here."""
    return re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown)
