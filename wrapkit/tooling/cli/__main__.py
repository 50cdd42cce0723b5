"""`python -m wrapkit.tooling.cli`: the command for an interpreter that has no script of it."""

from __future__ import annotations

from . import main

main()
