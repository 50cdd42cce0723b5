"""Medians, their intervals, and what they may be trusted for."""

from __future__ import annotations

import random
from statistics import median

import pytest

from tests.tooling.bench.records import simulated
from wrapkit.tooling.bench import findings, quantile
from wrapkit.tooling.bench._statistics import difference, estimate, relative_spread


@pytest.mark.parametrize("count", [6, 7, 8, 9, 12, 20, 35, 150])
def test_the_interval_holds_the_true_median_at_least_as_often_as_it_says(count):
    """With few values, too, of a distribution that is not symmetric."""
    generator = random.Random(count)
    missed = 0
    for _ in range(400):
        found = estimate([generator.lognormvariate(0, 0.5) for _ in range(count)])
        missed += not found.low <= 1 <= found.high
    assert missed <= 400 * 0.07


@pytest.mark.parametrize("count", [7, 8, 21, 22])
def test_the_interval_is_that_of_the_bootstrap_where_that_is_wide_enough(count):
    """Computed from the binomial distribution, it agrees with drawn resamples."""
    generator = random.Random(count)
    values = [generator.gauss(100, 10) for _ in range(count)]
    drawn = sorted(median(generator.choices(values, k=count)) for _ in range(20_000))
    found = estimate(values)
    near = max(abs(a - b) for a, b in zip(sorted(values), sorted(values)[1:], strict=False))
    assert found.low <= quantile(drawn, 0.025) + 1e-9
    assert found.high >= quantile(drawn, 0.975) - 1e-9
    assert found.low >= quantile(drawn, 0.025) - 2 * near
    assert found.high <= quantile(drawn, 0.975) + 2 * near


def test_few_values_prove_nothing():
    """However alike they are."""
    assert estimate([5.0] * 5).spans_zero
    assert not estimate([5.0] * 6).spans_zero
    assert estimate([0.0] * 20).spans_zero


def test_the_same_values_give_the_same_interval_in_whatever_order():
    values = [1.0, 5.0, 2.0, 8.0, 3.0, 2.5, 7.0]
    assert estimate(values) == estimate(values[::-1])
    assert difference(values, values) == difference(values, values)


def test_an_a_a_run_finds_no_difference_in_nineteen_of_twenty_repetitions():
    """The same variant twice, on 400 simulated machines with drifts and outliers."""
    found = 0
    for seed in range(400):
        record = simulated(seed, 20, 0)
        found += _finding(record).verdict in ("more", "less")
    assert found <= 400 / 20


@pytest.mark.parametrize("rounds", [8, 20])
def test_a_known_sleep_is_found_within_its_interval(rounds):
    """20 ms of Init: in the interval nearly always, and told from nothing."""
    within = 0
    for seed in range(200):
        added = _finding(simulated(seed, rounds, 20)).added
        within += added.low <= 20 <= added.high
    assert within >= 200 * 0.93
    assert _finding(simulated(1, 20, 20)).verdict == "more"


def test_two_records_of_the_same_thing_differ_by_nothing_most_of_the_time():
    """Of medians that are no pairs, as when two records are compared."""
    found = 0
    for seed in range(200):
        values = [start.measures["init_ms"] for start in simulated(seed, 20, 0).starts]
        found += not difference(values[::2], values[1::2]).spans_zero
    assert found <= 200 * 0.08


def _finding(record):
    return next(found for found in findings(record.starts) if found.variant == "again")


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 2.5), (0.9, 3.7), (1, 4)])
def test_quantiles_interpolate(share, expected):
    assert quantile([1, 2, 3, 4], share) == pytest.approx(expected)


def test_the_spread_ignores_one_outlier():
    assert relative_spread([100, 101, 99, 100, 5000]) < 0.02
    assert relative_spread([0, 0, 0]) == 0
