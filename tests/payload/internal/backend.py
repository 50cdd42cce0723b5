"""An OTLP endpoint of the tests."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Backend(ThreadingHTTPServer):
    """An OTLP endpoint that answers with `status`, or not at all while `silent`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), BackendHandler)
        self.requests = []
        self.status = 200
        self.released = threading.Event()
        self.released.set()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def spans(self):
        """(resource attributes, span) of all that was exported."""
        found = []
        for body in self.requests:
            for resource_spans in ExportTraceServiceRequest.FromString(body).resource_spans:
                resource = attributes(resource_spans.resource)
                for scope_spans in resource_spans.scope_spans:
                    found += [(resource, scope_spans.scope, span) for span in scope_spans.spans]
        return found


class BackendHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(body)
        self.server.released.wait(30)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def attributes(owner):
    values = {item.key: item.value for item in owner.attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}
