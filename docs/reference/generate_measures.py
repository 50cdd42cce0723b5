"""Writes docs/reference/bench-measures.md from the benchmark's measures; `--check` only compares.

`make generate` runs this, and a test compares.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.reference._made_pages import write_or_check
from wrapkit.tooling.bench import MEASURES, Measure

PAGE = Path(__file__).with_name("bench-measures.md")
OPENING = """\
<!-- Made by docs/reference/generate_measures.py; `make generate` writes it anew. -->

# What the benchmark measures

The names are those of records (`wrapkit bench --json`) and of `--fail-if`. A measure of one process
has the process in front: `both.runtime.init_cpu_ms`, `both.wrapkit.ready_ms`; an extension's
process is called like its file in `/opt/extensions`. Where a measure cannot be had on a machine,
the report says so and why, and a condition on it fails rather than passes.

| name | unit | of each process | AWS's name | what it is |
|---|---|---|---|---|
"""
CLOSING = """
Every cold start of the run gives a value, but for what is marked as inspected: that comes from one
start of each variant that is not timed, since looking would change the times.
"""


def page() -> str:
    """The whole reference as Markdown."""
    return OPENING + "\n".join(map(_row, MEASURES)) + "\n" + CLOSING


def _row(measure: Measure) -> str:
    of_process = {"": "", "also": "too", "only": "only"}[measure.by_process]
    inspected = " (Inspected.)" if measure.source == "inspection" else ""
    cells = (
        f"`{measure.name}`",
        measure.unit,
        of_process,
        measure.platform_name,
        f"{measure.definition}{inspected}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    pages = {PAGE: page()}
    sys.exit(write_or_check(pages, "measures", sys.argv[1:]))
