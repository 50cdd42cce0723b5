"""How far a benchmark is, on stderr: a bar with the time left, or lines where no terminal is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress

    from ..bench import Observer, PlannedStart


def bench_observer(rounds: int, cells: int) -> BarObserver | LineObserver:
    """The observer for this stderr, to be used as a context."""
    return BarObserver(rounds, cells) if sys.stderr.isatty() else LineObserver(rounds)


class LineObserver:
    """One line at the begin of each round."""

    def __init__(self, rounds: int) -> None:
        self._rounds = rounds

    def __enter__(self) -> Observer:
        return self

    def __exit__(self, *_: object) -> None:
        """Every line is out already."""

    def prepare(self, variant: str) -> None:
        """Nobody waits long for this."""

    def begin(self, starts: int, done: int) -> None:
        """An interrupted run is gone on with."""
        if done:
            click.echo(f"going on after {done} of {starts} cold starts", err=True)

    def expect(self, rounds: int) -> None:
        self._rounds = rounds

    def tell(self, planned: PlannedStart) -> None:
        if planned.position == 0:
            click.echo(f"round {planned.round + 1} of {self._rounds}", err=True)


class BarObserver:
    """A bar that ends with an estimate of the time left."""

    def __init__(self, rounds: int, cells: int) -> None:
        self._rounds, self._cells = rounds, cells
        self._progress = _progress()
        self._task = self._progress.add_task("preparing", total=None)
        self._told = 0

    def __enter__(self) -> Observer:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def prepare(self, variant: str) -> None:
        self._progress.update(self._task, description=f"preparing {variant}")

    def begin(self, starts: int, done: int) -> None:
        self._told = done
        self._progress.reset(self._task, total=starts, completed=done)

    def expect(self, rounds: int) -> None:
        self._rounds = rounds
        self._progress.update(self._task, total=rounds * self._cells)

    def tell(self, planned: PlannedStart) -> None:
        place = f"{planned.cell.variant}, {planned.cell.memory_mb} MB"
        text = f"round {planned.round + 1} of {self._rounds}  {place}"
        # A start is told before it is made: those before it are what is done.
        self._progress.update(self._task, description=text, completed=self._told)
        self._told += 1


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )
