"""The life of one environment as bars: what each process does in Init, Invoke and Shutdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._axis import LinearAxis
from ._wording import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..bench import Start

RUNTIME = "runtime"
# Between two phases the environment is frozen for as long as nobody calls; drawn as a gap.
GAP_SHARE = 0.02
TITLES = {
    "init": "Init",
    "first": "first invocation",
    "warm": "a warm invocation",
    "shutdown": "Shutdown",
}


@dataclass(frozen=True)
class Bar:
    """A stretch of a process's time, placed on the drawing.

    ``kind`` is work, rest (after the response, or after the runtime was done) or start (until an
    extension has registered).
    """

    x: float
    width: float
    kind: str
    title: str


@dataclass(frozen=True)
class Row:
    process: str
    bars: Sequence[Bar]


@dataclass(frozen=True)
class Phase:
    """Where a phase begins and how wide it is on the drawing."""

    title: str
    x: float
    width: float
    duration: str


@dataclass(frozen=True)
class Timeline:
    """One variant's bars; `spoken` says the same in words."""

    variant: str
    phases: Sequence[Phase]
    rows: Sequence[Row]
    spoken: str


@dataclass(frozen=True)
class _Stretch:
    """From `start_ms` to `end_ms` of a phase a process does something of that kind."""

    process: str
    start_ms: float
    end_ms: float
    kind: str
    what: str


def timelines(
    starts: Mapping[str, Start], names: Sequence[str]
) -> tuple[LinearAxis, list[Timeline]]:
    """The phases in `names` of each variant's start, one after the other, all on one scale."""
    totals = [
        sum(_duration_ms(start, name) for name in names if start.timeline[name])
        for start in starts.values()
    ]
    axis = LinearAxis(max(totals, default=0.0) * (1 + GAP_SHARE * (len(names) - 1)))
    return axis, [_timeline(variant, start, names, axis) for variant, start in starts.items()]


def _timeline(variant: str, start: Start, names: Sequence[str], axis: LinearAxis) -> Timeline:
    offset_ms, phases = 0.0, []
    rows: dict[str, list[Bar]] = {}
    for name in names:
        if not start.timeline[name]:
            continue
        duration_ms = _duration_ms(start, name)
        phases.append(
            Phase(
                TITLES[name],
                axis.place(offset_ms),
                axis.place(duration_ms),
                milliseconds(duration_ms),
            )
        )
        for stretch in _stretches(name, start.timeline[name]):
            bar = _bar(stretch, offset_ms, axis)
            rows.setdefault(stretch.process, []).append(bar)
        offset_ms += duration_ms + axis.end * GAP_SHARE / (1 + GAP_SHARE)
    spoken = ", ".join(f"{phase.title} {phase.duration}" for phase in phases)
    return Timeline(variant, phases, [Row(*row) for row in rows.items()], f"{variant}: {spoken}")


def _duration_ms(start: Start, name: str) -> float:
    duration_ms: float = start.timeline[name]["duration_ms"]
    return duration_ms


def _bar(stretch: _Stretch, offset_ms: float, axis: LinearAxis) -> Bar:
    start_ms, end_ms = stretch.start_ms, max(stretch.end_ms, stretch.start_ms)
    x = axis.place(offset_ms + start_ms)
    # What is too short to be seen is still there.
    width = max(1.5, round(axis.place(offset_ms + end_ms) - x, 2))
    title = f"{stretch.process}, {stretch.what}: {milliseconds(end_ms - start_ms)}"
    return Bar(x, width, stretch.kind, title)


def _stretches(name: str, timeline: Mapping[str, Any]) -> Iterator[_Stretch]:
    if name == "init":
        yield from _init_stretches(timeline)
    elif name == "shutdown":
        for process, at_ms in timeline["exited_ms"].items():
            yield _Stretch(process, 0, at_ms, "work", "until it was gone")
    else:
        yield from _invocation_stretches(timeline)


def _init_stretches(timeline: Mapping[str, Any]) -> Iterator[_Stretch]:
    for process, times in timeline["processes"].items():
        begin_ms, end_ms = times["exec_ms"], times["next_ms"]
        if begin_ms is None or end_ms is None:
            continue
        registered_ms = times.get("registered_ms")
        if registered_ms is not None:
            yield _Stretch(process, begin_ms, registered_ms, "start", "until it has registered")
            yield _Stretch(process, registered_ms, end_ms, "work", "until it is ready")
        else:
            yield _Stretch(process, begin_ms, end_ms, "work", "until it is ready")


def _invocation_stretches(timeline: Mapping[str, Any]) -> Iterator[_Stretch]:
    """An extension is known to work after the runtime was done only."""
    response_ms, next_ms = timeline["response_ms"], timeline["next_ms"]
    runtime_ms = next_ms.get(RUNTIME, response_ms)
    yield _Stretch(RUNTIME, 0, response_ms, "work", "until the response")
    yield _Stretch(RUNTIME, response_ms, runtime_ms, "rest", "after the response")
    for process, at_ms in next_ms.items():
        if process != RUNTIME and at_ms > runtime_ms:
            yield _Stretch(process, runtime_ms, at_ms, "rest", "after the runtime was done")
