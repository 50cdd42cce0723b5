"""An OTLP/HTTP endpoint that keeps what it gets, read by OpenTelemetry's own protobuf classes."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import subprocess
import threading
from http.server import BaseHTTPRequestHandler

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.payload.external.host import WAIT_S, Server

REQUESTS = {
    "/v1/traces": ExportTraceServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/logs": ExportLogsServiceRequest,
}


RESET = "reset"


class Sink:
    """``requests`` are (path, headers, body) in the order of their arrival.

    ``statuses`` are answered one after the other, 200 when there is none left; None closes the
    connection without an answer, RESET resets it. ``hold`` blocks answers while it is not set, and
    ``delay_s`` comes before each. ``headers`` and ``body`` are those of every answer. With
    ``clients`` (a PEM file) TLS asks for a certificate of theirs.
    """

    def __init__(self, *, statuses=(), headers=(), body=b"", certificate=None, clients=None,
                 port=0, delay_s=0.0):  # fmt: skip
        self.requests = []
        self.connections = 0
        self.answers = 0
        self.statuses = list(statuses)
        self.headers = headers
        self.body = body
        self.delay_s = delay_s
        self.hold = threading.Event()
        self.hold.set()
        self._open = []
        self._changed = threading.Condition()
        self.server = Server(self._handler(), port)
        port = self.server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{port}"
        if certificate is not None:
            self._wrap(certificate, clients)
            self.endpoint = f"https://localhost:{port}"

    def _wrap(self, certificate, clients):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        if clients is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients)
        # The handshake happens in the handler's thread, at the first read.
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )

    def _handler(sink):  # noqa: N805 - the handler's self is the other one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                sink.connections += 1
                sink._open.append(self.connection)

            def do_POST(self):
                self.take()
                with sink._changed:
                    sink.answers += 1
                    sink._changed.notify_all()

            def take(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = sink.statuses.pop(0) if sink.statuses else 200
                with sink._changed:
                    sink.requests.append((self.path, self.headers, body, status))
                    sink._changed.notify_all()
                threading.Event().wait(sink.delay_s)
                sink.hold.wait(WAIT_S)
                if status == RESET:
                    linger = struct.pack("ii", 1, 0)
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    self.connection.close()
                    status = None
                if status is None:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in sink.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(sink.body)))
                self.end_headers()
                if sink.body:
                    self.wfile.write(sink.body)

        return Handler

    def wait_for(self, count):
        """Waits until ``count`` requests have come."""
        with self._changed:
            done = self._changed.wait_for(lambda: len(self.requests) >= count, WAIT_S)
        assert done, f"{len(self.requests)} requests came, not {count}"

    def wait_for_answers(self, count):
        """Waits until so many requests have been answered, or cut."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.answers >= count, WAIT_S)

    def delivered(self, path="/v1/traces"):
        """The protobuf requests that were answered with 200, decoded."""
        decoded = []
        for at, headers, body, status in self.requests:
            if at != path or status != 200:
                continue
            packed = headers.get("Content-Encoding") == "gzip"
            decoded.append(REQUESTS[path].FromString(gzip.decompress(body) if packed else body))
        return decoded

    def spans(self):
        """Every span that was delivered."""
        return [
            span
            for request in self.delivered()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def cut_connections(self):
        """Closes every connection from this side, as a backend does while a function is frozen."""
        cut, self._open = self._open, []  # not those that come in their place
        for connection in cut:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self):
        self.hold.set()
        self.server.close()


def make_certificate(folder, host="localhost"):
    """A self-signed certificate for ``host``, with its key, in one file; cert.pem is without."""
    path = folder / f"{host}.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={host}",
         "-addext", f"subjectAltName=DNS:{host}", "-keyout", path, "-out", folder / "cert.pem"],
        check=True,
        capture_output=True,
        timeout=WAIT_S,
    )  # fmt: skip
    path.write_text(path.read_text() + (folder / "cert.pem").read_text())
    return path
