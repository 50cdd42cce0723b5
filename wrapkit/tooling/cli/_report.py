"""``wrapkit report``: a group of two commands."""

from __future__ import annotations

from ._groups import LazyGroup

report = LazyGroup(
    "report",
    summaries={
        "bench": "Show a record of `wrapkit bench` again, as a table or as an HTML file.",
        "logs": "Make tables of REPORT lines from CloudWatch, and compare versions by them.",
    },
    prefix="_report_",
    help="Show what was measured: records of benchmarks, and REPORT lines from CloudWatch.",
)
