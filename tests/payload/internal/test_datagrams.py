"""What the runner hears of an invocation, over a real socket."""

from __future__ import annotations

import json
import socket
import threading
import time

import pytest

from wrapkit.payload._invocation import TraceContext
from wrapkit.payload.internal._datagrams import Datagrams
from wrapkit.payload.internal._hook import Invocation

from .datagrams import PARENT_ID, TRACE_ID, TRACEPARENT, X_RAY, received
from .runtime_api import request_id


def test_an_invocation(told):
    """A start when the handler is called, an end when the response has been posted."""
    before_ns = time.time_ns()

    [[start, end], [start2, _]], _ = told([{"do": "echo"}, {"do": "echo"}])

    keys = {"t", "id", "time", "trace", "span", "flags", "cold", "parent", "attributes"}
    assert start.keys() == keys
    assert start["attributes"] == {"faas.trigger": "other"}
    assert (start["t"], start["id"]) == ("start", request_id(1))
    assert (start["trace"], start["parent"]) == X_RAY
    assert (start["cold"], start2["cold"]) == (True, False)
    assert end == {"t": "end", "id": request_id(1), "time": end["time"]}
    assert before_ns <= start["time"] <= end["time"] <= time.time_ns()
    assert len(start["span"]) == 16
    assert start["span"] != start2["span"]


TRACES = [
    ({"headers": {"traceparent": TRACEPARENT}}, (TRACE_ID, PARENT_ID)),
    ({"headers": {"TraceParent": TRACEPARENT, "x": "y"}}, (TRACE_ID, PARENT_ID)),
    ({"multiValueHeaders": {"Traceparent": ["x", TRACEPARENT]}}, X_RAY),  # two are none
    ({"headers": None, "multiValueHeaders": {"traceparent": [TRACEPARENT]}}, (TRACE_ID, PARENT_ID)),
    ({"headers": {"traceparent": "00-0-0-01"}}, X_RAY),
    ({"headers": {"traceparent": [TRACEPARENT]}}, (TRACE_ID, PARENT_ID)),
    ({"headers": [["traceparent", TRACEPARENT]]}, X_RAY),
    ({"multiValueHeaders": {"traceparent": []}}, X_RAY),
    ({"multiValueHeaders": TRACEPARENT}, X_RAY),
]


def test_the_trace_of_an_event(told):
    """W3C headers of the event win over X-Ray's header; what is malformed is passed over."""
    pairs, _ = told([{"do": "echo", **event} for event, _ in TRACES])

    assert [(start["trace"], start["parent"]) for start, _ in pairs] == [
        expected for _, expected in TRACES
    ]


def test_an_event_of_any_type(told):
    """An event that is no object has an invocation like any other."""
    pairs, run = told([[1], "text", 7, None, True], "app.no_parameters")

    assert [start["trace"] for start, _ in pairs] == [X_RAY[0]] * 5
    assert {end["error"]["type"] for _, end in pairs} == {"TypeError"}
    assert b"wrapkit" not in run.stderr


def test_how_a_trace_is_found_is_the_users_choice(told):
    """Propagators and sampler are those that the variables name."""
    event = {"do": "echo", "headers": {"traceparent": TRACEPARENT}}

    [[start, _]], run = told(
        [event], OTEL_PROPAGATORS="xray-lambda", OTEL_TRACES_SAMPLER="always_on"
    )
    [[dropped, _]], _ = told([event], OTEL_TRACES_SAMPLER="always_off")

    assert (start["trace"], start["parent"], start["flags"]) == (*X_RAY, 1)
    assert (dropped["trace"], dropped["flags"]) == (TRACE_ID, 0)
    assert run.stderr == b""


def test_a_malformed_variable_is_the_extensions_to_report(told):
    """It reads the same ones: in mode `both`, two lines would be said of each."""
    _, run = told(
        [{"do": "echo"}],
        OTEL_PROPAGATORS="bogus",
        OTEL_TRACES_SAMPLER="bogus",
        OTEL_PYTHON_ID_GENERATOR="bogus",
    )

    assert run.stderr == b""


def test_a_disabled_sdk(told):
    """Nothing is told, and nothing is said."""
    pairs, run = told([{"do": "modules"}], OTEL_SDK_DISABLED="true")

    assert (pairs, run.stderr) == ([[]], b"")
    assert not [name for name in run.results[0] if name.endswith("._hook")]


