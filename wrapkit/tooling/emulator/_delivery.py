"""Delivering telemetry to one subscriber: batches over HTTP, lines over TCP."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

from wrapkit.lifecycle import (
    HttpError,
    Message,
    MessageReader,
    request_bytes,
)

from ._logs import LOGS_ONLY, as_logs
from ._subscription import LOGS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._clock import Clock
    from ._records import Record
    from ._subscription import Subscription

# What a slow subscriber may keep waiting: ten full batches; more is dropped and said so
# (platform.logsDropped).
_MAX_QUEUED_BYTES = 10 * 1024 * 1024
# The guide says that the host retries with back-off when the listener is not ready.
_RETRY_DELAYS_S = (0.05, 0.1, 0.2, 0.4, 0.8)
# Log records became objects (with the JSON log format) in the schema after this one.
_TEXT_ONLY_SCHEMA = "2022-07-01"


class _Connection(asyncio.Protocol):
    """A connection to the subscriber, on which one request at a time waits for its answer."""

    def __init__(self) -> None:
        self._reader = MessageReader(requests=False)
        self._answer: asyncio.Future[Message] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._reader.receive(data)
        self._read()

    def eof_received(self) -> bool:
        self._reader.receive(b"")  # which ends an answer without a length
        self._read()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._fail(exc or ConnectionResetError("closed"))

    def _read(self) -> None:
        try:
            message = self._reader.next_message()
        except HttpError as error:
            self._fail(error)
            return
        if message is not None and self._answer is not None and not self._answer.done():
            self._answer.set_result(message)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    @property
    def open(self) -> bool:
        """Whether the peer has not closed it."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Sends without waiting for an answer."""
        if self._transport is None:
            raise ConnectionResetError("closed")
        self._transport.write(data)

    async def exchange(self, request: bytes) -> int:
        """Sends the request and returns the status of its answer.

        Without a limit of time: the subscriber may be frozen. Its queue is bounded instead.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self.write(request)
        try:
            message = await self._answer
        finally:
            self._answer = None
        if not message.head.keep_alive:
            self.close()
        return message.head.status

    def close(self) -> None:
        """Closes without waiting."""
        if self._transport is not None:
            self._transport.abort()


class Subscriber:
    """One subscriber's queue and its delivery; ``on_dropped(records, bytes, reason)`` hears of what
    was given up.
    """

    def __init__(
        self, subscription: Subscription, clock: Clock, on_dropped: Callable[[int, int, str], None]
    ) -> None:
        self.subscription = subscription
        self._clock = clock
        self._on_dropped = on_dropped
        self._queue: list[bytes] = []
        self._queued_bytes = 0
        self._dropped_records = self._dropped_bytes = 0
        self._cancel_timer: Callable[[], None] | None = None
        self._due_ms: float | None = None
        self._paused = False
        self._due = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._connection: _Connection | None = None
        self._task = asyncio.get_running_loop().create_task(self._run())

    def take(self, record: Record) -> None:
        """Queues a record of a type that was asked for."""
        if record.category not in self.subscription.types:
            return
        if self.subscription.api == LOGS:
            for one in as_logs(record, self.subscription.schema_version):
                self._queue_up(one.as_json(text_only=True))
        elif record.type not in LOGS_ONLY:
            is_text_only = self.subscription.schema_version == _TEXT_ONLY_SCHEMA
            self._queue_up(record.as_json(text_only=is_text_only))

    def _queue_up(self, data: bytes) -> None:
        if self._queued_bytes + len(data) > _MAX_QUEUED_BYTES:
            self._dropped_records += 1
            self._dropped_bytes += len(data)
            return
        self._queue.append(data)
        self._queued_bytes += len(data)
        self._idle.clear()
        full = (
            len(self._queue) >= self.subscription.max_items
            or self._queued_bytes >= self.subscription.max_bytes
        )
        if full and not self._paused:
            self._due.set()
        elif self._due_ms is None:
            self._due_ms = self._clock.now_ms() + self.subscription.timeout_ms
            self._start_timer()

    def _start_timer(self) -> None:
        if self._due_ms is not None and not self._paused:
            self._cancel_timer = self._clock.call_at(self._due_ms, self.flush)

    def _stop_timer(self) -> None:
        if self._cancel_timer is not None:
            self._cancel_timer()
            self._cancel_timer = None

    def flush(self) -> None:
        """Lets what is queued go out now."""
        self._stop_timer()
        self._due_ms = None
        if self._queue:
            self._due.set()

    def pause(self) -> None:
        """Stands still with the frozen environment: what falls due goes out at the thaw."""
        self._paused = True
        self._stop_timer()

    def resume(self) -> None:
        """Goes on after a thaw."""
        self._paused = False
        self._start_timer()

    async def drained(self, limit_s: float) -> None:
        """Waits until everything has been delivered or dropped, at most for the limit."""
        self.flush()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), limit_s)

    def close(self) -> None:
        """Ends the delivery; what is still queued is lost with its subscriber."""
        self._stop_timer()
        self._task.cancel()
        if self._connection is not None:
            self._connection.close()

    async def _run(self) -> None:
        while True:
            await self._due.wait()
            self._due.clear()
            while batch := self._take_batch():
                await self._deliver(batch)
            self._idle.set()

    def _take_batch(self) -> list[bytes]:
        batch = self._queue[: self.subscription.max_items]
        del self._queue[: len(batch)]
        self._queued_bytes -= sum(map(len, batch))
        self._tell_of_dropped()
        return batch

    def _tell_of_dropped(self) -> None:
        """Says once, now that there is room for it, what has been dropped since the last time."""
        records, size_bytes = self._dropped_records, self._dropped_bytes
        self._dropped_records = self._dropped_bytes = 0
        if records:
            self._on_dropped(records, size_bytes, "Consumer seems to have fallen behind")

    async def _deliver(self, batch: list[bytes]) -> None:
        for delay_s in _RETRY_DELAYS_S:
            try:
                if await self._send(batch):
                    return
            except (OSError, HttpError):
                if self._connection is not None:
                    self._connection.close()
            await asyncio.sleep(delay_s)
        self._on_dropped(len(batch), sum(map(len, batch)), "Consumer does not accept telemetry")

    async def _send(self, batch: list[bytes]) -> bool:
        port, path = self.subscription.port, self.subscription.path
        if self._connection is None or not self._connection.open:
            loop = asyncio.get_running_loop()
            _, self._connection = await loop.create_connection(_Connection, "127.0.0.1", port)
        if path is None:
            self._connection.write(b"\n".join(batch) + b"\n")
            return True
        request = request_bytes(
            "POST",
            path,
            f"sandbox.localdomain:{port}",
            (("Content-Type", "application/json"),),
            b"[" + b",".join(batch) + b"]",
        )
        return 200 <= await self._connection.exchange(request) < 300
