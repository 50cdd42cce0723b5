"""Finds what goes wrong in practice, and says how to mend it."""

from __future__ import annotations

from ._checks import check
from ._facts import Facts, LayerFacts, gather
from ._folder import check_folder

__all__ = ["Facts", "LayerFacts", "check", "check_folder", "gather"]
