"""What is found in a record's starts, and whether the machine was quiet enough."""

from __future__ import annotations

import pytest

from tests.tooling.bench.records import record, simulated, start
from wrapkit.tooling.bench import MEASURES, findings, measure_of
from wrapkit.tooling.bench._noise import check_noise

IDLE = {"others_share": 0.01, "stolen_share": 0.0}


def found_in(starts):
    return {(found.measure, found.variant, found.memory_mb): found for found in findings(starts)}


def test_the_added_cost_is_paired_within_the_round():
    """The machine slows down from round to round; the variant costs 5 ms more in each of them."""
    inits = dict(enumerate([50.0, 500.0, 90.0, 70.0, 60.0, 300.0]))
    starts = [start(number, "bare", init_ms) for number, init_ms in inits.items()]
    starts += [start(number, "both", init_ms + 5) for number, init_ms in inits.items()]
    found = found_in(starts)
    added = found["init_ms", "both", 128].added
    assert (added.low, added.median, added.high) == (5, 5, 5)
    assert found["init_ms", "both", 128].verdict == "more"
    assert found["init_ms", "bare", 128].value.median == 80
    assert found["init_ms", "bare", 128].added is None
    assert 1 < found["init_ms", "both", 128].ratio.median < 1.1


def test_each_memory_size_is_a_comparison_of_its_own():
    starts = [
        start(number, variant, init_ms, memory_mb)
        for number in range(6)
        for variant, memory_mb, init_ms in (
            ("bare", 128, 800.0),
            ("both", 128, 900.0),
            ("bare", 1769, 80.0),
            ("both", 1769, 90.0),
        )
    ]
    found = found_in(starts)
    assert found["init_ms", "both", 128].added.median == 100
    assert found["init_ms", "both", 1769].added.median == 10


def test_a_round_that_one_variant_misses_is_no_pair():
    starts = [start(0, "bare", 10), start(0, "both", 11), start(1, "both", 999)]
    assert found_in(starts)["init_ms", "both", 128].added.median == 1


def test_what_the_bare_function_does_not_have_is_shown_without_a_difference():
    starts = [start(0, "bare", 10), start(0, "both", {"init_ms": 11, "wrapkit.ready_ms": 9})]
    found = found_in(starts)
    assert ("wrapkit.ready_ms", "bare", 128) not in found
    assert found["wrapkit.ready_ms", "both", 128].value.median == 9
    assert found["wrapkit.ready_ms", "both", 128].added is None
    assert found["wrapkit.ready_ms", "both", 128].verdict is None


@pytest.mark.parametrize(
    ("added", "verdict"),
    [
        ([5.0] * 8, "more"),
        ([-5.0] * 8, "less"),
        ([1.0, -1.0] * 4, "same"),
        ([40.0, -30.0] * 4, "undecided"),
    ],
)
def test_nothing_found_is_told_from_nothing_known(added, verdict):
    """Where more than a tenth of bare cannot be ruled out, it is undecided."""
    starts = [start(number, "bare", 100.0) for number in range(8)]
    starts += [start(number, "both", 100 + more) for number, more in enumerate(added)]
    assert found_in(starts)["init_ms", "both", 128].verdict == verdict


def test_every_measure_is_named_once_and_has_a_definition():
    assert len({measure.name for measure in MEASURES}) == len(MEASURES)
    assert len({measure.title for measure in MEASURES}) == len(MEASURES)
    assert all(measure.definition.endswith(".") for measure in MEASURES)


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("init_ms", True),
        ("wrapkit.init_cpu_ms", True),
        ("my-agent.ready_ms", True),
        ("ready_ms", False),
        ("wrapkit.init_ms", False),
        ("nonsense", False),
    ],
)
def test_a_measure_of_one_process_is_named_with_the_process(key, is_one):
    assert (measure_of(key) is not None) == is_one


def test_a_quiet_machine_is_called_quiet():
    noise = check_noise(simulated(3, 20, 0, noise=0.03).starts, IDLE)
    assert (noise.level, list(noise.reasons)) == ("quiet", [])


@pytest.mark.parametrize(
    ("shares", "level", "reason"),
    [
        ({"others_share": 0.4, "stolen_share": 0.0}, "noisy", "other programs used 40%"),
        ({"others_share": 0.9, "stolen_share": 0.0}, "too noisy", "other programs used 90%"),
        ({"others_share": 0.0, "stolen_share": 0.2}, "too noisy", "withheld 20%"),
    ],
)
def test_what_disturbed_the_machine_is_said(shares, level, reason):
    noise = check_noise(simulated(3, 20, 0, noise=0.03).starts, shares)
    assert noise.level == level
    assert reason in " ".join(noise.reasons)


def test_figures_that_spread_or_drift_are_not_for_concluding():
    spread = [start(number, "bare", 100 + 80 * (number % 3)) for number in range(12)]
    drift = [start(number, "bare", 100 if number < 10 else 150) for number in range(20)]
    assert check_noise(spread, IDLE).level == "too noisy"
    assert check_noise(drift, IDLE).level == "too noisy"
    assert "changed by 50%" in " ".join(check_noise(drift, IDLE).reasons)


def test_a_record_knows_its_variants_and_sizes():
    made = record([start(0, "bare", 1.0), start(0, "both", 2.0), start(0, "bare", 1.0, 512)])
    assert (made.variants, made.memory_mb, made.rounds()) == (["bare", "both"], [128, 512], 1)
