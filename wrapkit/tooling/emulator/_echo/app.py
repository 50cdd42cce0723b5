"""The function of tests that need any: it returns its event."""

from __future__ import annotations

from typing import Any


def handler(event: Any, _context: Any) -> Any:
    """Return the event."""
    return event
