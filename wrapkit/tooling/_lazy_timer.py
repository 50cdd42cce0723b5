"""A timer that is put off far more often than it fires."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class LazyTimer:
    """Calls back once, when the time that was set last has come.

    An invocation sets and cancels several timers. A loop's timer costs some microseconds to make,
    and stays in the loop's heap when it is cancelled; this one keeps the loop's timer that it has,
    and looks again when that fires.
    """

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._due_s: float | None = None
        self._handle: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether it will call back."""
        return self._due_s is not None

    def set(self, delay_s: float) -> None:
        """Calls back after the delay, in place of what was set before."""
        self._due_s = self._loop.time() + delay_s
        if self._handle is None or self._handle.when() > self._due_s:
            self._start(self._due_s)

    def cancel(self) -> None:
        """Does not call back."""
        self._due_s = None

    def close(self) -> None:
        """Does not call back, and lets go of the loop's timer."""
        self._due_s = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _start(self, when_s: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_at(when_s, self._fire)

    def _fire(self) -> None:
        self._handle = None
        if self._due_s is None:
            return
        if self._loop.time() < self._due_s:
            self._start(self._due_s)
            return
        self._due_s = None
        self._callback()
