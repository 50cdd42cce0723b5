"""What invoked the function, and what it answered, on the way through the real runtime client."""

from __future__ import annotations

import json

import pytest

from wrapkit.payload._invocation import TraceContext
from wrapkit.payload.internal._datagrams import MAX_DATAGRAM_BYTES, Datagrams
from wrapkit.payload.internal._hook import Invocation
from wrapkit.payload.internal._trigger import Trigger

from .backend import attributes
from .datagrams import X_RAY, bound_socket, received
from .test_datagrams import Request
from .test_transparency import OWN
from .test_triggers import CASES, event_of

ANSWER = {"statusCode": 503, "batchItemFailures": [{"itemIdentifier": "1"}]}


def said_of(name):
    """What the result of ANSWER says to that event."""
    expected = CASES[name]["expected"]
    if expected["source"] in {"sqs", "kinesis", "dynamodb", "kafka"}:
        return {"wrapkit.batch.item_failure_count": 1}
    silent = expected["source"] in {"app_sync", "api_gateway_authorizer"}
    if expected["trigger"] != "http" or silent:
        return {}
    return {"http.response.status_code": 503, "error.type": "503"}


def parent_of(name):
    traceparent = CASES[name]["expected"]["traceparent"]
    return tuple(traceparent.split("-")[1:3]) if traceparent else X_RAY


@pytest.fixture(scope="module")
def datagrams_of(runtimes, layers):
    """The datagrams of an invocation by each event, all in one process, which answers them all."""
    sent = []
    with bound_socket() as sock:
        runtimes(OWN).run_wrapped(
            layers("both"),
            "app.answer",
            [event_of(name) for name in CASES],
            environ={"WRAPKIT_SOCKET": sock.getsockname(), "ANSWER": json.dumps(ANSWER)},
            on_next=lambda: sent.append(received(sock)),
        )
    return dict(zip(CASES, sent, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_each_service(datagrams_of, name):
    """Attributes, parent and links go with the start, what the result says with the end."""
    expected = CASES[name]["expected"]
    start, end = datagrams_of[name]

    assert start["attributes"] == {"faas.trigger": expected["trigger"], **expected["attributes"]}
    assert start.get("links", []) == expected["links"]
    assert (start["trace"], start["parent"]) == parent_of(name)
    assert end.get("attributes", {}) == said_of(name)


def test_mode_internal(exported, backend):
    """The span has the same of each as the runner's, and fails with a response of 5xx."""
    exported([event_of(name) for name in CASES], handler="app.answer", ANSWER=json.dumps(ANSWER))

    for name, (_, _, span) in zip(CASES, backend.spans, strict=True):
        expected = CASES[name]["expected"]
        links = [[link.trace_id.hex(), link.span_id.hex()] for link in span.links]
        known = attributes(span)
        assert known["faas.trigger"] == expected["trigger"]
        assert said_of(name).items() <= known.items()
        assert links == [link[:2] for link in expected["links"]]
        assert (span.trace_id.hex(), span.parent_span_id.hex()) == parent_of(name)
        assert span.status.code == (2 if "error.type" in said_of(name) else 0)


def test_a_handler_that_fails_on_a_request(told):
    """Its error is the exception, and there is no status: API Gateway makes that up itself."""
    event = {**event_of("api_gateway_v2"), "do": "fail", "order": "7"}

    [[start, end]], _ = told([event])

    assert start["attributes"]["http.request.method"]
    assert end["error"]["type"] == "app.OrderError"
    assert "attributes" not in end


def test_a_result_is_read_in_time_only(told):
    """What one invocation returned is not said of the next."""
    event = event_of("api_gateway_v2")

    [[_, first], [_, second]], _ = told(
        [{**event, "do": "echo"}, {**event, "do": "fail", "order": "7"}]
    )

    assert first["attributes"] == {"http.response.status_code": 200}
    assert "attributes" not in second


@pytest.mark.parametrize("value", ["x", "\x01", "\U0001f600"])
def test_a_start_of_any_size_fits(runner_socket, value):
    """Whatever senders put there: states go first, then what is long; links and ids stay."""
    links = [(f"{n:032x}", f"{n:016x}", 1, "a=" + value * 4000) for n in range(1, 129)]
    many = {f"http.request.header.{n}": value * 4096 for n in range(30)}
    trigger = Trigger("http", "api_gateway_v2", many, links=links)
    invocation = Invocation(Request(), TraceContext(trace_id="1" * 32), False, trigger)
    datagrams = Datagrams({"WRAPKIT_SOCKET": runner_socket.getsockname()})

    datagrams.start(invocation)
    datagrams.close()

    [start] = received(runner_socket)
    assert len(json.dumps(start, ensure_ascii=False).encode()) < MAX_DATAGRAM_BYTES
    assert start["attributes"] == {"faas.trigger": "http"}
    assert [link[:2] for link in start["links"]] == [list(link[:2]) for link in links]
