"""OTLP in from any SDK, out as it came: merged without decoding, never mixed up, never lost."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import select
import socket
import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.payload.external.host import WAIT_S

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


def traces(*names):
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for name in names:
        scope.spans.add(name=name, trace_id=b"t" * 16, span_id=b"s" * 8)
    return request.SerializeToString()


def logs(text):
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.string_value = text
    return request.SerializeToString()


def metrics(name):
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name=name)
    return request.SerializeToString()


class Sender:
    """One keep-alive connection of an SDK."""

    def __init__(self, scene):
        self._connection = http.client.HTTPConnection("127.0.0.1", scene.otlp_port, timeout=WAIT_S)

    def send(self, path, body, headers=PROTOBUF, method="POST"):
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def close(self):
        self._connection.close()


@pytest.fixture
def sender(scene):
    scene.start()
    scene.host.wait_for_next(1)
    made = Sender(scene)
    yield made
    made.close()


def flush(scene):
    """One invocation: what has been taken in goes out before the next `next`."""
    calls = scene.host.next_calls
    scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
    scene.host.wait_for_next(calls + 1)


def names(scene):
    return sorted(span.name for span in scene.sink.spans())


def test_requests_are_merged_with_the_runners_own_spans(scene, sender):
    """Several bodies and the invocation span leave as one request that decodes to all of them."""
    for name in ("a", "b", "c"):
        assert sender.send("/v1/traces", traces(name)) == (200, b"")
    flush(scene)

    assert len(scene.sink.requests) == 1
    assert names(scene) == ["a", "b", "c", "orders"]


def test_each_signal_goes_to_its_own_path(scene, sender):
    """Traces, metrics and logs are not mixed."""
    sender.send("/v1/logs", logs("hello"))
    sender.send("/v1/metrics", metrics("calls"))
    flush(scene)

    (sent_logs,) = scene.sink.delivered("/v1/logs")
    (sent_metrics,) = scene.sink.delivered("/v1/metrics")
    record = sent_logs.resource_logs[0].scope_logs[0].log_records[0]
    assert record.body.string_value == "hello"
    assert sent_metrics.resource_metrics[0].scope_metrics[0].metrics[0].name == "calls"


def test_json_is_forwarded_as_json(scene, sender):
    """JSON cannot be concatenated: each body is a request of its own, untouched."""
    bodies = [json.dumps({"resourceSpans": [], "n": n}).encode() for n in (1, 2)]
    for body in bodies:
        assert sender.send("/v1/traces", body, JSON) == (200, b"{}")
    flush(scene)

    sent = [
        body
        for _, headers, body, _ in scene.sink.requests
        if headers["Content-Type"] == "application/json"
    ]
    assert sent == bodies


def test_gzip_is_taken(scene, sender):
    """Also in several members; what cannot be unpacked is refused."""
    packed = {**PROTOBUF, "Content-Encoding": "gzip"}
    body = gzip.compress(traces("a")) + gzip.compress(traces("b"))
    assert sender.send("/v1/traces", body, packed)[0] == 200
    assert sender.send("/v1/traces", body[:-4], packed)[0] == 400
    assert sender.send("/v1/traces", b"no gzip", packed)[0] == 400
    assert sender.send("/v1/traces", gzip.compress(bytes(8 << 20)), packed)[0] == 400
    flush(scene)

    assert names(scene) == ["a", "b", "orders"]


def test_a_body_that_is_cut_off_does_not_spoil_the_others(scene, sender):
    """Concatenated with others it would make all of them unreadable."""
    assert sender.send("/v1/traces", traces("a"))[0] == 200
    assert sender.send("/v1/traces", traces("b")[:-1])[0] == 400
    assert sender.send("/v1/traces", b"\x00\x00")[0] == 400
    assert sender.send("/v1/traces", traces("c"))[0] == 200
    flush(scene)

    assert names(scene) == ["a", "c", "orders"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/profiles", PROTOBUF, 404),
        ("GET", "/v1/traces", PROTOBUF, 405),
        ("POST", "/v1/traces", {"Content-Type": "text/plain"}, 415),
        ("POST", "/v1/traces", {**PROTOBUF, "Content-Encoding": "br"}, 400),
        ("POST", "/v1/traces", {"Content-Type": "application/x-protobuf; x=y"}, 200),
    ],
)
def test_what_is_not_otlp_is_refused_and_the_connection_goes_on(
    scene, sender, method, path, headers, status
):
    """The answer says what is wrong; the next request on the connection is a fresh start."""
    assert sender.send(path, traces("x"), headers, method)[0] == status
    assert sender.send("/v1/traces", traces("a"))[0] == 200
    flush(scene)

    assert "a" in names(scene)


def test_each_way_to_be_refused_is_said_once(scene, sender):
    """The sender may keep it to itself; whoever reads the function's log shall know."""
    for _ in range(2):
        sender.send("/v1/traces", traces("b")[:-1])
        sender.send("/v1/traces", traces("b"), {"Content-Type": "text/plain"})
        with socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) as raw:
            raw.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
            assert raw.recv(12) == b"HTTP/1.1 413"
    scene.host.shut_down()
    code, said = scene.runner.wait()

    start = "wrapkit: a request to the extension's OTLP listener was refused with "
    assert (code, [line[len(start) :] for line in said if line.startswith(start)]) == (
        0,
        [
            "400: it is cut off, or not protobuf",
            "415: it is neither protobuf nor JSON",
            "413: the body is too long",
        ],
    )


