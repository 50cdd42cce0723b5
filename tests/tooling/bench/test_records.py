"""Records as files: what is written, what is refused, and what may be compared."""

from __future__ import annotations

import json

import pytest

from tests.tooling.bench.records import record, simulated, start
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.bench import UnfinishedRun, changes, check_comparable, load_record


def both(init_ms=11.0):
    return [start(0, "bare", 10.123456), start(0, "both", init_ms)]


def test_a_record_is_read_as_it_was_written(tmp_path):
    made = record(both())
    path = tmp_path / "record.json"
    path.write_text(made.as_text())
    assert load_record(path) == made
    document = json.loads(path.read_text())
    assert (document["format"], document["format_version"]) == ("wrapkit.bench", 2)
    assert document["findings"][0]["value"]["median"] == 10.1235
    assert len(path.read_text().splitlines()) < 120


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("11.0", "10.0"), "it has been changed since"),
        (lambda text: text.replace('"format_version": 2', '"format_version": 1'), "version 1"),
        (lambda text: text[:100], "not JSON"),
        (lambda _: "[]", "not a record"),
    ],
)
def test_a_record_that_was_tampered_with_or_is_none_is_refused(tmp_path, change, reason):
    path = tmp_path / "record.json"
    path.write_text(change(record(both()).as_text()))
    with pytest.raises(DiagnosticError, match=reason) as failure:
        load_record(path)
    assert failure.value.exit_code == 2


@pytest.mark.parametrize(
    "other",
    [
        {"machine": {"cpu_model": "another"}},
        {"machine": {"cpu_count": 4}},
        {"scenario": {"python": "3.13"}},
        {"scenario": {"warm": 100}},
    ],
)
def test_unlike_machines_and_scenarios_are_not_compared(other):
    with pytest.raises(DiagnosticError, match="not for comparing") as failure:
        check_comparable(record(both()), record(both(), **other))
    assert failure.value.exit_code == 2


def test_versions_and_load_may_differ():
    check_comparable(record(both()), record(both(), machine={"load_average": [1, 2, 3]}))


def test_a_change_is_found_with_its_interval():
    before, after = simulated(1, 30, 10), simulated(2, 30, 60)
    found = {(one.measure, one.variant): one for one in changes(before, after)}
    again, bare = found["init_ms", "again"], found["init_ms", "bare"]
    assert again.is_found
    assert again.changed.low <= 50 <= again.changed.high
    assert not bare.is_found


def test_an_interrupted_run_is_gone_on_with(tmp_path):
    """The line that was being written when it ended does not matter."""
    made = record(both())
    unfinished = UnfinishedRun(tmp_path / "record.json")
    unfinished.begin(made.scenario, made.machine)
    for one in made.starts:
        unfinished.add(one)
    with unfinished.path.open("a") as file:
        file.write('{"round": 1, "posi')
    more_rounds = {**made.scenario, "cold": 99, "budget_s": 5}
    assert unfinished.resume(more_rounds, made.machine) == made.starts
    unfinished.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("scenario", "machine", "reason"),
    [
        ({"warm": 7}, {}, "another scenario; different are: warm"),
        ({}, {"cpu_count": 64}, "another machine"),
    ],
)
def test_another_run_is_not_gone_on_with(tmp_path, scenario, machine, reason):
    made = record(both())
    unfinished = UnfinishedRun(tmp_path / "record.json")
    unfinished.begin(made.scenario, made.machine)
    with pytest.raises(DiagnosticError, match=reason) as failure:
        unfinished.resume({**made.scenario, **scenario}, {**made.machine, **machine})
    assert "--resume" in failure.value.hint


def test_nothing_to_go_on_with_is_said(tmp_path):
    made = record(both())
    unfinished = UnfinishedRun(tmp_path / "record.json")
    with pytest.raises(DiagnosticError, match="No such file"):
        unfinished.resume(made.scenario, made.machine)
    unfinished.path.write_text("nonsense\n")
    with pytest.raises(DiagnosticError, match="not what an interrupted run leaves"):
        unfinished.resume(made.scenario, made.machine)
