"""When an endpoint is tried again, and what its answers say."""

from __future__ import annotations

import email.utils
import json
from datetime import datetime, timezone

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from wrapkit.payload._otlp_http import JSON, PROTOBUF
from wrapkit.payload.external._partial_success import (
    MAX_ANSWER_BYTES,
    MAX_MESSAGE_CHARACTERS,
    fields,
    partial_success,
    refusal_message,
)
from wrapkit.payload.external._retry import (
    MAX_BACKOFF_MS,
    MAX_RETRY_AFTER_MS,
    Retry,
    retry_after_ms,
)

FOREVER = float("inf")


def waits(retry, count, now_ms=0.0):
    return [retry.failed(now_ms, FOREVER) - now_ms for _ in range(count)]


def test_backoff_doubles_up_to_its_bound():
    """Without luck the waits are the halves of 1, 2, 4 ... 30 s, with the most of it twice that."""
    assert waits(Retry(lambda: 0.0), 7) == [500, 1000, 2000, 4000, 8000, 15_000, 15_000]
    assert waits(Retry(lambda: 1.0), 7) == [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]


def test_backoff_begins_anew_after_success():
    """An endpoint that answered is tried without delay, and its next failure is a first one."""
    retry = Retry(lambda: 0.0)
    waits(retry, 5)
    assert not retry.may_try(0)

    retry.succeeded()

    assert retry.may_try(0)
    assert retry.failures == 0
    assert waits(retry, 1) == [500]


def test_no_attempt_beyond_the_deadline():
    """What cannot be tried again in time is told at once, and the next flush still waits."""
    retry = Retry(lambda: 0.0)

    assert retry.failed(1_000, 1_500) is None
    assert not retry.may_try(1_499)
    assert retry.may_try(1_500)
    assert Retry(lambda: 0.0).failed(1_000, 1_501) == 1_500


def test_retry_after_is_kept():
    """The endpoint's word counts where it is longer than the backoff, up to the bound."""
    assert Retry(lambda: 0.0).failed(0, FOREVER, 7_000) == 7_000
    assert Retry(lambda: 0.0).failed(0, FOREVER, 0) == 500
    assert Retry(lambda: 0.0).failed(0, FOREVER, 1e12) == MAX_RETRY_AFTER_MS


@given(
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=60),
    now_ms=st.floats(0, 4e12),
    deadline_ms=st.floats(0, 4e12),
    asked_ms=st.none() | st.floats(0, 1e9),
)
def test_every_wait_is_bounded(draws, now_ms, deadline_ms, asked_ms):
    """Whatever happens: never at once, never beyond the bounds, never at or after the deadline."""
    source = iter(draws)
    retry = Retry(lambda: next(source))
    for _ in draws:
        again = retry.failed(now_ms, deadline_ms, asked_ms)
        assert again is None or now_ms < again < deadline_ms
        assert not retry.may_try(now_ms)
        assert retry.may_try(now_ms + max(MAX_BACKOFF_MS, min(asked_ms or 0, MAX_RETRY_AFTER_MS)))


NOW_MS = datetime(2026, 11, 24, 8, 0, tzinfo=timezone.utc).timestamp() * 1000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("99999999999999999999", MAX_RETRY_AFTER_MS),
        ("Tue, 24 Nov 2026 08:00:30 GMT", 30_000),
        ("Tuesday, 24-Nov-26 08:00:30 GMT", 30_000),
        ("Tue Nov 24 08:00:30 2026", 30_000),
        ("Sun Nov  1 08:49:37 2026", 0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 0),
        ("Fri, 25 Nov 2050 08:00:00 GMT", MAX_RETRY_AFTER_MS),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("Tue, 24 Nov 2026 08:00:30", None),
        ("Tue, 24 Nov 2026 08:00:30 CET", None),
        ("Tue, 24 Now 2026 08:00:30 GMT", None),
        ("Tue, 24 Nov 2026 08:00 GMT", None),
        ("Tue, 24 Nov 2026 0x:00:30 GMT", None),
        ("Tue, x Nov 2026 08:00:30 GMT", None),
        ("²", None),
    ],
)
def test_retry_after_header(value, expected):
    """Seconds and the three forms of a date; what cannot be read says nothing."""
    assert retry_after_ms(value, NOW_MS) == expected


