"""What can be set: the schema of variables and ``wrapkit.toml``, and the reader of that file.

One table says of each setting its variable, its key in ``wrapkit.toml``, its default and its
meaning; the reference is made from it (docs/reference/generate.py).
"""

from __future__ import annotations

from ._commented import commented_file
from ._file import FILE_NAME, Settings, find_settings, read_settings
from ._kinds import Choice, Flag, Kind, Listing, Mapping, Ratio, Text, Url, Whole
from ._schema import SECTIONS, SETTINGS
from ._setting import Section, Setting

__all__ = [
    "FILE_NAME",
    "SECTIONS",
    "SETTINGS",
    "Choice",
    "Flag",
    "Kind",
    "Listing",
    "Mapping",
    "Ratio",
    "Section",
    "Setting",
    "Settings",
    "Text",
    "Url",
    "Whole",
    "commented_file",
    "find_settings",
    "read_settings",
]
