"""Ctrl-C and SIGTERM as a cancellation, so that everything that was started is ended first."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine

T = TypeVar("T")

# What a shell reports for a process that a signal ended.
SIGINT_EXIT_CODE = 128 + signal.SIGINT


class InterruptedCommandError(Exception):
    """The user, or whoever sent SIGTERM, ended the command; the clean-up is done."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


class SignalFlag:
    """A context in which SIGINT and SIGTERM end nothing by themselves: `check` raises then.

    For work that is calls to somebody else, none of which may be cut off half-way.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._before: dict[int, Any] = {}

    def __enter__(self) -> SignalFlag:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(
                number, lambda received, _: self._received.append(received)
            )
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raises `InterruptedCommandError` when a signal has come."""
        if self._received:
            raise InterruptedCommandError(self._received[0])


def run_interruptible(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, of which no process is left then.

    Raises `InterruptedCommandError` if a signal ended it, once its clean-up is done.
    """
    import asyncio  # tens of milliseconds that `wrapkit --help` does not pay

    from .._orphans import no_orphans

    with no_orphans():
        return asyncio.run(_cancel_on_signal(work))


async def _cancel_on_signal(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    # asyncio.run cancels on SIGINT by itself since Python 3.11 only, and never on SIGTERM.
    task = asyncio.ensure_future(work)
    received: list[int] = []
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _interrupt, task, received, number)
    try:
        return await task
    except asyncio.CancelledError:
        if received:
            raise InterruptedCommandError(received[0]) from None
        raise


def _interrupt(task: asyncio.Task[Any], received: list[int], number: int) -> None:
    """Cancel once: a second Ctrl-C must not cut the clean-up short and leave processes behind."""
    if not received:
        received.append(number)
        task.cancel()
