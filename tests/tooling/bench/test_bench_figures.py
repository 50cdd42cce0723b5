"""Statistics, plan, findings and table of a benchmark, on figures made by hand."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from wrapkit.tooling.bench._metrics import METRICS, findings
from wrapkit.tooling.bench._plan import interleaved
from wrapkit.tooling.bench._record import BenchRecord
from wrapkit.tooling.bench._start import ColdStart, InvocationCost, Quantiles, WarmCosts
from wrapkit.tooling.bench._statistics import estimate, quantile
from wrapkit.tooling.bench._table import table
from wrapkit.tooling.emulator import ExtensionInit, InitResult, InvocationResult, RuntimeInit


def cost(response_ms, runner_cpu_ms=None):
    return InvocationCost(
        response_latency_ms=response_ms,
        duration_ms=response_ms + 1,
        runtime_cpu_ms=response_ms / 2,
        runner_cpu_ms=runner_cpu_ms,
        post_runtime_extensions_duration_ms=runner_cpu_ms,
    )


def start(number, mode, init_ms, response_ms=1.0):
    runner = mode in ("external", "both")
    return ColdStart(
        round=number,
        position=0,
        mode=mode,
        init_duration_ms=init_ms,
        runtime_init_cpu_ms=init_ms / 2,
        runner_exec_to_next_ms=20.0 if runner else None,
        runner_init_cpu_ms=15.0 if runner else None,
        runner_rss_bytes=10 * 1024 * 1024 if runner else None,
        first=cost(response_ms),
        warm=WarmCosts.of([cost(response_ms, 0.5 if runner else None)] * 3),
        warm_count=3,
        max_memory_used_mb=30,
        span_count=0 if mode == "bare" else 4,
    )


def record(starts):
    scenario = {"cold": 3, "warm": 3}
    return BenchRecord("2026-01-01T00:00:00+00:00", scenario, {"cpu_count": 2}, starts)


def test_the_added_cost_is_paired_within_the_round():
    """The machine slows down from round to round; the mode costs 5 ms more in each of them."""
    inits = {0: 50.0, 1: 500.0, 2: 90.0}
    starts = [start(number, "bare", init_ms) for number, init_ms in inits.items()]
    starts += [start(number, "both", init_ms + 5) for number, init_ms in inits.items()]
    found = {(item.metric, item.mode): item for item in findings(starts)}
    added = found["init_duration", "both"].added
    assert (added.low, added.median, added.high) == (5, 5, 5)
    assert found["init_duration", "bare"].median == 90
    assert found["init_duration", "bare"].added is None


def test_a_round_that_one_mode_misses_is_no_pair():
    starts = [start(0, "bare", 10), start(0, "both", 11), start(1, "both", 999)]
    found = {(item.metric, item.mode): item for item in findings(starts)}
    assert found["init_duration", "both"].added.median == 1


def test_what_the_bare_function_does_not_have_is_shown_without_a_difference():
    starts = [start(0, "bare", 10), start(0, "both", 11)]
    found = {(item.metric, item.mode): item for item in findings(starts)}
    assert ("runner_rss", "bare") not in found
    assert (found["runner_rss", "both"].median, found["runner_rss", "both"].added) == (10, None)


def test_the_interval_covers_the_true_median_about_as_often_as_it_says():
    generator = random.Random(7)
    covered = 0
    for _ in range(60):
        interval = estimate([generator.gauss(10, 3) for _ in range(20)])
        covered += interval.low <= 10 <= interval.high
    assert covered >= 51


def test_the_same_values_give_the_same_interval():
    values = [1.0, 5.0, 2.0, 8.0, 3.0]
    assert estimate(values) == estimate(values)
    assert estimate(values).low < 3 < estimate(values).high
    assert estimate([-1.0, 1.0, 0.5]).spans_zero
    assert not estimate([2.0, 3.0]).spans_zero
    assert not estimate([0.0, 0.0]).spans_zero


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2.5), (0.9, 3.7), (1, 4)])
def test_quantiles_interpolate(share, expected):
    assert quantile([1, 2, 3, 4], share) == pytest.approx(expected)


def test_a_mode_that_was_not_measured_has_no_quantiles():
    assert Quantiles.of([]) is None
    assert WarmCosts.of([]).duration_ms is None


def test_every_round_has_every_mode_and_no_mode_keeps_its_place():
    modes = ("bare", "internal", "both")
    planned = list(interleaved(modes, 6))
    for number in range(6):
        assert {item.mode for item in planned if item.round == number} == set(modes)
    places = Counter((item.mode, item.position) for item in planned)
    assert set(places.values()) == {2}


def test_the_table_has_eighty_columns_and_marks_what_may_be_chance():
    modes = ("bare", "internal", "external", "both")
    noise = [-3.0, 0.1, 4.0]
    starts = [
        start(number, mode, 100 + (noise[number] if mode == "internal" else index * 10))
        for index, mode in enumerate(modes)
        for number in range(3)
    ]
    lines = table(record(starts)).splitlines()
    assert max(map(len, lines)) <= 80
    row = next(line for line in lines if line.startswith("Init Duration, ms"))
    assert row.split()[3:] == ["100.00", "~+0.10", "+20.00", "+30.00"]
    runner = next(line for line in lines if line.startswith("Runner, resident"))
    assert runner.split()[3:] == ["-", "-", "10.00", "10.00"]


def test_the_record_is_json_with_its_format_version_and_machine():
    document = json.loads(json.dumps(record([start(0, "bare", 10.123456)]).as_document()))
    assert (document["format"], document["format_version"]) == ("wrapkit.bench", 1)
    assert document["machine"] == {"cpu_count": 2}
    assert document["starts"][0]["init_duration_ms"] == 10.1235
    assert {item["metric"] for item in document["findings"]} <= {item.name for item in METRICS}


def test_a_start_is_read_from_what_the_emulator_measured():
    def result(latency_ms):
        return InvocationResult(
            request_id="r",
            payload=b"{}",
            function_error=None,
            status="success",
            error_type=None,
            duration_ms=latency_ms + 1,
            billed_duration_ms=9,
            init_duration_ms=None,
            max_memory_used_mb=40,
            response_latency_ms=latency_ms,
            post_runtime_extensions_duration_ms=0.5,
            cpu_ms={"runtime": 0.3, "wrapkit": 0.2},
            log_tail="",
        )

    init = InitResult(
        status="success",
        error_type=None,
        duration_ms=80,
        runtime=RuntimeInit(exec_ms=1, next_ms=79, cpu_ms=60),
        extensions={"wrapkit": ExtensionInit(exec_ms=2, next_ms=22, cpu_ms=15, rss_bytes=7)},
    )
    found = ColdStart.of(
        round_number=1,
        position=2,
        mode="both",
        init=init,
        results=[result(9), result(1), result(3)],
        span_count=3,
    )
    assert (found.runner_exec_to_next_ms, found.runner_rss_bytes) == (20, 7)
    assert found.first.response_latency_ms == 9
    assert found.warm.response_latency_ms.p50 == 2
    assert found.warm.runner_cpu_ms.p50 == 0.2
    assert found.warm_count == 2
