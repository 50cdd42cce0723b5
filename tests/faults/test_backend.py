"""A backend that is down, slow, or unwilling. Each test says what may be lost."""

from __future__ import annotations

import signal
import socket
import threading
import time

import pytest

from tests.faults.ledger import Ledger
from tests.payload.external.clock import ManualClock
from tests.payload.external.conftest import free_port
from tests.payload.external.sink import RESET, Sink
from wrapkit.payload.external._lane import PATIENCE_MS

BACK = 31_000  # milliseconds: longer than 30 s, which is also the longest backoff


@pytest.fixture
def ledger(scene):
    return Ledger(scene)


def test_down_for_thirty_seconds(ledger, scene, layer, tmp_path):
    """Nothing may be lost, and a dead backend is not tried at each invocation."""
    clock, port = ManualClock(layer, tmp_path), free_port()
    ledger.start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}", **clock.settings())
    for _ in range(10):
        ledger.invoke(now_s=clock.ms / 1000)
        clock.advance(3_000)
    back = Sink(port=port)
    ledger.sinks.append(back)
    clock.advance(BACK)
    ledger.invoke(now_s=clock.ms / 1000)
    assert len(ledger.received()) == 11  # before `next`, and in one request
    assert len(back.requests) == 1
    said = ledger.end(clock=clock)
    back.close()

    assert len(said) == 1
    assert "Connection refused" in said[0]
    ledger.balance()
    assert ledger.dropped == 0


def test_down_until_the_end_of_this_life(ledger):
    """Nothing may be lost where the environment lives on, as after a timeout."""
    ledger.start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    ledger.invoke(5)
    ledger.end("timeout", budget_ms=600_000)  # and without waiting for another attempt
    ledger.start()
    ledger.invoke()
    ledger.end()

    ledger.balance()
    assert ledger.dropped == 0


def test_slow_but_within_its_time(ledger):
    """Nothing may be lost: the export is waited for."""
    ledger.start(sink=Sink(delay_s=0.5))
    ledger.invoke(3)
    ledger.end()

    ledger.balance()
    assert (ledger.dropped, ledger.said) == (0, [])


def test_slow_by_seconds(ledger):
    """Nothing may be lost, and nothing comes twice: one invocation waits for a while, the others
    not at all, and the request that was not waited for is not given up.
    """
    sink = Sink()
    sink.hold.clear()
    ledger.start(sink=sink)
    began = time.monotonic()
    ledger.invoke()
    first_s = time.monotonic() - began
    ledger.invoke(3)
    assert len(sink.requests) == 1
    threading.Timer(3.5, sink.hold.set).start()  # the first was asked for some 5 s ago by then
    said = ledger.end(budget_ms=10_000)

    assert PATIENCE_MS / 1000 <= first_s < 5
    assert time.monotonic() - began > 4
    assert said == []
    ledger.balance()
    assert ledger.dropped == 0


def test_silent_for_good(ledger):
    """Nothing may be lost where the environment lives on; what the function is billed for is the
    bound of one wait, not its own timeout.
    """
    silent = socket.create_server(("127.0.0.1", 0))  # accepts, and never reads
    port = silent.getsockname()[1]
    ledger.start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    began = time.monotonic()
    ledger.invoke(5)
    assert time.monotonic() - began < 5
    ledger.end("timeout")
    silent.close()
    ledger.start()
    ledger.invoke()
    ledger.end()

    ledger.balance()
    assert ledger.dropped == 0


def test_slower_than_its_time(ledger, scene):
    """Nothing may be lost, and one invocation pays. Whether a request that got no answer arrived
    cannot be known: it comes twice to a backend that took it all the same.
    """
    sink = Sink(delay_s=1.0)
    ledger.start(sink=sink, OTEL_EXPORTER_OTLP_TIMEOUT="200")
    began = time.monotonic()
    ledger.invoke(3)
    assert time.monotonic() - began < 1.0  # it was 200 ms, once
    sink.delay_s = 0.0
    said = ledger.end()

    assert len(said) == 1
    assert "no answer in time" in said[0]
    assert set(ledger.received()) == ledger.sent
    assert ledger.received().count(1) == 2
    assert len(ledger.received()) == 4


def test_connections_that_are_reset(ledger):
    """Nothing may be lost: reset before an answer counts as not delivered."""
    ledger.start(sink=Sink(statuses=[200, RESET, RESET, RESET]))
    ledger.invoke(4)
    ledger.end(budget_ms=6_000)  # two backoffs, at their longest

    assert len([1 for *_, status in ledger.sinks[0].requests if status == RESET]) == 3
    ledger.balance()
    assert ledger.dropped == 0


@pytest.mark.parametrize("status", [429, 503])
def test_overloaded(ledger, status):
    """Nothing may be lost; an endpoint that asks for a minute is left alone for it."""
    headers = (("Retry-After", "60"),)
    ledger.start(sink=Sink(statuses=[200, status], headers=headers))
    ledger.invoke(5)
    assert len(ledger.sinks[0].requests) == 2
    ledger.end()

    ledger.balance()
    assert ledger.dropped == 0


def test_refusing(ledger):
    """What is refused for good is lost, counted, and the cause of one line."""
    ledger.start(sink=Sink(statuses=[200, 400, 400, 200]))
    ledger.invoke(5)
    said = ledger.end()

    assert len(said) == 2
    ledger.balance()
    assert ledger.dropped == 2


def test_a_name_without_an_address(ledger):
    """Nothing may be lost where the environment lives on."""
    ledger.start(OTEL_EXPORTER_OTLP_ENDPOINT="http://backend.invalid:4318")
    ledger.invoke(3)
    said = ledger.end("failure")
    assert len(said) == 2
    assert "its name has no address" in said[0]
    ledger.start()
    ledger.invoke()
    ledger.end()

    ledger.balance()
    assert ledger.dropped == 0


HOUR = 3_600_000


@pytest.mark.parametrize("outcome", ["answered", "cut"])
def test_frozen_for_an_hour_with_a_request_under_way(ledger, scene, layer, tmp_path, outcome):
    """Nothing may be lost, and nothing comes twice: an answer that came meanwhile waits in the
    kernel, and a connection that died without one is replaced.
    """
    clock = ManualClock(layer, tmp_path)
    sink = Sink(statuses=[] if outcome == "answered" else [RESET])
    sink.hold.clear()
    ledger.start(sink=sink, **clock.settings())
    scene.invoke_with_hook("r1", span=f"{1:016x}", now_s=clock.ms / 1000)
    ledger.sent.add(1)
    sink.wait_for(1)
    clock.advance(2_000)  # so long nobody waits
    scene.host.wait_for_next(2)
    scene.runner.process.send_signal(signal.SIGSTOP)
    sink.hold.set()
    sink.wait_for_answers(1)
    clock.advance(HOUR)
    scene.runner.process.send_signal(signal.SIGCONT)
    ledger.invoke(now_s=clock.ms / 1000)
    ledger.end(clock=clock)

    ledger.balance()
    assert ledger.dropped == 0
