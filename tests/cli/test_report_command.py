"""`wrapkit report` as a command."""

from __future__ import annotations

import json

from tests.tooling.bench.records import record, start
from tests.tooling.report.test_logs import text_log


def test_logs_come_from_standard_input_or_files(wrapkit):
    code, stdout, stderr = wrapkit("report", "logs", given=text_log())
    assert (code, stderr) == (0, "")
    assert "Init Duration p50, ms          698.81" in stdout
    assert "Failures                            1" in stdout

    (wrapkit.folder / "before.log").write_text(text_log("41"))
    (wrapkit.folder / "after.log").write_text(text_log("42"))
    code, stdout, _ = wrapkit("report", "logs", "before.log", "after.log", "--json")
    document = json.loads(stdout)
    assert (code, document["versions"]) == (0, ["before.log", "after.log"])
    costs = next(row for row in document["rows"] if row["name"] == "usd_per_million")
    assert costs["values"][0] == costs["values"][1] > 0.2


def test_a_log_without_report_lines_is_an_error(wrapkit):
    code, stdout, stderr = wrapkit("report", "logs", given="hello\n")
    assert (code, stdout) == (1, "")
    assert "error: there is no REPORT line in it" in stderr
    assert "hint: " in stderr


def test_wrong_names_and_prices_are_refused(wrapkit):
    code, _, stderr = wrapkit("report", "logs", "--version", "41", given=text_log())
    assert code == 2
    assert "is not VERSION=NAME" in stderr
    code, _, stderr = wrapkit("report", "logs", "--region", "nowhere", given=text_log())
    assert code == 2
    assert "has no price" in stderr


def test_a_record_is_shown_again(wrapkit):
    starts = [start(0, "bare", 10.0), start(0, "both", 11.0)]
    (wrapkit.folder / "record.json").write_text(record(starts).as_text())
    code, stdout, _ = wrapkit("report", "bench", "record.json")
    assert code == 0
    assert "Init Duration, ms" in stdout
    code, stdout, _ = wrapkit("report", "bench", "record.json", "--html", "cost.html")
    assert (code, stdout) == (0, "")
    assert "<!DOCTYPE html>" in (wrapkit.folder / "cost.html").read_text()
