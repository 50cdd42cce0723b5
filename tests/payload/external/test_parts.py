"""The parts of the runner that need no process: time, JSON, the bounded queue."""

from __future__ import annotations

import contextlib
import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.payload import _report
from wrapkit.payload._otlp_http import JSON, PROTOBUF
from wrapkit.payload.external import _outbox
from wrapkit.payload.external._document import read_json, read_object
from wrapkit.payload.external._intake import is_whole
from wrapkit.payload.external._outbox import Batch, Outbox
from wrapkit.payload.external._time import unix_nano

EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - all times here are in UTC
DOCUMENT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.datetimes(EPOCH, EPOCH.replace(year=2200)))
def test_timestamps_are_what_datetime_says(moment):
    """To the microsecond, leap days included."""
    micros = (moment - EPOCH) // datetime.timedelta(microseconds=1)

    assert unix_nano(moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")) == micros * 1000


def test_a_timestamp_without_a_fraction():
    """ISO 8601 allows it."""
    assert unix_nano("1970-01-02T00:00:01Z") == 86_401_000_000_000


@given(st.text())
def test_any_text_is_a_time_or_a_value_error(text):
    """Telemetry comes from outside."""
    with contextlib.suppress(ValueError):
        assert isinstance(unix_nano(text), int)


@given(DOCUMENT, st.sampled_from([None, 2]), st.sampled_from(["", " ", "\r\n\t"]))
def test_json_is_read_as_json_reads_it(document, indent, space):
    """Whatever the layout."""
    text = space + json.dumps(document, indent=indent) + space

    assert read_json(text.encode()) == json.loads(text)


@given(st.binary() | st.text().map(str.encode))
def test_what_json_refuses_is_a_value_error(data):
    """Line breaks within strings are the one liberty."""
    try:
        expected = json.JSONDecoder(strict=False).decode(data.decode("utf-8"))
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011
            read_json(data)
    else:
        assert read_json(data) == expected or expected != expected  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b"[" * 100_000, b"", b"{} {}"])
def test_what_is_not_one_object_is_a_value_error(data):
    """Also what is nested beyond the stack."""
    with pytest.raises(ValueError):  # noqa: PT011
        read_object(data)


@given(st.binary())
def test_any_bytes_are_whole_or_not(data):
    """The check of a body's outer frame ends, and never raises."""
    assert is_whole([data]) in (True, False)


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


def batch(body, signal="traces", content_type=PROTOBUF):
    return Batch(signal=signal, content_type=content_type, body=body)


def test_the_oldest_is_dropped_first_and_counted(monkeypatch, capsys):
    """The bound holds, the newest stays, and it is said once."""
    monkeypatch.setattr(_outbox, "MAX_QUEUED_BYTES", 10)
    outbox = Outbox()
    for body in (b"aaaa", b"bbbb", b"cccc", b"dddd"):
        outbox.add(batch(body))

    assert outbox.take("traces").body == b"ccccdddd"
    assert (outbox.dropped, outbox.queued_bytes, len(outbox)) == (2, 0, 0)
    assert capsys.readouterr().err.count("\n") == 1


def test_what_is_put_back_goes_first(capsys):
    """A failed batch keeps its place before what came later."""
    outbox = Outbox()
    outbox.add(batch(b"a"))
    failed = outbox.take("traces")
    outbox.add(batch(b"b"))
    outbox.put_back(failed)

    assert outbox.take("traces").body == b"ab"
    assert not outbox


def test_merging_stops_at_the_limit_and_at_json(monkeypatch):
    """One request stays below what backends take; JSON is never joined."""
    monkeypatch.setattr(_outbox, "MAX_REQUEST_BYTES", 5)
    outbox = Outbox()
    for body, content_type in ((b"aa", PROTOBUF), (b"bb", PROTOBUF), (b"cc", PROTOBUF),
                               (b"{}", JSON), (b"{}", JSON), (b"dddddddd", PROTOBUF)):  # fmt: skip
        outbox.add(batch(body, content_type=content_type))

    taken = iter(lambda: outbox.take("traces"), None)
    assert [each.body for each in taken] == [b"aabb", b"cc", b"{}", b"{}", b"dddddddd"]


def test_signals_do_not_mix():
    """Each has its own queue, and all share the bound."""
    outbox = Outbox()
    outbox.add(batch(b"t"))
    outbox.add(batch(b"l", signal="logs"))

    assert outbox.take("metrics") is None
    assert outbox.take("logs").body == b"l"
    assert outbox.take("traces").body == b"t"
