"""Schedules of invocations, and how many exports each policy makes of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wrapkit.payload import _report
from wrapkit.payload.external._flush_policy import (
    BOUND_MS,
    MANAGED_PERIOD_MS,
    MAX_WAITING_BYTES,
    AdaptivePolicy,
    EndPolicy,
    FlushPolicy,
    InvocationRate,
    PeriodicPolicy,
    choose_policy,
)


class Schedule:
    """An environment that asks a policy as the runner does, and is frozen between invocations.

    Each invocation leaves one span at its end, which counts as old as its INVOKE, or as the export
    beside it that took what came before. `ages` are those of the spans when they were exported,
    `left` the beginnings of what is still there.
    """

    def __init__(self, policy):
        self.policy = policy
        self.left = []
        self.ages = []
        self.on_invoke = self.at_end = self.by_timer = 0

    @property
    def exports(self):
        return self.on_invoke + self.at_end + self.by_timer

    def _export(self, now_ms):
        self.ages += [now_ms - start_ms for start_ms in self.left]
        self.left = []
        self.policy.exported(now_ms)

    def invoke(self, start_ms, duration_ms=50.0):
        policy = self.policy
        policy.invoked(start_ms)
        if policy.exports_on_invoke(start_ms, 100 * len(self.left)):
            self.on_invoke += 1
            self._export(start_ms)
        waits = policy.waits_for_end(start_ms)
        end_ms = start_ms + duration_ms
        since_ms = self._timer(start_ms, end_ms)
        self.left.append(since_ms)
        policy.ended(end_ms)
        if waits and policy.exports_at_end(end_ms, 100 * len(self.left)):
            self.at_end += 1
            self._export(end_ms)
        return waits

    def _timer(self, start_ms, end_ms):
        """Lets come what is due meanwhile; since when there is anything of this invocation."""
        if self.left:
            due_ms = self.policy.export_due_ms(self.left[0], 100 * len(self.left))
            if due_ms is not None and due_ms < end_ms:
                self.by_timer += 1
                self._export(max(start_ms, due_ms))
                return max(start_ms, due_ms)
        return start_ms

    def run(self, starts_ms, duration_ms=50.0):
        for start_ms in starts_ms:
            self.invoke(start_ms, duration_ms)
        return self


def every(gap_ms, count, begin_ms=0.0):
    return [begin_ms + gap_ms * index for index in range(count)]


def test_a_single_invocation_is_exported_after_its_response():
    """Nobody knows whether another one will come, so nothing is left behind."""
    run = Schedule(AdaptivePolicy()).run([0])

    assert (run.at_end, run.exports, run.left) == (1, 1, [])


def test_one_a_second_is_exported_every_ten():
    """A hundred invocations make ten exports, and no span got older than the bound."""
    run = Schedule(AdaptivePolicy()).run(every(1_000, 100))

    assert (run.exports, run.at_end, len(run.left)) == (10, 10, 9)
    assert max(run.ages) < BOUND_MS


def test_a_hundred_a_second_is_exported_every_ten_seconds():
    """Six thousand invocations in a minute make six exports."""
    run = Schedule(AdaptivePolicy()).run(every(10, 6_000), duration_ms=5.0)

    assert run.exports == 6
    assert max(run.ages) < BOUND_MS


def test_one_a_minute_is_exported_each_after_its_response():
    """The environment is frozen for long each time: nothing is ever left behind."""
    run = Schedule(AdaptivePolicy()).run(every(60_000, 10))

    assert (run.exports, run.at_end, run.left) == (10, 10, [])
    assert max(run.ages) == 50


def test_bursts_cost_a_few_exports():
    """Three bursts of fifty within five seconds, ten minutes apart: what the first left goes out
    beside the first of the second, and after a pause seven pay until the rate is trusted again.
    """
    bursts = [start for index in range(3) for start in every(100, 50, index * 600_000)]
    run = Schedule(AdaptivePolicy()).run(bursts)

    assert (run.exports, run.on_invoke, run.at_end) == (17, 2, 15)
    assert len(run.left) == 43


def test_end_exports_every_invocation():
    """The policy for those who pay for freshness."""
    run = Schedule(EndPolicy()).run(every(10, 100))

    assert (run.at_end, run.exports, run.left) == (100, 100, [])


def test_periodic_exports_beside_the_function():
    """Never after a response; one a second with a period of five seconds."""
    run = Schedule(PeriodicPolicy(5_000)).run(every(1_000, 100))

    assert (run.on_invoke, run.exports) == (19, 19)
    assert max(run.ages) == 5_000
    assert len(run.left) == 5


SCHEDULES = st.lists(
    st.tuples(
        st.one_of(st.floats(0, 3_000), st.floats(0, 100_000), st.just(3_600_000.0)),
        st.one_of(st.floats(1, 500), st.floats(1, 900_000)),
    ),
    min_size=1,
    max_size=60,
)


def starts_and_durations(schedule):
    now_ms = 0.0
    for pause_ms, duration_ms in schedule:
        now_ms += pause_ms
        yield now_ms, duration_ms
        now_ms += duration_ms


# What waited for the end went out beside an invocation that goes on past the bound.
TAKEN_MEANWHILE = [(3_600_000.0, 1.0), (0.0, 1.0), (0.0, 1_705.0), (3_000.0, 5_295.0)]


@given(SCHEDULES)
@example(TAKEN_MEANWHILE)
def test_nothing_old_is_left_at_an_occasion(schedule):
    """After every INVOKE and every end, what is left is younger than the bound; and younger than it
    by the time at which the next INVOKE is expected, wherever it could have gone out.
    """
    policy = AdaptivePolicy()
    run = Schedule(policy)
    rate = InvocationRate(2 * BOUND_MS)
    for start_ms, duration_ms in starts_and_durations(schedule):
        before = list(run.left)
        run.invoke(start_ms, duration_ms)
        rate.observe(start_ms)
        assert all(start_ms - left_ms < BOUND_MS for left_ms in run.left if left_ms in before)
        if run.left:
            assert rate.next_invoke_ms() - run.left[0] < BOUND_MS


@given(SCHEDULES, st.sampled_from([AdaptivePolicy, EndPolicy]))
@example(TAKEN_MEANWHILE, AdaptivePolicy)
def test_who_waits_for_the_end_exports_then(schedule, kind):
    """`next` never waits for nothing: what waits only grows older, or was exported meanwhile."""
    run = Schedule(kind())
    for start_ms, duration_ms in starts_and_durations(schedule):
        at_end, by_timer = run.at_end, run.by_timer
        waited = run.invoke(start_ms, duration_ms)
        exported, exported_before = run.at_end - at_end, run.by_timer - by_timer
        assert exported == waited or (waited and exported_before)


@given(SCHEDULES)
# An export beside an invocation that goes on for just as long as the bound.
@example([(3_600_000.0, 1.0), (0.0, 1.0), (0.0, 10_000.0), (0.0, 1.0)])
def test_adaptive_exports_no_more_than_needed(schedule):
    """At most once an invocation after the response, and beside it only what had got too old."""
    run = Schedule(AdaptivePolicy())
    for start_ms, duration_ms in starts_and_durations(schedule):
        oldest = run.left[0] if run.left else start_ms
        before = run.on_invoke
        run.invoke(start_ms, duration_ms)
        assert run.on_invoke - before == (start_ms - oldest >= BOUND_MS)


def test_a_long_invocation_is_exported_meanwhile():
    """What waits beside a function that runs for minutes is due at the bound."""
    policy = AdaptivePolicy()
    policy.invoked(0)
    assert policy.export_due_ms(3_000, 10) == 3_000 + BOUND_MS
    policy.exported(13_000)
    assert policy.export_due_ms(14_000, 10) == 14_000 + BOUND_MS

    policy.ended(20_000)
    policy.exported(20_000)

    policy.invoked(25_000)
    assert not policy.exports_on_invoke(25_000, 10)


def test_an_export_that_failed_is_not_repeated_at_once():
    """What waits is older than the bound, and yet due a bound after the last attempt only."""
    policy = AdaptivePolicy()
    policy.invoked(0)
    policy.exported(30_000)

    assert policy.export_due_ms(1_000, 10) == 30_000 + BOUND_MS


@pytest.mark.parametrize("policy", [EndPolicy(), PeriodicPolicy(60_000), AdaptivePolicy()])
def test_too_much_is_exported_early(policy):
    """Memory does not wait for an occasion. Whether an endpoint may be tried the lane says."""
    policy.invoked(0)
    assert policy.exports_on_invoke(0, MAX_WAITING_BYTES)
    assert policy.exports_at_end(10, MAX_WAITING_BYTES)
    assert policy.export_due_ms(5, MAX_WAITING_BYTES) == 5


@given(st.lists(st.floats(-1e6, 1e13), max_size=30))
def test_any_clock_is_survived(times_ms):
    """A clock that is set makes an estimate wrong, never an error or a gap below zero."""
    rate = InvocationRate(20_000)
    for now_ms in times_ms:
        rate.observe(now_ms)
        expected = rate.next_invoke_ms()
        assert expected is None or now_ms <= expected <= now_ms + 5 * 20_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "<AdaptivePolicy, <InvocationRate, an unknown gap between invocations>>"),
        ("Adaptive", "<AdaptivePolicy, <InvocationRate, an unknown gap between invocations>>"),
        ("periodic", "<PeriodicPolicy, every 10000 ms>"),
        (" periodic , 500 ", "<PeriodicPolicy, every 500 ms>"),
    ],
)
def test_the_variable(value, expected):
    """WRAPKIT_FLUSH names the policy, adaptive where it is unset."""
    assert repr(choose_policy({"WRAPKIT_FLUSH": value}, invoked=True)) == expected


def test_the_variable_names_end():
    """The third of the three."""
    assert type(choose_policy({"WRAPKIT_FLUSH": "end"}, invoked=True)) is EndPolicy


@pytest.mark.parametrize(
    "value", ["always", "periodic,", "periodic,0", "periodic,x", "periodic,900001", "end,5", ",5"]
)
def test_a_malformed_variable(value, capsys, monkeypatch):
    """Counts as unset, and one line says so."""
    monkeypatch.setattr(_report, "_said", set())

    assert type(choose_policy({"WRAPKIT_FLUSH": value}, invoked=True)) is AdaptivePolicy
    assert capsys.readouterr().err.count("WRAPKIT_FLUSH is none of") == 1


def test_managed_instances_are_periodic():
    """Without INVOKE there is only time; the user's period counts there too."""
    assert repr(choose_policy({}, invoked=False)) == repr(PeriodicPolicy(MANAGED_PERIOD_MS))
    managed = choose_policy({"WRAPKIT_FLUSH": "periodic,5000"}, invoked=False)
    assert repr(managed) == repr(PeriodicPolicy(5_000))


def test_the_base_exports_for_want_of_memory_only():
    """What all policies share decides nothing else."""
    policy = FlushPolicy()
    policy.invoked(0)

    assert not policy.waits_for_end(0)
    assert policy.export_due_ms(0, MAX_WAITING_BYTES - 1) is None
