"""What a variant costs, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._wording import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..bench import BenchRecord, Finding

# In this order the first that was measured is what the report is about.
SUBJECTS = ("both", "external", "internal")


def subject(record: BenchRecord) -> str | None:
    """The variant that the first sentence is about; None where only bare was measured."""
    others = record.variants[1:]
    return next((name for name in SUBJECTS if name in others), others[0] if others else None)


def cost_sentence(
    variant: str, found: Mapping[tuple[str, str], Finding], record: BenchRecord
) -> str:
    """As in: With both, a cold start takes 23 ms longer (19 to 31), ..."""
    parts = [
        _time(found.get(("init_ms", variant)), "a cold start"),
        _time(found.get(("warm_response_ms", variant)), "a warm response"),
        _memory(found.get(("max_memory_used_mb", variant))),
        _money(found.get(("usd_per_million", variant)), record),
    ]
    said = [part for part in parts if part]
    if not said:
        return f"With {variant}, nothing was measured beside bare."
    *first, last = said
    return f"With {variant}, " + ", ".join(first) + (" and " if first else "") + last + "."


def _time(finding: Finding | None, what: str) -> str:
    if finding is None or finding.added is None:
        return ""
    added = finding.added
    interval = f"{_digits(added.low)} to {_digits(added.high)}"
    if finding.verdict == "undecided":
        return f"what {what} takes more cannot be told ({interval})"
    if finding.verdict == "same":
        return f"{what} takes no longer ({interval})"
    word = "longer" if added.median > 0 else "less"
    return f"{what} takes {_digits(abs(added.median))} ms {word} ({interval})"


def _digits(value: float) -> str:
    """Three digits: `221`, `22.9`, `0.12`."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"


def _memory(finding: Finding | None) -> str:
    if finding is None or finding.added is None:
        return ""
    if finding.verdict in ("same", "undecided"):
        return "memory is as before"
    word = "more" if finding.added.median > 0 else "less"
    return f"Max Memory Used is {abs(finding.added.median):.0f} MB {word}"


def _money(finding: Finding | None, record: BenchRecord) -> str:
    if finding is None or finding.added is None:
        return ""
    rate = f"at {percent(record.scenario['cold_start_rate'])} cold starts"
    if finding.verdict in ("same", "undecided"):
        return f"a million invocations cost the same, as far as can be told, {rate}"
    word = "more" if finding.added.median > 0 else "less"
    return f"a million invocations cost ${abs(finding.added.median):.4f} {word}, {rate}"
