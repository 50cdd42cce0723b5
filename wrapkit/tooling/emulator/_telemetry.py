"""The Telemetry API's side of the host: who subscribed, and what they are still owed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ._delivery import Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clock import Clock
    from ._records import Record
    from ._subscription import Subscription

# A function that prints in an endless loop has 10 s for it in Init.
_MAX_HISTORY = 10_000


class Telemetry:
    """Passes every record on to the subscribers.

    What was recorded before a subscription is delivered as well (initStart, above all): the records
    are kept from the environment's start until its Init ends. ``on_dropped(records, bytes,
    reason)`` hears of what could not be delivered.
    """

    def __init__(self, clock: Clock, on_dropped: Callable[[int, int, str], None]) -> None:
        self._clock = clock
        self._on_dropped = on_dropped
        self._history: list[Record] | None = []
        self._missed = 0
        self._subscribers: dict[str, Subscriber] = {}

    def publish(self, record: Record) -> None:
        """Passes a record on."""
        if self._history is not None:
            self._remember(self._history, record)
        for subscriber in self._subscribers.values():
            subscriber.take(record)

    @property
    def is_heard(self) -> bool:
        """Whether anybody gets the records, now or by a subscription to come."""
        return self._history is not None or bool(self._subscribers)

    def _remember(self, history: list[Record], record: Record) -> None:
        if len(history) < _MAX_HISTORY:
            history.append(record)
        else:
            self._missed += 1

    def subscribe(self, extension: str, subscription: Subscription) -> None:
        """Adds a subscriber, or replaces what the extension asked for before."""
        before = self._subscribers.pop(extension, None)
        if before is not None:
            before.close()
        subscriber = Subscriber(subscription, self._clock, self._on_dropped)
        self._subscribers[extension] = subscriber
        for record in self._history or ():
            subscriber.take(record)

    def close_window(self) -> None:
        """Forgets the past: nobody can subscribe any more."""
        self._history = None
        if self._missed and self._subscribers:
            self._on_dropped(self._missed, 0, "Too many records before the subscription")
        self._missed = 0

    def reset(self) -> None:
        """Starts over with the environment: the subscriptions are void."""
        self.close()
        self._history = []
        self._missed = 0

    def pause(self) -> None:
        """Stands still with the frozen environment."""
        for subscriber in self._subscribers.values():
            subscriber.pause()

    def resume(self) -> None:
        """Goes on after a thaw."""
        for subscriber in self._subscribers.values():
            subscriber.resume()

    def flush(self) -> None:
        """Lets everything queued go out now."""
        for subscriber in self._subscribers.values():
            subscriber.flush()

    async def drained(self, limit_s: float) -> None:
        """Waits until the subscribers have everything, at most for the limit."""
        await asyncio.gather(*(one.drained(limit_s) for one in self._subscribers.values()))

    def close(self) -> None:
        """Ends all deliveries."""
        for subscriber in self._subscribers.values():
            subscriber.close()
        self._subscribers.clear()
