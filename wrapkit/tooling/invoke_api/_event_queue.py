"""Asynchronous invocations: taken at once, made when there is room, tried again after an error.

Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
invocation".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ._refusal import InvokeRefusedError, throttled

if TYPE_CHECKING:
    from ..emulator import Invocation
    from ._observer import ServiceObserver
    from ._pool import EnvironmentPool
    from ._request import InvokeRequest
    from ._served_function import ServedFunction

# Lambda's queue has no limit that anybody is told of; ours bounds the memory: 1000 events of 1 MB.
_MAX_EVENTS = 1000


class _Event:
    """One event, and its attempt that is going on or was the last."""

    def __init__(self, request: InvokeRequest) -> None:
        self.request = request
        self.attempt: Invocation | None = None

    @property
    def failure(self) -> str:
        """Why the attempt, which is over, failed; empty where it did not."""
        result = None if self.attempt is None else self.attempt.result()
        if result is None or result.function_error is None:
            return ""
        return result.error_type or "an error"

    @property
    def is_done(self) -> bool:
        """Whether an attempt succeeded."""
        return self.attempt is not None and self.attempt.ended.done() and not self.failure


class EventQueue:
    """The events of one function that wait for their turn, or for their next attempt."""

    def __init__(
        self, served: ServedFunction, pool: EnvironmentPool, observer: ServiceObserver
    ) -> None:
        self._served, self._pool, self._observer = served, pool, observer
        self._events: dict[asyncio.Task[None], _Event] = {}

    def put(self, request: InvokeRequest) -> None:
        """Takes an event; raises ``InvokeRefusedError`` when there are too many."""
        if len(self._events) >= _MAX_EVENTS:
            raise throttled()
        event = _Event(request)
        task = asyncio.get_running_loop().create_task(self._process(event))
        self._events[task] = event
        task.add_done_callback(self._events.pop)

    async def _process(self, event: _Event) -> None:
        try:
            await asyncio.wait_for(self._try(event), self._served.event_max_age_s)
        except asyncio.TimeoutError:
            self._give_up(event, f"older than {self._served.event_max_age_s:g} s")
        except InvokeRefusedError as refusal:
            self._give_up(event, refusal.message)

    async def _try(self, event: _Event) -> None:
        delay_s = self._served.event_retry_delay_s
        for attempt in range(1, self._served.event_retries + 2):
            event.attempt = await self._pool.invoke_in_turn(event.request)
            await asyncio.shield(event.attempt.ended)
            if not event.failure:
                return
            if attempt > self._served.event_retries:
                self._give_up(event, f"{event.failure} in attempt {attempt} of {attempt}")
                return
            self._observer.event_retried(
                self._served.function.name, event.request.request_id, delay_s
            )
            await asyncio.sleep(delay_s)
            delay_s *= 2

    def _give_up(self, event: _Event, reason: str) -> None:
        self._observer.event_given_up(self._served.function.name, event.request.request_id, reason)

    async def close(self) -> None:
        """Gives up what is left."""
        left = dict(self._events)
        for task, event in left.items():
            task.cancel()
            if not event.is_done:
                self._give_up(event, "the service was stopped")
        await asyncio.gather(*left, return_exceptions=True)
