"""Writes pages that are made from the code, or says whether they are up to date."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_or_check(pages: Mapping[Path, str], source: str, arguments: list[str]) -> int:
    """Write each page's text, or with `--check` only compare; return the exit code.

    `source` is what the pages are made from, in the plural, for the error of a page that differs.
    """
    for path, text in pages.items():
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            sys.stderr.write(f"error: {path} is not what the {source} say\nhint: make generate\n")
            return 1
    return 0
