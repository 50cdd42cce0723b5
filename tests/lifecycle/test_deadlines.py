"""Millisecond arithmetic and the platform's limits."""

import pytest

from wrapkit import lifecycle as core
from wrapkit.lifecycle import _deadlines


@pytest.mark.case(60)
@pytest.mark.parametrize(
    ("duration_ms", "init_ms", "billed_ms"),
    [
        (250.06, 100.77, 351),
        (5622.492, 698.806, 6322),  # a REPORT line of the real platform
        (11.642, 0.0, 12),
        (12.0, 0.0, 12),
        (0.0, 0.0, 0),
        (0.1 + 0.2, 0.7, 1),  # 1.0000000000000002 is not charged as 2
    ],
)
def test_billed_is_the_sum_rounded_up(duration_ms, init_ms, billed_ms):
    assert core.billed_duration_ms(duration_ms, init_ms) == billed_ms


def test_a_duration_is_exact_to_the_microsecond():
    """Near 1.7e12 a float is not."""
    assert core.elapsed_ms(1_700_000_000_000.1, 1_700_000_000_005.1) == 5.0


def test_neither_a_duration_nor_what_remains_is_negative():
    """The wall clock may step back, and a deadline may be long past."""
    assert core.elapsed_ms(10.0, 9.0) == 0.0
    assert core.remaining_ms(10, 11.5) == 0.0
    assert core.remaining_ms(10, 8.5) == 1.5


@pytest.mark.parametrize(
    ("externals", "internals", "budget"),
    [(0, 0, (0, 0)), (0, 1, (500, 500)), (1, 0, (2000, 300)), (2, 3, (2000, 300))],
)
def test_the_shutdown_budget_depends_on_who_is_there(externals, internals, budget):
    assert core.shutdown_budget(externals=externals, internals=internals) == budget


@pytest.mark.parametrize(
    ("initialization_type", "function_timeout_ms", "timeout_ms"),
    [
        ("on-demand", 900_000, 10_000),
        ("provisioned-concurrency", 3_000, 130_000),
        ("snap-start", 900_000, 900_000),
    ],
)
def test_init_may_take_what_the_platform_allows(
    initialization_type, function_timeout_ms, timeout_ms
):
    assert _deadlines.init_timeout_ms(initialization_type, function_timeout_ms) == timeout_ms
