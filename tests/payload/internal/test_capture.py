"""Payloads in spans: only where asked for, without secrets, and never more than the bounds."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrapkit.payload import _report
from wrapkit.payload.internal._capture import MAX_BYTES, Capture

from .test_triggers import CASES, event_of

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
CARD = "4111 1111 1111 1111"


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


def captured(value, **environ):
    variables = {f"WRAPKIT_CAPTURE_{name}": text for name, text in environ.items()}
    capture = Capture({"WRAPKIT_CAPTURE": "request", **variables})
    return capture.request(value)["wrapkit.request.payload"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": [1, 2.5, None, True, "x"]}, {"a": [1, 2.5, None, True, "x"]}),
        (
            {"password": "x", "Password1": {"a": 1}},
            {"password": "REDACTED", "Password1": "REDACTED"},
        ),
        (
            {"X-Api-Key": "x", "api_token": ["y"]},
            {"X-Api-Key": "REDACTED", "api_token": "REDACTED"},
        ),
        ({"headers": {"Authorization": "x"}}, {"headers": {"Authorization": "REDACTED"}}),
        ({"multiValueHeaders": {"cookie": ["x"]}}, {"multiValueHeaders": {"cookie": "REDACTED"}}),
        (
            {"shipping": "x", "pin": 1, "author": "y"},
            {"shipping": "x", "pin": "REDACTED", "author": "y"},
        ),
        ([{"name": "Cookie", "value": "x"}], [{"name": "Cookie", "value": "REDACTED"}]),
        ({"Key": "db-password", "Value": "x"}, {"Key": "db-password", "Value": "REDACTED"}),
        ({"query": "a=1&access_token=abc&b=2"}, {"query": "a=1&access_token=REDACTED&b=2"}),
        (
            {"body": '{"user": "u", "password": "p"}'},
            {"body": '{"user":"u","password":"REDACTED"}'},
        ),
        ({"text": 'said password: "hunter2" loudly'}, {"text": 'said password: "REDACTED" loudly'}),
        ({"log": f"with {TOKEN} in it"}, {"log": "with REDACTED in it"}),
        ({"log": "Bearer abcdef123456"}, {"log": "REDACTED"}),
        ({"log": "AKIAIOSFODNN7EXAMPLE"}, {"log": "REDACTED"}),
        ({"log": f"as ghp_{'a1' * 18}."}, {"log": "as REDACTED."}),
        ({"log": f"with sk_live_{'a1' * 12}"}, {"log": "with REDACTED"}),
        ({"url": "/b?sv=1&sig=a%2Fb&d=e"}, {"url": "/b?sv=1&sig=REDACTED&d=e"}),
        ({"xml": "<Password>x</Password>"}, {"xml": "<Password>REDACTED</Password>"}),
        ({"sessionId": "x"}, {"sessionId": "REDACTED"}),
        ({"log": f"paid by {CARD}."}, {"log": "paid by REDACTED."}),
        ({"url": "https://u:p@host/path"}, {"url": "https://REDACTED@host/path"}),
        ({CARD: 1}, {"REDACTED": 1}),
        (
            {"body": "c2VjcmV0", "isBase64Encoded": True},
            {"body": "<base64>", "isBase64Encoded": True},
        ),
        ({"data": "c2VjcmV0", "partitionKey": "1"}, {"data": "<base64>", "partitionKey": "1"}),
        ({"price": Decimal("1.5")}, {"price": "<Decimal>"}),
        (b"bytes", "<bytes>"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_kept(value, expected):
    """The payload as it is, but for its secrets."""
    assert json.loads(captured(value)) == expected


def test_names_and_patterns_of_the_users():
    """They are asked in addition to those that are built in."""
    value = {"Customer-Name": "x", "note": "IBAN DE00 1234, password=p, customer_name=y"}

    text = captured(value, REDACT_NAMES="customername", REDACT_PATTERN=r"[A-Z]{2}\d{2} \d{4}")

    assert json.loads(text) == {
        "Customer-Name": "REDACTED",
        "note": "IBAN REDACTED, password=REDACTED, customer_name=REDACTED",
    }


def test_a_pattern_that_does_not_compile(capsys):
    """Better no payload than a secret."""
    capture = Capture({"WRAPKIT_CAPTURE": "request", "WRAPKIT_CAPTURE_REDACT_PATTERN": "("})

    assert capture.request({"a": 1}) == {}
    assert "WRAPKIT_CAPTURE_REDACT_PATTERN is no regular expression" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("listed", "request_kept", "response_kept"),
    [
        ("request", 1, 0),
        ("response", 0, 1),
        ("Request, response", 1, 1),
        ("all", 0, 0),
        ("none", 0, 0),
    ],
)
def test_which_payloads(listed, request_kept, response_kept):
    """Those that are listed."""
    capture = Capture({"WRAPKIT_CAPTURE": listed})

    assert (len(capture.request(1)), len(capture.response(1))) == (request_kept, response_kept)


def test_bounds():
    """Bytes, levels, members and what is looked through."""
    deep = {"a": {"a": {"a": 1}}}
    assert json.loads(captured(deep, MAX_DEPTH="2")) == {"a": {"a": "..."}}
    assert captured("x" * 5000, MAX_BYTES="100").endswith("...")
    assert len(captured(["\U0001f600"] * 5000, MAX_BYTES="1000").encode()) <= 1000
    assert captured([0] * 5000, MAX_BYTES="16384").endswith(',0,"..."]')
    assert json.loads(captured({"long": "x" * 100_000, "a": 1})) == {"long": "...", "a": 1}


SECRET = "hunter2hunter2"


@given(
    st.recursive(
        st.sampled_from([SECRET, 1]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["password", "x-api-key", "Set-Cookie"]), inner, max_size=3
            )
        ),
        max_leaves=8,
    ).map(lambda value: {"secret": value}),
    st.integers(1, 200),
)
def test_nothing_of_a_secret_is_left(value, size):
    """Neither whole nor cut, neither in objects nor in JSON within a text."""
    for payload in (value, json.dumps(value), {"body": json.dumps({"body": json.dumps(value)})}):
        assert "hunter" not in captured(payload, MAX_BYTES=str(size))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@settings(max_examples=200)
@given(JSON, st.integers(1, MAX_BYTES), st.integers(1, 32))
def test_any_payload_is_taken(value, size, depth):
    """It is JSON where it is whole, and no larger than it may be."""
    text = captured(value, MAX_BYTES=str(size), MAX_DEPTH=str(depth))

    assert len(text.encode("utf-8", "replace")) <= max(size, 3)


@pytest.mark.parametrize("name", CASES)
def test_events_of_all_services(name):
    """Each is kept, and left as it is."""
    event = event_of(name)

    assert captured(event, MAX_BYTES=str(MAX_BYTES))
    assert event == CASES[name]["event"]


def test_off_by_default(told):
    """Nobody's payload leaves the function without being asked for."""
    [[start, end]], run = told([{"do": "echo", "order": "7"}])

    assert start["attributes"] == {"faas.trigger": "other"}
    assert "attributes" not in end
    assert run.stderr == b""


def test_in_an_invocation(told):
    """The event goes with the start, the result with the end; an error has none."""
    events = [{"do": "echo", "password": "p"}, {"do": "fail", "order": "7"}]

    [[start, end], [_, failed]], _ = told(events, WRAPKIT_CAPTURE="request,response")

    event = {"do": "echo", "password": "REDACTED"}
    assert json.loads(start["attributes"]["wrapkit.request.payload"]) == event
    assert json.loads(end["attributes"]["wrapkit.response.payload"])["event"] == event
    assert "attributes" not in failed