@given(st.integers(946_684_800, 3_786_912_000))
def test_dates_as_the_standard_library_writes_them(unix_s):
    """Any date in the preferred form means the second that email.utils wrote it for."""
    assert (
        retry_after_ms(email.utils.formatdate(unix_s, usegmt=True), (unix_s - 17) * 1000) == 17_000
    )


@given(st.text(max_size=40))
def test_any_retry_after_is_survived(value):
    """A header is what a stranger wrote."""
    found = retry_after_ms(value, NOW_MS)

    assert found is None or 0 <= found <= MAX_RETRY_AFTER_MS


TRACES = trace_service_pb2.ExportTraceServiceResponse
METRICS = metrics_service_pb2.ExportMetricsServiceResponse
LOGS = logs_service_pb2.ExportLogsServiceResponse
RESPONSES = [
    (TRACES, "rejected_spans"),
    (METRICS, "rejected_data_points"),
    (LOGS, "rejected_log_records"),
]


def answer(kind, key, rejected, message):
    response = kind()
    setattr(response.partial_success, key, rejected)
    response.partial_success.error_message = message
    return response


@pytest.mark.parametrize(("kind", "key"), RESPONSES)
@given(rejected=st.integers(0, 2**63 - 1), message=st.text(st.characters(codec="utf-8")))
def test_partial_success_as_opentelemetry_writes_it(kind, key, rejected, message):
    """Count and message come through, from protobuf and from JSON, for each signal."""
    response = answer(kind, key, rejected, message)
    expected = "".join([c if c.isprintable() else " " for c in message[:MAX_MESSAGE_CHARACTERS]])

    for content_type, body in (
        (PROTOBUF, response.SerializeToString()),
        (JSON + "; charset=utf-8", json_format.MessageToJson(response).encode()),
    ):
        found = partial_success(content_type, body)
        assert (found.rejected, found.message) == (rejected, expected)
        assert bool(found) == bool(rejected or message)


def test_partial_success_in_several_pieces():
    """Unknown fields are passed over, and a message that comes twice is merged."""
    first = answer(TRACES, "rejected_spans", 3, "")
    second = answer(TRACES, "rejected_spans", 0, "too old")
    unknown = b"\x78\x05" + b"\x7d1234" + b"\x7912345678"
    found = partial_success(
        PROTOBUF, first.SerializeToString() + unknown + second.SerializeToString()
    )

    assert (found.rejected, found.message) == (3, "too old")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"partialSuccess": 1}',
        b'{"partialSuccess": {}}',
        b'{"partialSuccess": {"rejectedSpans": -1, "errorMessage": 2}}',
        b'{"partialSuccess": {"rejectedSpans": "x"}}',
        b"<html>",
        b"\xff",
        b'{"partialSuccess": {"rejectedSpans": 1}}' + b" " * MAX_ANSWER_BYTES,
    ],
)
def test_an_answer_that_says_nothing(body):
    """A success whose body is empty, odd or far too long is a success."""
    assert not partial_success(JSON, body)


@given(st.binary(max_size=60))
def test_any_answer_is_survived(body):
    """A body is what a stranger wrote."""
    for content_type in (PROTOBUF, JSON, "text/plain"):
        assert partial_success(content_type, body).rejected >= 0
        assert isinstance(refusal_message(content_type, body), str)


def test_a_negative_count_is_no_count():
    """An int64 below zero is ten bytes on the wire, and makes no sense."""
    assert not partial_success(
        PROTOBUF, answer(TRACES, "rejected_spans", -1, "").SerializeToString()
    )


def test_every_cut_of_an_answer_is_survived():
    """An answer that ends at any byte is read as nothing or as what is whole of it."""
    body = answer(LOGS, "rejected_log_records", 300, "why").SerializeToString()

    found = [partial_success(PROTOBUF, body[:end]).rejected for end in range(len(body))]
    assert set(found) == {0}
    with pytest.raises(ValueError, match="cut off"):
        list(fields(body[:-1]))


def test_the_reason_of_a_refusal():
    """A google.rpc.Status tells why, as protobuf and as JSON; other bodies are not quoted."""
    status = b"\x08\x03\x12\x0bspan is old"

    assert refusal_message(PROTOBUF, status) == "span is old"
    assert refusal_message(JSON, json.dumps({"code": 3, "message": "a\nb"}).encode()) == "a b"
    assert refusal_message("text/html", b"<html>") == ""
    assert refusal_message(JSON, b"{") == ""
    assert refusal_message(PROTOBUF, b"\x12") == ""
