"""A benchmark as one HTML file: what it costs, how it came about, and how sure that is.

The file needs no network, no script, and no colour to be understood; it has a light and a dark
look, and fits a phone and a sheet of paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..bench import BARE, MEASURES, findings
from ._axis import WIDTH
from ._bench_costs import cost_tables
from ._bench_distribution import HEIGHT, histograms, strips
from ._bench_figures import figure_table
from ._bench_sentence import cost_sentence, subject
from ._bench_timeline import timelines
from ._wording import counted

if TYPE_CHECKING:
    from ..bench import BenchRecord, Start
    from ._axis import LinearAxis, LogAxis
    from ._bench_distribution import Histogram, Strip
    from ._bench_figures import FigureTable
    from ._bench_timeline import Timeline

TEMPLATES = Path(__file__).with_name("_page")
LIFE = ("init", "first", "shutdown")
# As many colours as the style sheet has; of more variants the last share one.
COLOURS = 8
STOPPED = {
    "rounds": "all rounds were made",
    "precision": "it was precise enough",
    "budget": "the budget of time was used up",
}


@dataclass(frozen=True)
class SizePage:
    """All that is shown of one memory size."""

    memory_mb: int
    sentence: str
    others: list[str]
    cold_axis: LinearAxis
    cold: list[Strip]
    warm_axis: LogAxis | None
    warm: list[Histogram]
    life_axis: LinearAxis
    life: list[Timeline]
    invocation_axis: LinearAxis
    invocation: list[Timeline]
    headline: FigureTable
    figures: FigureTable


def bench_page(record: BenchRecord) -> str:
    """The whole file as text."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("bench.html")
    return template.render(_context(record)) + "\n"


def _context(record: BenchRecord) -> dict[str, Any]:
    pages = [_size_page(record, memory_mb) for memory_mb in record.memory_mb]
    used = {row.key.rpartition(".")[2] for page in pages for row in page.figures.rows}
    return {
        "record": record,
        "scenario": record.scenario,
        "pages": pages,
        "costs": cost_tables(record),
        "colours": {name: min(n, COLOURS - 1) for n, name in enumerate(record.variants)},
        "measures": [measure for measure in MEASURES if measure.name in used],
        "problems": _problems(record),
        "rounds": counted(record.rounds(), "cold start"),
        "stopped": STOPPED[record.stopped],
        "width": WIDTH,
        "height": HEIGHT,
        "bare": BARE,
        "is_aws": record.scenario["isolation"] == "AWS Lambda",
    }


def _size_page(record: BenchRecord, memory_mb: int) -> SizePage:
    starts = [start for start in record.starts if start.memory_mb == memory_mb]
    found = {(one.measure, one.variant): one for one in findings(starts)}
    about = subject(record)
    inits = {
        variant: [start.measures["init_ms"] for start in starts if start.variant == variant]
        for variant in record.variants
    }
    cold_axis, cold = strips(inits, {name: found["init_ms", name].value for name in inits})
    warm_axis, warm = _warm(record, starts)
    typical = {variant: _typical(starts, variant) for variant in record.variants}
    if not all(start.timeline for start in typical.values()):
        typical = {}  # AWS tells nothing of processes
    life_axis, life = timelines(typical, LIFE)
    invocation_axis, invocation = timelines(typical, ("warm",))
    others = [name for name in record.variants if name not in (BARE, about)]
    return SizePage(
        memory_mb,
        cost_sentence(about, found, record) if about else "Only the bare function was measured.",
        [cost_sentence(name, found, record) for name in others],
        cold_axis,
        cold,
        warm_axis,
        warm,
        life_axis,
        life,
        invocation_axis,
        invocation,
        figure_table(record, found, details=False),
        figure_table(record, found, details=True),
    )


def _warm(record: BenchRecord, starts: list[Start]) -> tuple[LogAxis | None, list[Histogram]]:
    values = {
        variant: [
            latency
            for start in starts
            if start.variant == variant
            for latency in start.warm_response_ms
        ]
        for variant in record.variants
    }
    return histograms(values) if all(values.values()) else (None, [])


def _typical(starts: list[Start], variant: str) -> Start:
    """The start whose Init Duration is in the middle."""
    ordered = sorted(
        (start for start in starts if start.variant == variant),
        key=lambda start: start.measures["init_ms"],
    )
    return ordered[len(ordered) // 2]


def _problems(record: BenchRecord) -> list[str]:
    """What could not be measured, and why."""
    titles = {measure.name: measure.title for measure in MEASURES}
    return list(
        dict.fromkeys(
            f"{titles[key]}: {why}."
            for inspection in record.inspections.values()
            for key, why in inspection["problems"].items()
        )
    )
