"""`python -m wrapkit.tooling.cli`: the command for an interpreter that has no script of it."""

from __future__ import annotations

from ._main import main

main()
