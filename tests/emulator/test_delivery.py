"""When a subscriber's buffer is delivered: by the clock, by its size, after a thaw, at the end."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.emulator.environments import run, until
from wrapkit.lifecycle import MessageReader, response_bytes
from wrapkit.tooling.emulator import ManualClock, Record
from wrapkit.tooling.emulator._delivery import Subscriber
from wrapkit.tooling.emulator._subscription import read_subscription


class Listener:
    """Collects the batches that it is sent; answers each with the next status, then 200."""

    def __init__(self, *statuses):
        self.batches = []
        self._statuses = list(statuses)
        self._writers = []

    async def __call__(self, reader, writer):
        self._writers.append(writer)
        messages = MessageReader(requests=True)
        while data := await reader.read(65536):
            messages.receive(data)
            while (message := messages.next_message()) is not None:
                status = self._statuses.pop(0) if self._statuses else 200
                if status == 200:
                    self.batches.append(json.loads(message.body))
                writer.write(response_bytes(status))

    async def close(self):
        """Ends its connections, and lets their handlers end."""
        for writer in self._writers:
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def subscribed(listener, clock, *, dropped=None, **buffering):
    server = await asyncio.start_server(listener, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    document = {
        "schemaVersion": "2025-01-29",
        "types": ["function"],
        "destination": {"protocol": "HTTP", "URI": f"http://sandbox.localdomain:{port}/x"},
        "buffering": buffering,
    }
    drops = [] if dropped is None else dropped
    subscription = read_subscription(json.dumps(document).encode())
    subscriber = Subscriber(subscription, clock, lambda *what: drops.append(what))
    try:
        yield subscriber
    finally:
        subscriber.close()
        await listener.close()
        server.close()


def lines(listener):
    return [[record["record"] for record in batch] for batch in listener.batches]


def line(text):
    return Record(0.0, "function", text)


def test_a_buffer_falls_due():
    """After timeoutMs, and not before."""

    async def scenario():
        clock, listener = ManualClock(), Listener()
        async with subscribed(listener, clock, timeoutMs=100) as subscriber:
            subscriber.take(line("a"))
            clock.advance(60)
            subscriber.take(line("b"))
            clock.advance(39)
            assert not subscriber._due.is_set()
            clock.advance(1)
            await until(lambda: listener.batches)
            return lines(listener)

    assert run(scenario()) == [["a", "b"]]


def test_a_full_buffer_does_not_wait():
    """maxItems records go out at once, in batches of at most as many."""

    async def scenario():
        listener = Listener()
        async with subscribed(listener, ManualClock(), maxItems=1000) as subscriber:
            for number in range(1000):
                subscriber.take(line(str(number)))
            await until(lambda: listener.batches)
            return [len(batch) for batch in listener.batches]

    assert run(scenario()) == [1000]


def test_a_frozen_environment_gets_nothing():
    """What falls due while it is frozen goes out at the thaw."""

    async def scenario():
        clock, listener = ManualClock(), Listener()
        async with subscribed(listener, clock, timeoutMs=25) as subscriber:
            subscriber.take(line("a"))
            subscriber.pause()
            clock.advance(60_000)
            assert not subscriber._due.is_set()
            subscriber.resume()
            clock.advance(0)
            await until(lambda: listener.batches)
            return lines(listener)

    assert run(scenario()) == [["a"]]


def test_an_error_is_tried_again():
    """The same batch, not another one."""

    async def scenario():
        listener = Listener(500, 500)
        async with subscribed(listener, ManualClock()) as subscriber:
            subscriber.take(line("a"))
            await subscriber.drained(10)
            return lines(listener)

    assert run(scenario()) == [["a"]]


def test_what_is_never_accepted_is_dropped_and_said(monkeypatch):
    """After the retries: how many records and bytes, and why."""
    monkeypatch.setattr("wrapkit.tooling.emulator._delivery._RETRY_DELAYS_S", (0, 0))
    dropped = []

    async def scenario():
        async with subscribed(Listener(500, 500), ManualClock(), dropped=dropped) as subscriber:
            subscriber.take(line("a"))
            await subscriber.drained(10)

    run(scenario())
    assert [what[0] for what in dropped] == [1]
    assert dropped[0][1] > 0


@pytest.mark.case(45)
def test_a_queue_is_bounded(monkeypatch):
    """Beyond its limit records are dropped, counted, and told of once there is room again."""
    monkeypatch.setattr("wrapkit.tooling.emulator._delivery._MAX_QUEUED_BYTES", 200)
    dropped = []

    async def scenario():
        listener = Listener()
        async with subscribed(listener, ManualClock(), dropped=dropped) as subscriber:
            for number in range(10):
                subscriber.take(line(str(number)))
            assert dropped == []
            await subscriber.drained(10)
            return lines(listener)

    (kept,) = run(scenario())
    assert kept == ["0", "1", "2"]
    assert [what[0] for what in dropped] == [7]


@pytest.mark.parametrize(
    ("schema", "record"), [("2022-07-01", '{"level": "INFO"}'), ("2025-01-29", {"level": "INFO"})]
)
def test_log_objects_are_text_in_the_oldest_schema(schema, record):
    """Log records became objects with 2022-12-13."""
    sent = Record(0.0, "function", {"level": "INFO"})

    assert json.loads(sent.as_json(text_only=schema == "2022-07-01"))["record"] == record
