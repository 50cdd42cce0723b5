"""The host's clock and its manual twin."""

from __future__ import annotations

import time

from tests.emulator.environments import run, until
from wrapkit.tooling.emulator import ManualClock, SystemClock


def test_the_system_clock_is_the_wall_clock():
    """In epoch milliseconds."""
    assert abs(SystemClock().now_ms() - time.time() * 1000) < 1000


def test_the_system_clock_calls_back_and_can_be_told_not_to():
    """On the running loop."""

    async def scenario():
        clock, called = SystemClock(), []
        cancel = clock.call_at(clock.now_ms(), lambda: called.append("cancelled"))
        cancel()
        clock.call_at(clock.now_ms() - 5, lambda: called.append("late"))
        await until(lambda: called)
        return called

    assert run(scenario()) == ["late"]


def test_the_manual_clock_calls_in_order():
    """Each at its own time, and what a call schedules as well."""
    clock, called = ManualClock(1000), []

    def first():
        called.append(("first", clock.now_ms()))
        clock.call_at(1015, lambda: called.append(("inner", clock.now_ms())))

    clock.call_at(1020, lambda: called.append(("second", clock.now_ms())))
    clock.call_at(1010, first)
    clock.call_at(1030, lambda: called.append(("third", clock.now_ms())))
    clock.call_at(1012, lambda: called.append("cancelled"))()
    clock.advance(25)

    assert called == [("first", 1010), ("inner", 1015), ("second", 1020)]
    assert clock.now_ms() == 1025
