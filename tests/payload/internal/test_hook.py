"""The hook tells its sink and its followers of an invocation, and keeps them apart."""

from __future__ import annotations

import pytest

from wrapkit.payload.internal._hook import Hook


class Request:
    invoke_id = "r1"
    x_amzn_trace_id = None


class Recorder:
    """A sink or a follower that notes what it is told under its name."""

    before_response = False

    def __init__(self, name, told, broken=()):
        self.name = name
        self.told = told
        self.broken = broken

    def start(self, invocation):
        self._note("start")

    def end(self, invocation, time_ns, error):
        self._note("end")

    def posted(self):
        self._note("posted")

    def close(self):
        self._note("close")

    def _note(self, step):
        self.told.append((self.name, step))
        if step in self.broken:
            raise LookupError(step)


@pytest.fixture
def told():
    return []


@pytest.fixture
def hook(told):
    return Hook(Recorder("sink", told), cold_start=True)


def run(hook):
    hook.received(Request())
    hook.started({})
    hook.ended(False)
    hook.posted()
    hook.close()


def test_the_order(hook, told):
    """A follower hears of a start behind the sink and of an end in front of it."""
    hook.follow(Recorder("one", told))
    hook.follow(Recorder("two", told))

    run(hook)

    order = [name for name, step in told if step == "start"]
    assert order == ["sink", "one", "two"]
    assert [name for name, step in told if step == "end"] == order[::-1]


@pytest.mark.parametrize("steps", [("start",), ("end", "posted"), ("close",)])
def test_a_follower_that_fails(hook, told, steps):
    """What one of them fails in keeps no other from being told."""
    hook.follow(Recorder("broken", told, steps))

    run(hook)

    sinks = [step for name, step in told if name == "sink"]
    assert sinks == ["start", "end", "close"]


def test_the_current_invocation(hook):
    """It is there while its handler runs, and at no other time."""
    seen = [hook.current]
    hook.received(Request())
    seen.append(hook.current)
    hook.started({})
    running = hook.current
    hook.ended(False)
    seen.append(hook.current)

    assert seen == [None, None, None]
    assert running is not None
    assert running.request_id == "r1"
