"""Time for the host: epoch milliseconds that never step back, and one timer."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(ABC):
    """What the host asks for the time, and to be called later."""

    @abstractmethod
    def now_ms(self) -> float:
        """Epoch milliseconds with fractions; the differences are monotonic."""

    @abstractmethod
    def call_at(self, when_ms: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back once the time has come; returns what cancels that."""


class SystemClock(Clock):
    """The machine's time: the wall clock at its making, carried on by the monotonic one."""

    def __init__(self) -> None:
        self._offset_ms = time.time() * 1000 - time.perf_counter() * 1000

    def now_ms(self) -> float:
        return self._offset_ms + time.perf_counter() * 1000

    def call_at(self, when_ms: float, callback: Callable[[], None]) -> Callable[[], None]:
        delay_s = max(0.0, when_ms - self.now_ms()) / 1000
        return asyncio.get_running_loop().call_later(delay_s, callback).cancel


class ManualClock(Clock):
    """A clock that stands still until ``advance`` moves it."""

    def __init__(self, now_ms: float = 1_700_000_000_000.0) -> None:
        self._now_ms = now_ms
        self._timers: list[tuple[float, Callable[[], None]]] = []

    def now_ms(self) -> float:
        return self._now_ms

    def call_at(self, when_ms: float, callback: Callable[[], None]) -> Callable[[], None]:
        timer = (when_ms, callback)
        self._timers.append(timer)

        def cancel() -> None:
            if timer in self._timers:
                self._timers.remove(timer)

        return cancel

    def advance(self, by_ms: float) -> None:
        """Moves on, and calls what has become due, in the order of the times."""
        end_ms = self._now_ms + by_ms
        while due := sorted(
            (timer for timer in self._timers if timer[0] <= end_ms), key=lambda timer: timer[0]
        ):
            self._timers.remove(due[0])
            self._now_ms = max(self._now_ms, due[0][0])
            due[0][1]()
        self._now_ms = end_ms
