"""REPORT lines of every export that CloudWatch makes, as tables."""

from __future__ import annotations

import json
import random

import pytest

from wrapkit.tooling.bench import read_reports
from wrapkit.tooling.report import group_reports, log_rows, log_table

ID = "8f6f1a3e-5d0c-4c1b-9a7e-{:012d}"
# As Lambda writes them: tabs between and behind the fields.
COLD = (
    "REPORT RequestId: {id}\tDuration: 5622.49 ms\tBilled Duration: 6322 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 73 MB\tInit Duration: 698.81 ms\t"
)
WARM = (
    "REPORT RequestId: {id}\tDuration: 1.25 ms\tBilled Duration: 2 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 74 MB\t"
)
TIMEOUT = (
    "REPORT RequestId: {id}\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 74 MB\tStatus: timeout"
)
RESTORED = (
    "REPORT RequestId: {id}\tDuration: 12.00 ms\tBilled Duration: 60 ms\tMemory Size: 256 MB\t"
    "Max Memory Used: 90 MB\tRestore Duration: 300.10 ms\tBilled Restore Duration: 47 ms\t"
)
STREAM = "2026/11/25/[{version}]6a3ffb6c7a1f4a0c8d2e"


def line(template, number):
    return template.format(id=ID.format(number))


def text_log(version="7"):
    start = "START RequestId: {id} Version: " + version
    return "\n".join(
        [
            "INIT_START Runtime Version: python:3.12.v43\tRuntime Version ARN: arn:aws:lambda:x",
            line(start, 1),
            "hello REPORT of my own, Duration: 1 ms",
            line("END RequestId: {id}", 1),
            line(COLD, 1),
            "XRAY TraceId: 1-5bef4de7-ad49b0e87f6ef6c87fc2e700\tSegmentId: 1\tSampled: true\t",
            line(start, 2),
            line(WARM, 2),
            line(start, 3),
            line(TIMEOUT, 3),
        ]
    )


def events(pretty=False):
    messages = [line(COLD, 1), line(WARM, 2), line(TIMEOUT, 3)]
    stream = STREAM.format(version=7)
    listed = [{"logStreamName": stream, "message": text + "\n"} for text in messages]
    return json.dumps({"events": listed}, indent=4 if pretty else None)


def insights_csv():
    rows = [(STREAM.format(version=7), line(one, n)) for n, one in enumerate((COLD, WARM, TIMEOUT))]
    return "@logStream,@message\n" + "\n".join(f'{stream},"{text}\n"' for stream, text in rows)


def insights_json():
    rows = [
        [
            {"field": "@logStream", "value": STREAM.format(version=7)},
            {"field": "@message", "value": line(one, number)},
        ]
        for number, one in enumerate((COLD, WARM, TIMEOUT))
    ]
    return json.dumps({"results": rows, "status": "Complete"})


def tail():
    """`aws logs tail`, whose lines begin with the time and the log stream."""
    stream = STREAM.format(version=7)
    texts = [line(one, number) for number, one in enumerate((COLD, WARM, TIMEOUT))]
    return "\n".join(f"2026-11-25T10:00:00+00:00 {stream} {text}" for text in texts)


def json_log():
    """The JSON system log format."""
    metrics = {"memorySizeMB": 256, "maxMemoryUsedMB": 73}
    reports = [
        {"durationMs": 5622.49, "billedDurationMs": 6322, "initDurationMs": 698.81, **metrics},
        {"durationMs": 1.25, "billedDurationMs": 2, **metrics},
        {"durationMs": 3000.0, "billedDurationMs": 3000, **metrics},
    ]
    documents = []
    for number, one in enumerate(reports):
        request_id, status = ID.format(number), "timeout" if number == 2 else "success"
        documents += [
            {"type": "platform.start", "record": {"requestId": request_id, "version": "7"}},
            {
                "type": "platform.report",
                "record": {"requestId": request_id, "status": status, "metrics": one},
            },
        ]
    return "\n".join(map(json.dumps, documents))


@pytest.mark.parametrize(
    "export",
    [
        text_log(),
        events(),
        events(pretty=True),
        insights_csv(),
        insights_json(),
        tail(),
        json_log(),
        text_log().replace("\n", "\r\n"),
        tail() + "\n" + tail(),
    ],
    ids=["text", "events", "pretty", "csv", "insights", "tail", "json", "windows", "twice"],
)
def test_every_export_has_the_same_invocations(export):
    reports = read_reports(export)
    assert [report.duration_ms for report in reports] == [5622.49, 1.25, 3000.0]
    assert [report.billed_ms for report in reports] == [6322, 2, 3000]
    assert [report.init_ms for report in reports] == [698.81, None, None]
    assert {report.memory_mb for report in reports} == {256}
    assert reports[0].max_memory_used_mb == 73
    assert [report.status for report in reports] == ["", "", "timeout"]
    assert {report.version for report in reports} == {"7"}


def test_a_restore_is_a_cold_start():
    (report,) = read_reports(line(RESTORED, 1))
    assert (report.restore_ms, report.init_ms, report.is_cold) == (300.1, None, True)
    assert report.billed_ms == 60


def test_a_line_that_was_cut_off_is_left_out():
    assert read_reports(line(COLD, 1)[:90]) == []
    assert read_reports("") == []
    assert read_reports("{}") == []


def test_two_versions_are_compared():
    """The second takes 20 ms longer to initialise; their warm invocations do not differ."""
    generator = random.Random(1)
    lines = []
    for number in range(60):
        version = 41 + number % 2
        init_ms = 100 + 20 * (number % 2) + generator.gauss(0, 2)
        lines.append(f"START RequestId: {ID.format(number)} Version: {version}")
        lines.append(line(COLD, number).replace("698.81", f"{init_ms:.2f}"))
        lines.append(f"START RequestId: {ID.format(1000 + number)} Version: {version}")
        warm_ms = f"{1 + generator.random():.2f}"
        lines.append(line(WARM, 1000 + number).replace("1.25", warm_ms))
    groups = group_reports(read_reports("\n".join(lines)), {"41": "bare", "42": "wrapkit"})
    assert {name: len(one) for name, one in groups.items()} == {"bare": 60, "wrapkit": 60}
    rows = {row.name: row for row in log_rows(groups, None)}
    assert rows["cold_starts"].values == [30, 30]
    changed = rows["init_ms"].changed[1]
    assert changed.low <= 20 <= changed.high
    assert not changed.spans_zero
    assert rows["warm_duration_ms"].changed[1].spans_zero
    assert "usd_per_million" not in rows
    table = log_table(groups, list(rows.values()))
    assert max(map(len, table.splitlines())) <= 80
    assert table.splitlines()[0].split() == ["version", "bare", "wrapkit"]