def test_the_trace_state(told):
    """The caller's tracestate goes along, unless it is too long for a datagram."""
    headers = {"traceparent": TRACEPARENT, "tracestate": "a=1,b=2"}
    too_long = {**headers, "tracestate": "a=" + 70_000 * "x"}

    [[start, _], [bare, _]], _ = told(
        [{"do": "echo", "headers": headers}, {"do": "echo", "headers": too_long}]
    )

    assert start["state"] == "a=1,b=2"
    assert (bare["trace"], "state" in bare) == (TRACE_ID, False)


def test_an_exception(told):
    """The end tells type, message and the function's part of the stack."""
    [[_, end]], _ = told([{"do": "fail", "order": "7"}])

    assert end["error"]["type"] == "app.OrderError"
    assert end["error"]["message"] == "no such order: 7"
    lines = end["error"]["stack"].splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "in handler" in lines[1]
    assert lines[-1] == "app.OrderError: no such order: 7"
    assert "bootstrap.py" not in end["error"]["stack"]


def test_a_chained_exception(told):
    """The stack tells the cause, too, which Lambda's own report leaves out."""
    [[_, end]], _ = told([{"do": "chain"}])

    assert end["error"]["type"] == "KeyError"
    assert "app.OrderError: no such order: 7" in end["error"]["stack"]


def test_a_result_that_is_not_json(told):
    """The invocation is over when its result is known not to be: the error is the client's."""
    [[_, end]], _ = told([{"do": "unmarshallable"}])

    assert end["error"]["type"] == "Runtime.MarshalError"


def test_an_event_that_is_not_json(told):
    """Its handler is never called, but the invocation has its span."""
    [[start, end]], _ = told([b"{"])

    assert (start["t"], start["id"], end["id"]) == ("start", request_id(1), request_id(1))
    assert end["error"]["type"] == "Runtime.UnmarshalError"


@pytest.mark.parametrize(
    ("event", "error_type"),
    [
        ({"do": "leave", "code": 3}, "SystemExit"),
        ({"do": "interrupt"}, "KeyboardInterrupt"),
        ({"do": "stop"}, "app.StopFunction"),
    ],
    ids=str,
)
def test_an_exception_that_ends_the_process(told, event, error_type):
    """It ends the invocation at once, though no response is ever posted."""
    [[_, end]], run = told([event])

    assert end["error"]["type"] == error_type
    assert run.posts == []


def test_the_stack_of_what_ends_the_process(told):
    """It is the function's own, without what stands below it: runtime, client and wrapkit."""
    [[_, end]], _ = told([{"do": "leave", "code": 3}])

    stack = end["error"]["stack"].splitlines()
    assert [line.strip() for line in stack if "File" not in line and "^" not in line] == [
        "Traceback (most recent call last):",
        'return globals()[event["do"]](event, context)',
        'sys.exit(event["code"])',
        "SystemExit: 3",
    ]


def test_a_response_that_is_refused_for_its_size(told):
    """Its invocation has failed as the caller was told, though the handler returned."""
    [[_, end]], run = told([{"do": "large", "bytes": 6_291_557}], refuse=413)

    assert end["error"] == {
        "type": "Function.ResponseSizeTooLarge",
        "message": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        "stack": "",
    }
    assert run.exit_code == 1


def test_a_large_response_that_is_taken(told):
    """Size alone fails no invocation: what the host accepts is a success."""
    [[_, end]], _ = told([{"do": "large", "bytes": 6_291_557}])

    assert "error" not in end


def test_a_response_that_is_refused_otherwise(told):
    """The invocation ends with what the runtime client makes of it."""
    [[_, end]], _ = told([{"do": "echo"}], refuse=403)

    assert end["error"]["type"] == "RuntimeError"
    assert "_wrapkit" not in end["error"]["stack"]


def test_an_error_that_is_refused(told):
    """What the handler raised says more than the refusal."""
    [[_, end]], _ = told([{"do": "fail", "order": "7"}], refuse=413)

    assert end["error"]["type"] == "app.OrderError"


def test_a_process_that_vanishes(told):
    """Nobody is left to tell; the runner hears of it from Lambda."""
    [[start]], _ = told([{"do": "vanish", "code": 5}])

    assert start["t"] == "start"


