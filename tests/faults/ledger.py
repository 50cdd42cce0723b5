"""Counts what was sent, what came, and what the runner says it has dropped."""

from __future__ import annotations

import re
import time

from tests.payload.external.host import WAIT_S


class Ledger:
    """The invocations of a scene, each with a span of its own id, over all its lives."""

    def __init__(self, scene):
        self.scene = scene
        self.sent = set()
        self.sinks = []
        self.said = []

    def start(self, **how):
        """Begins a life of the environment."""
        self.scene.start(**how)
        self.sinks.append(self.scene.sink)
        self.scene.host.wait_for_next(1)

    def invoke(self, count=1, now_s=None):
        """Invocations; waits for the `next` after each."""
        for _ in range(count):
            number = len(self.sent) + 1
            self.sent.add(number)
            calls = self.scene.host.next_calls
            self.scene.invoke_with_hook(f"r{number}", span=f"{number:016x}", now_s=now_s)
            self.scene.host.wait_for_next(calls + 1)

    def end(self, reason="spindown", clock=None, **how):
        """Ends this life; what the runner said in it. Its clock, if it is a test's, goes on."""
        if clock is not None:
            how["now_s"] = clock.ms / 1000
        self.scene.host.shut_down(reason, **how)
        end = time.monotonic() + WAIT_S
        while clock and self.scene.runner.process.poll() is None and time.monotonic() < end:
            time.sleep(0.01)
            clock.advance(10)
        code, said = self.scene.runner.wait()
        assert code == 0, said
        self.said += said
        self.scene.close_life()
        return said

    def received(self):
        """The ids of the spans that came, as often as they came."""
        return sorted(int(span.span_id.hex(), 16) for sink in self.sinks for span in sink.spans())

    @property
    def dropped(self):
        """What the runner has counted; each invocation's span is a request of its own here."""
        counts = [re.search(r"(\d+) requests were dropped", line) for line in self.said]
        return sum(int(count[1]) for count in counts if count)

    def balance(self):
        """sent = received + dropped-and-counted, and no duplicates."""
        received = self.received()
        assert len(received) == len(set(received)), "duplicates"
        assert set(received) <= self.sent
        assert len(self.sent) == len(received) + self.dropped, (received, self.said)


def wait_until(condition):
    """Waits for a condition of another process."""
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
