"""Files that are written whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._errors import DiagnosticError

if TYPE_CHECKING:
    from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write all of the file or none of it; raises `DiagnosticError`."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DiagnosticError(
            "output-not-writable", f"{path} cannot be written: {error.strerror}"
        ) from error
