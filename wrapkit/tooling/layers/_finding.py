"""What is wrong, or may be, and what mends it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """ERROR: it will fail. WARNING: it may, or costs something. NOTE: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that was found. ``reference`` is a kebab-case name of its kind."""

    severity: Severity
    reference: str
    message: str
    hint: str = ""
