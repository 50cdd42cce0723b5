"""What stands around the extension: the Extensions API, a backend, and an SDK that sends."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WAIT_S = 60.0
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
_IDENTIFIER = "00000000-0000-4000-8000-000000000001"


class Reader:
    """Requests of one connection, one after the other, as (request line, body)."""

    def __init__(self, connection: socket.socket) -> None:
        self._file = connection.makefile("rb", buffering=1 << 20)

    def next(self) -> tuple[str, bytes] | None:
        line = self._file.readline()
        if not line:
            return None
        length, field = 0, self._file.readline()
        while field not in (b"\r\n", b""):
            if field.lower().startswith(b"content-length:"):
                length = int(field.partition(b":")[2])
            field = self._file.readline()
        return line.decode(), self._file.read(length)


class Listener:
    """Serves each connection in a thread by ``serve``."""

    def __init__(self) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port = self._sock.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._sock.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):  # the process under test has been ended
            self.serve(connection)

    def serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Host(Listener):
    """The Extensions API as far as an extension's start and one invocation go.

    ``next_at_ns`` is the monotonic time of each ``next``, by ``on_next`` as it comes.
    """

    def __init__(self) -> None:
        self.next_at_ns: list[int] = []
        self.on_next = lambda: None
        self._changed = threading.Condition()
        self._events: list[dict[str, object]] = []
        self.telemetry_uri = ""
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        requests = Reader(connection)
        while (request := requests.next()) is not None:
            line, body = request
            headers, answer = "", b'"OK"'
            if "/register" in line:
                headers = f"Lambda-Extension-Identifier: {_IDENTIFIER}\r\n"
                answer = b'{"functionName":"orders","functionVersion":"$LATEST","handler":"a.b"}'
            elif "/telemetry" in line:
                self.telemetry_uri = json.loads(body)["destination"]["URI"]
            elif "/event/next" in line:
                answer = self._next()
            head = f"HTTP/1.1 200 OK\r\n{headers}Content-Length: {len(answer)}\r\n\r\n"
            connection.sendall(head.encode() + answer)

    def _next(self) -> bytes:
        now_ns = time.monotonic_ns()
        self.on_next()
        with self._changed:
            self.next_at_ns.append(now_ns)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._events)
            return json.dumps(self._events.pop(0)).encode()

    def send(self, kind: str, **event: object) -> None:
        """Hands out an event to whoever has called ``next``."""
        with self._changed:
            self._events.append({"eventType": kind, **event})
            self._changed.notify_all()

    def wait_for_next(self, count: int) -> None:
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.next_at_ns) >= count, WAIT_S):
                raise TimeoutError(f"no {count}. next")


class Backend(Listener):
    """Takes OTLP/HTTP and counts what comes; ``open`` keeps answers back while it is not set."""

    def __init__(self) -> None:
        self.body_bytes = 0
        self.requests = 0
        self.open = threading.Event()
        self.open.set()
        super().__init__()

    def serve(self, connection: socket.socket) -> None:
        requests = Reader(connection)
        while (request := requests.next()) is not None:
            self.body_bytes += len(request[1])
            self.requests += 1
            self.open.wait(WAIT_S)
            connection.sendall(_OK)


def request_of(spans: int) -> bytes:
    """What an SDK's batch processor sends: one resource, one scope, client spans of HTTP."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    for key, value in _RESOURCE.items():
        resource.resource.attributes.add(key=key).value.string_value = value
    scope = resource.scope_spans.add()
    scope.scope.name = "opentelemetry.instrumentation.requests"
    for _ in range(spans):
        span = scope.spans.add(name="GET", kind=3, trace_id=os.urandom(16), span_id=os.urandom(8))
        span.parent_span_id = os.urandom(8)
        span.start_time_unix_nano = span.end_time_unix_nano = time.time_ns()
        for key, value in _ATTRIBUTES.items():
            span.attributes.add(key=key).value.string_value = value
        span.attributes.add(key="http.response.status_code").value.int_value = 200
        span.attributes.add(key="server.port").value.int_value = 443
    return request.SerializeToString()


_RESOURCE = {
    "service.name": "orders",
    "faas.name": "orders",
    "cloud.provider": "aws",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.version": "1.30.0",
}
_ATTRIBUTES = {
    "http.request.method": "GET",
    "url.full": "https://api.example.com/v1/prices/4711",
    "server.address": "api.example.com",
    "network.protocol.version": "1.1",
    "user_agent.original": "python-requests/2.32",
}


class Sender:
    """An SDK's exporter: one kept connection, one request at a time."""

    def __init__(self, port: int, body: bytes) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = (
            f"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body

    def send(self) -> None:
        self._sock.sendall(self._request)
        answer = self._sock.recv(65536)
        if b" 200 " not in answer:
            raise RuntimeError(f"refused: {answer[:80]!r}")

    def close(self) -> None:
        self._sock.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
