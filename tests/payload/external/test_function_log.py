"""Lines of the runtimes' log formats as log records."""

from __future__ import annotations

import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from wrapkit.payload.external._function_log import log_record
from wrapkit.payload.external._otlp_logs import encode_logs

ID = "8286a188-ba32-4475-8077-530cd35c09a9"
TIME = "2024-05-02T10:11:12.345Z"


def parts(content):
    record = log_record(content, 1)
    return record.severity, record.request_id, record.body


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"[INFO]\t{TIME}\t{ID}\thello\tthere\n", ("INFO", ID, "hello\tthere")),
        (f"[WARNING]\t{TIME}\t\tduring Init\n", ("WARNING", "", "during Init")),
        (f"[CRITICAL]\t{TIME}\t{ID}\t\n", ("CRITICAL", ID, "")),
        ("[ERROR] E: 'id'\rTraceback\r  at\n", ("ERROR", "", "E: 'id'\nTraceback\n  at")),
        (f"{TIME}\t{ID}\tWARN\tcareful\n", ("WARN", ID, "careful")),
        (f"{TIME}\tundefined\tINFO\tloaded\n", ("INFO", "", "loaded")),
        ("printed\n", ("", "", "printed")),
        ("[1, 2, 3]", ("", "", "[1, 2, 3]")),
        ("[Level 25]\tx", ("", "", "[Level 25]\tx")),
        ("", ("", "", "")),
    ],
)  # fmt: skip
def test_lines_of_the_text_format(line, expected):
    """Python's, Node.js's, and what was merely printed."""
    assert parts(line) == expected


@given(st.text())
def test_any_line_is_a_record(line):
    """What cannot be told apart is message, and nothing of it is lost."""
    severity, request_id, body = parts(line)

    if not severity:
        assert (request_id, body) == ("", line.rstrip("\r\n").replace("\r", "\n"))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_any_content_is_a_record(content):
    """The platform delivers what the function wrote."""
    assert log_record(content, 7).time_unix_nano == 7


def test_what_the_runtime_client_writes_in_the_json_format(monkeypatch):
    """Its own formatter's output: severity, request id, logger, and the exception's parts."""
    formatting = pytest.importorskip("awslambdaric.lambda_runtime_log_utils")
    try:
        raise KeyError("id")
    except KeyError:
        line = logging.LogRecord(
            "app.orders",
            logging.ERROR,
            __file__,
            1,
            "no %s",
            ("order",),
            __import__("sys").exc_info(),
        )
    line.aws_request_id = ID
    line.order = 7
    record = log_record(json.loads(formatting.JsonFormatter().format(line)), 1)

    assert (record.severity, record.request_id, record.body) == ("ERROR", ID, "no order")
    assert record.attributes["logger"] == "app.orders"
    assert record.attributes["order"] == 7
    assert record.attributes["exception.type"] == "KeyError"
    assert record.attributes["exception.message"] == "'id'"
    assert "test_function_log" in record.attributes["exception.stacktrace"]
    assert not {"requestId", "level", "message", "timestamp"} & record.attributes.keys()


@pytest.mark.parametrize("depth", [5, 50, 400])
@pytest.mark.parametrize("key", ["message", "order"])
def test_what_is_nested_too_deeply_does_not_spoil_the_request(depth, key):
    """Readers of protobuf refuse a message nested beyond 100, and all that comes with it."""
    nested = json.loads('{"a":[' * depth + "1" + "]}" * depth)
    body = encode_logs({}, [(log_record({key: nested}, 1), None)], observed_time_unix_nano=1)

    assert ExportLogsServiceRequest.FromString(body).resource_logs


def test_an_uncaught_error_in_the_json_format():
    """There is no message: what the error says is the body."""
    content = {"level": "ERROR", "errorType": "E", "errorMessage": "m", "stackTrace": ["a\n", "b"],
               "AWSRequestId": ID}  # fmt: skip
    record = log_record(content, 1)

    assert (record.severity, record.request_id, record.body) == ("ERROR", ID, "m")
    assert record.attributes == {
        "exception.type": "E",
        "exception.message": "m",
        "exception.stacktrace": "a\nb",
    }