def test_a_forked_child(told):
    """A child of the handler that leaves through the runtime client ends nobody's invocation."""
    [[start, end]], run = told([{"do": "forked"}])

    assert (start["t"], end.get("error")) == ("start", None)
    assert run.results == [9]


def test_provisioned_concurrency(told):
    """What was started ahead of time has no cold start."""
    [[start, _]], _ = told(
        [{"do": "echo"}], AWS_LAMBDA_INITIALIZATION_TYPE="provisioned-concurrency"
    )

    assert start["cold"] is False


def test_a_marshaller_of_the_function(told):
    """A function's own marshaller is used, and its invocations are told like any others."""
    [[start, end], [_, refused]], run = told(["plain", "refused"], "marshalling.handler")

    assert (start["t"], "error" in end) == ("start", False)
    assert refused["error"]["type"] == "LookupError"
    assert run.posts[0][1] == b'[own:"plain"]'


# From here on in this process: the sending end alone.


class Request:
    invoke_id = "r1"


@pytest.fixture
def invocation():
    return Invocation(Request(), TraceContext(trace_id=TRACE_ID), cold_start=False)


@pytest.fixture
def datagrams(runner_socket):
    datagrams = Datagrams({"WRAPKIT_SOCKET": runner_socket.getsockname()})
    yield datagrams
    datagrams.close()


def fill(path):
    """Leave no room in the queue of the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        try:
            for _ in range(100_000):
                sock.sendto(b"{}", path)
        except BlockingIOError:
            return
    raise AssertionError("the queue has no end")


def test_a_full_queue(datagrams, invocation, runner_socket):
    """What finds no room is dropped and counted, and the next datagram brings the count."""
    fill(runner_socket.getsockname())
    datagrams.start(invocation)
    datagrams.end(invocation, 7, None)
    received(runner_socket)

    datagrams.start(invocation)
    datagrams.end(invocation, 8, None)

    start, end = received(runner_socket)
    assert (start["t"], start["dropped"]) == ("start", 2)
    assert "dropped" not in end


def test_a_start_that_found_no_room(datagrams, invocation, runner_socket):
    """It is told again in front of the end, so that the span keeps its ids and its time."""
    fill(runner_socket.getsockname())
    datagrams.start(invocation)
    received(runner_socket)

    datagrams.end(invocation, 7, None)

    start, end = received(runner_socket)
    assert (start["t"], start["span"], start["time"], start["dropped"]) == (
        "start",
        invocation.span_id,
        invocation.start_time_unix_nano,
        1,
    )
    assert (end["t"], end["time"]) == ("end", 7)


def test_an_end_waits_for_room(datagrams, invocation, runner_socket, monkeypatch):
    """A runner that reads within the wait hears of the end."""
    monkeypatch.setattr("wrapkit.payload.internal._datagrams.WAIT_FOR_ROOM_US", 900_000)
    datagrams.start(invocation)
    fill(runner_socket.getsockname())
    sending = threading.Thread(target=datagrams.end, args=(invocation, 7, None))
    sending.start()

    runner_socket.settimeout(5)
    kinds = []
    while "end" not in kinds:
        kinds.append(json.loads(runner_socket.recv(65536)).get("t"))
    sending.join(5)

    assert kinds[0] == "start"
    assert not sending.is_alive()


def test_a_runner_that_comes_later(invocation, runner_socket, capfd):
    """Nobody to tell is said once; a runner that appears then is told of what was dropped."""
    path = runner_socket.getsockname() + ".late"
    datagrams = Datagrams({"WRAPKIT_SOCKET": path})
    datagrams.start(invocation)
    datagrams.end(invocation, 7, None)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as late:
        late.bind(path)
        late.settimeout(0)
        datagrams.start(invocation)
        [start] = received(late)
    datagrams.close()

    assert start["dropped"] == 2
    assert len(capfd.readouterr().err.splitlines()) <= 1


def test_a_message_of_any_size_fits(datagrams, invocation, runner_socket):
    """Bounded parts make a datagram that the contract allows, whatever is in them."""
    from wrapkit.payload.internal._errors import describe

    hostile = ValueError("\x00\ud800\U0001f600" * 100_000)
    datagrams.end(invocation, 7, describe(hostile, str(hostile), "ValueError"))

    [end] = received(runner_socket)
    assert len(end["error"]["message"].encode()) <= 1024
    assert len(end["error"]["stack"].encode()) <= 8192
