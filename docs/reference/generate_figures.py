"""Writes the figures that pages quote, from the records that are committed; `--check` compares.

`make bench` makes the records anew, it and `make generate` run this, and a test compares: README.md
and bench/results/README.md quote what was measured, or nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs.reference._made_pages import write_or_check
from wrapkit.tooling.bench import load_record
from wrapkit.tooling.report import bench_markdown

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench/results"
QUOTED = RESULTS / "noop-python3.11.json"
QUOTED_ROWS = (
    "init_ms",
    "init_cpu_ms",
    "warm_response_ms",
    "warm_duration_ms",
    "max_memory_used_mb",
    "usd_per_million",
)
BEGIN = "<!-- Figures of a record in bench/results; `make generate` writes them anew. -->\n"
END = "<!-- End of the figures. -->\n"
OPENING = """\
<!-- Made by docs/reference/generate_figures.py; `make generate` writes it anew. -->

# Results

Each record is a file of `wrapkit bench`: every cold start with all its measures. `wrapkit report
bench RECORD` shows it, with `--html` as a page; [how they are made](../README.md).
"""


def readme() -> str:
    """README.md with the figures of the record that it quotes."""
    before, begin, rest = (ROOT / "README.md").read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit("error: README.md has no place for the figures")
    return before + BEGIN + bench_markdown(load_record(QUOTED), QUOTED_ROWS) + END + after


def results() -> str:
    """The page of all records."""
    sections = [
        f"## [{path.stem}]({path.name})\n\n{bench_markdown(load_record(path))}"
        for path in sorted(RESULTS.glob("*.json"))
    ]
    return "\n".join([OPENING, *sections])


if __name__ == "__main__":
    pages = {ROOT / "README.md": readme(), RESULTS / "README.md": results()}
    sys.exit(write_or_check(pages, "records", sys.argv[1:]))
