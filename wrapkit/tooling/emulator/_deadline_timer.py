"""The timer of the lifecycle's next deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wrapkit.lifecycle import Environment

    from ._clock import Clock


class DeadlineTimer:
    """Calls back when the environment's next deadline has come.

    A timer that fires too early looks again: each invocation has a deadline, and hardly any comes
    to it, so a new timer for each would be work for nothing.
    """

    def __init__(self, environment: Environment, clock: Clock, expire: Callable[[], None]) -> None:
        self._environment, self._clock, self._expire = environment, clock, expire
        self._at_ms: float | None = None
        self._cancel: Callable[[], None] | None = None

    def set(self) -> None:
        """Looks at the next deadline, which may have changed."""
        deadline_ms = self._environment.next_deadline_ms()
        if deadline_ms is None or (self._at_ms is not None and self._at_ms <= deadline_ms):
            return
        self.close()
        self._at_ms = deadline_ms
        self._cancel = self._clock.call_at(deadline_ms, self._fire)

    def _fire(self) -> None:
        self._cancel = self._at_ms = None
        deadline_ms = self._environment.next_deadline_ms()
        if deadline_ms is not None and deadline_ms <= self._clock.now_ms():
            self._expire()
        else:
            self.set()

    def close(self) -> None:
        """Does not call back."""
        if self._cancel is not None:
            self._cancel()
        self._cancel = self._at_ms = None
