"""The ``wrapkit`` command: a front of lazily imported commands, one module each."""

from __future__ import annotations

from ._main import main

__all__ = ["main"]
