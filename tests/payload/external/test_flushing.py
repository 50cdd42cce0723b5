"""When the runner exports: each policy through a real process, against a host and a sink."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.payload.external.clock import ManualClock

HOUR_MS = 3_600_000


def invoke(scene, number, **how):
    """Invocation ``number`` (from 1), with a span of its own id; waits for the `next` after it."""
    scene.invoke_with_hook(f"r{number}", span=f"{number:016x}", **how)
    scene.host.wait_for_next(number + 1)


def begin(scene, flush=None, **how):
    scene.start(WRAPKIT_FLUSH=flush, **how)
    scene.host.wait_for_next(1)


def span_ids(scene):
    """The ids of all spans that came, each once."""
    ids = [int(span.span_id.hex(), 16) for span in scene.sink.spans()]
    assert len(ids) == len(set(ids))
    return sorted(ids)


def test_by_default_the_first_invocation_is_exported_before_next(scene):
    """Nobody knows whether another one will ever come."""
    begin(scene)
    invoke(scene, 1)

    assert span_ids(scene) == [1]


def test_a_burst_is_not_exported_after_each_and_shutdown_leaves_nothing(scene):
    """Thirty in a row: the first by itself, all others together."""
    begin(scene)
    for number in range(1, 31):
        invoke(scene, number)
    assert len(scene.sink.requests) == 1
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert span_ids(scene) == list(range(1, 31))
    assert len(scene.sink.requests) == 2


def test_within_a_burst_next_does_not_wait_for_the_end(scene):
    """INVOKE alone is answered with `next`; what hook and platform say later still counts."""
    begin(scene)
    invoke(scene, 1)
    scene.host.invoke("r2")
    scene.host.wait_for_next(3)
    start = {"time": 1, "trace": "1" * 32, "span": f"{2:016x}", "flags": 1, "cold": False}
    scene.runner.hook(t="start", id="r2", **start)
    scene.runner.hook(t="end", id="r2", time=2)
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert span_ids(scene) == [1, 2]


@pytest.fixture
def clock(layer, tmp_path):
    return ManualClock(layer, tmp_path)


def test_a_hundred_invocations_a_second_apart_are_some_ten_exports(scene, clock):
    """None gets much older than ten seconds, and each is exported once."""
    begin(scene, **clock.settings())
    gaps, exported = [], 0
    for number in range(1, 101):
        invoke(scene, number, now_s=clock.ms / 1000)
        if len(scene.sink.requests) > exported:
            exported = len(scene.sink.requests)
            gaps.append(number)
        clock.advance(1_000)
    scene.host.shut_down(now_s=clock.ms / 1000)

    assert scene.runner.wait() == (0, [])
    assert span_ids(scene) == list(range(1, 101))
    assert 9 <= exported <= 13, gaps
    assert max(later - earlier for earlier, later in itertools.pairwise(gaps)) <= 11, gaps


def test_an_invocation_a_minute_is_exported_each_by_itself(scene, clock):
    """Where the rate is low nothing waits for the next invocation."""
    begin(scene, **clock.settings())
    for number in range(1, 8):
        invoke(scene, number, now_s=clock.ms / 1000)
        assert span_ids(scene) == list(range(1, number + 1))
        clock.advance(60_000)


def test_what_a_burst_left_is_exported_when_the_environment_thaws(scene, clock):
    """Frozen for an hour in the middle of a burst; the backend has closed the connection."""
    begin(scene, **clock.settings())
    for number in range(1, 6):
        invoke(scene, number, now_s=clock.ms / 1000)
        clock.advance(100)
    assert span_ids(scene) == [1]
    clock.advance(HOUR_MS)
    scene.sink.cut_connections()
    scene.host.invoke("r6", now_s=clock.ms / 1000)
    scene.sink.wait_for(2)

    assert span_ids(scene) == [1, 2, 3, 4, 5]  # beside the function, before it has ended
    start = {"time": 1, "trace": "1" * 32, "span": f"{6:016x}", "flags": 1, "cold": False}
    scene.runner.hook(t="start", id="r6", **start)
    scene.runner.hook(t="end", id="r6", time=2)
    scene.host.wait_for_next(7)
    scene.host.shut_down(now_s=clock.ms / 1000)

    assert scene.runner.wait() == (0, [])
    assert span_ids(scene) == [1, 2, 3, 4, 5, 6]


def test_next_waits_for_an_export_that_began_at_invoke(scene, clock):
    """Or the freeze would cut it in two."""
    begin(scene, flush="periodic,5000", **clock.settings())
    invoke(scene, 1, now_s=clock.ms / 1000)
    clock.advance(5_000)
    scene.sink.hold.clear()
    scene.host.invoke("r2", now_s=clock.ms / 1000)
    scene.sink.wait_for(1)
    scene.host.wait_for_sent(2)
    scene.host.report()  # is answered when the runner has done with INVOKE
    released = time.monotonic()
    scene.sink.hold.set()
    scene.host.wait_for_next(3)

    assert scene.host.next_times[2] > released
    assert span_ids(scene) == [1]


def test_a_period_passes_while_the_environment_idles(scene):
    """Where nothing freezes, the timer exports; `next` waited for nothing."""
    begin(scene, flush="periodic,150")
    invoke(scene, 1)
    invoke(scene, 2)
    scene.sink.wait_for(1)

    assert span_ids(scene)[:1] == [1]


def test_periodic_exports_at_the_invoke_after_the_period(scene, clock):
    """What waited through a freeze goes out beside the next invocation."""
    begin(scene, flush="periodic,5000", **clock.settings())
    for number in range(1, 4):
        invoke(scene, number, now_s=clock.ms / 1000)
    assert scene.sink.requests == []
    clock.advance(HOUR_MS)
    scene.host.invoke("r4", now_s=clock.ms / 1000)
    scene.host.wait_for_next(5)

    assert span_ids(scene) == [1, 2, 3]