def test_a_body_beyond_the_limit_is_refused(scene, sender):
    """A length that is too long is answered before any of it; one without a length when it is."""
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n"
    for framing in (
        b"Content-Length: 99999999\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n400001\r\n" + bytes(0x400001),
    ):
        with socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) as raw:
            raw.sendall(head + framing)
            assert raw.recv(12) == b"HTTP/1.1 413"
    flush(scene)

    assert names(scene) == ["orders"]


def test_a_large_request_in_pieces_is_taken(scene, sender):
    """10,000 spans in one body, sent in small pieces with a pause for 100 Continue."""
    body = traces(*[f"span {n}" for n in range(10_000)])
    with socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) as raw:
        raw.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        with raw.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 100")
            answer.readline()
            for at in range(0, len(body), 10_000):
                raw.sendall(body[at : at + 10_000])
            assert answer.readline().startswith(b"HTTP/1.1 200")
    flush(scene)

    assert len(scene.sink.spans()) == 10_001


def test_what_came_is_flushed_at_shutdown(scene, sender):
    """Without any invocation what was taken in goes out at the end."""
    sender.send("/v1/traces", traces("a"))
    scene.host.shut_down()
    assert scene.runner.wait() == (0, [])

    assert names(scene) == ["a"]


def test_a_sender_that_goes_away_is_forgotten(scene, sender):
    """Half a request, then silence: nothing of it is forwarded, and nothing hangs."""
    with socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) as raw:
        raw.sendall(b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
    flush(scene)

    assert names(scene) == ["orders"]


def test_more_connections_than_the_limit_wait_for_their_turn(scene, sender):
    """The 129th is answered when one of the others has ended."""
    crowd = [
        socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) for _ in range(140)
    ]
    late = crowd.pop()
    body = traces("late")
    late.sendall(
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    for connection in crowd:
        connection.close()
    assert late.recv(15).startswith(b"HTTP/1.1 200")
    late.close()
    flush(scene)

    assert names(scene) == ["late", "orders"]


def test_requests_that_come_together_are_each_answered(scene, sender):
    """Pipelined on one connection, to a peer that is slow to read its answers."""
    body = traces("a")
    request = (
        b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    with socket.create_connection(("127.0.0.1", scene.otlp_port), timeout=WAIT_S) as raw:
        raw.sendall(request * 50)
        with raw.makefile("rb") as answer:
            lines = []
            for _ in range(50):
                lines.append(answer.readline())
                while answer.readline() != b"\r\n":
                    pass
    flush(scene)

    assert lines == [b"HTTP/1.1 200 OK\r\n"] * 50
    assert names(scene).count("a") == 50


def test_bodies_that_do_not_end_take_a_bounded_memory(scene):
    """Beyond the bound a sender is told to come again; the others are not disturbed."""
    scene.start()
    scene.host.wait_for_next(1)
    body = ExportTraceServiceRequest()
    scope = body.resource_spans.add().scope_spans.add()
    scope.spans.add(name="x", trace_id=b"t" * 16, span_id=b"s" * 8).trace_state = "x" * 3_900_000
    data = body.SerializeToString()
    head = (
        "POST /v1/traces HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-protobuf\r\n"
        f"Content-Length: {len(data)}\r\n\r\n"
    ).encode()
    senders = [socket.create_connection(("127.0.0.1", scene.otlp_port)) for _ in range(3)]
    for sender in senders:
        sender.settimeout(WAIT_S)
        with contextlib.suppress(ConnectionError):  # one that is refused need not take it all
            sender.sendall(head + data[:-1])
    wait_for(lambda: any(has_answer(sender) for sender in senders))
    statuses = []
    for sender in senders:
        try:
            sender.sendall(data[-1:])
            statuses.append(sender.recv(100).split()[1])
        except ConnectionError:  # the answer may be overtaken by the end of the connection
            statuses.append(b"503")
        sender.close()

    assert sorted(statuses) == [b"200", b"200", b"503"]


def has_answer(sender):
    return bool(select.select([sender], [], [], 0)[0])


def wait_for(condition):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.01)
