"""`--fail-if`: what is understood, what is refused and how, and what holds."""

from __future__ import annotations

import pytest

from tests.tooling.bench.records import record, start
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.bench import judge, parse_condition

VARIANTS = ("bare", "both", "my-rival")


def made(added=10.0):
    starts = []
    for number in range(8):
        for variant, more in (("bare", 0), ("both", added), ("my-rival", 200.0)):
            measures = {"init_ms": 100 + number + more, "spans": 0 if variant == "bare" else 4}
            starts.append(start(number, variant, measures))
    inspections = {
        "bare": {"measures": {"modules_imported": 90}},
        "both": {"measures": {"modules_imported": 102}, "problems": {"files_opened": "root only"}},
    }
    return record(starts, inspections=inspections)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("both.init_ms > bare.init_ms + 15", False),
        ("both.init_ms > bare.init_ms + 5", True),
        ("both.init_ms>bare.init_ms+5", True),
        ("both.init_ms - bare.init_ms >= 10", True),
        ("both.init_ms / bare.init_ms > 1.05", True),
        ("both.init_ms > 1.05 * bare.init_ms and both.spans < 4", False),
        ("both.init_ms > 1.05 * bare.init_ms or both.spans < 4", True),
        ("not (both.init_ms > 500) and not both.spans < 4", True),
        ("(both.init_ms + my-rival.init_ms) / 2 > bare.init_ms * (1 + 1)", True),
        ("my-rival.init_ms - -1 < both.init_ms", False),
        ("both.modules_imported - bare.modules_imported <= 12", True),
        ("both@128.init_ms > bare@128.init_ms", True),
        ("2 + 3 * 4 >= 14 and (2 + 3) * 4 <= 20", True),
    ],
)
def test_a_condition_is_decided_as_it_reads(text, expected):
    holds, judged = judge(parse_condition(text, VARIANTS), made())
    assert holds == expected
    assert all(one.text in text for one in judged)


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("both.init_ms >", 15, "a name or a number is missing before the end"),
        ("both.init_ms", 1, "a comparison is needed here"),
        ("bath.init_ms > 1", 1, "no variant bath is measured, only bare, both, my-rival"),
        ("both.inot_ms > 1", 6, "there is no measure inot_ms"),
        ("both.init_ms-5 > 1", 6, "a minus needs spaces around it"),
        ("both.init_ms > 1 > 2", 18, "'>' is not expected here"),
        ("both > 1", 1, "both is not VARIANT.MEASURE"),
        ("(both.init_ms > 1", 18, "a ) is missing here"),
        ("both.init_ms > 15ms", 16, "'1' is not understood"),
        ("both.init_ms > __import__('os')", 27, "is not understood"),
        ("both.init_ms == 1", 14, "'=' is not understood"),
        ("both.init_ms + (1 < 2) > 3", 15, "a number is needed here, not a comparison"),
        ("(" * 60 + "1" + ")" * 60 + " < 2", 41, "nested deeper"),
        ("1 < " + "1 + " * 400 + "1", 1001, "longer than"),
        ("", 1, "a name or a number is missing before the end"),
    ],
)
def test_a_condition_that_is_not_understood_says_where_and_why(text, place, reason):
    with pytest.raises(DiagnosticError) as failure:
        parse_condition(text, VARIANTS)
    assert failure.value.exit_code == 2
    assert f"at character {place}: " in failure.value.message
    assert reason in failure.value.message
    assert "both.init_ms > bare.init_ms + 15" in failure.value.hint


def test_the_comparison_is_of_paired_differences_and_says_how_sure_it_is():
    _, (judged,) = judge(parse_condition("both.init_ms > bare.init_ms + 15", VARIANTS), made())
    assert (judged.excess.low, judged.excess.median, judged.excess.high) == (-5, -5, -5)
    assert judged.in_words() == (
        "both.init_ms > bare.init_ms + 15 at 128 MB: no, by 5.00 (5.00 to 5.00)"
    )


def test_a_close_call_is_said_to_be_one():
    starts = []
    for number in range(8):
        starts += [start(number, "bare", 100.0), start(number, "both", 100.0 + number - 3)]
    _, (judged,) = judge(parse_condition("both.init_ms > bare.init_ms", VARIANTS), record(starts))
    assert judged.is_close
    assert "more cold starts may decide otherwise" in judged.in_words()


def test_one_memory_size_that_meets_it_is_enough():
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
    condition = parse_condition("both.init_ms > bare.init_ms + 50", VARIANTS)
    holds, judged = judge(condition, record(starts))
    assert holds
    assert [(one.memory_mb, one.holds) for one in judged] == [(128, True), (1769, False)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bare.wrapkit.ready_ms > 1", "bare has no wrapkit.ready_ms at 128 MB"),
        ("both.files_opened > 1", "both has no files_opened at 128 MB: root only"),
        ("both.init_ms / bare.spans > 1", "divides by zero"),
        ("1 / 0 > 1", "divides by zero"),
    ],
)
def test_a_figure_that_is_not_there_fails_rather_than_passes(text, reason):
    with pytest.raises(DiagnosticError, match="--fail-if: ") as failure:
        judge(parse_condition(text, VARIANTS), made())
    assert failure.value.exit_code == 1
    assert reason in failure.value.message
