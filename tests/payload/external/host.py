"""A scripted host: Extensions API and Telemetry API over real sockets, as the runner meets them."""

from __future__ import annotations

import json
import queue
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WAIT_S = 10.0
IDENTIFIER = "1b1b2c2c-0000-4000-8000-000000000001"
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:orders:live"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler, port=0):
        super().__init__(("127.0.0.1", port), handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def authority(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def close(self):
        self.shutdown()
        self.server_close()


class Host:
    """Answers the runner's calls; a test puts events in and waits for what the runner asks.

    ``registrations``, ``subscriptions`` and ``errors`` hold (headers, document) of the calls.
    """

    def __init__(self, *, telemetry_status=200, register_status=200, on_register=None):
        self.telemetry_status = telemetry_status
        self.register_status = register_status
        self.on_register = on_register or (lambda: None)
        self.registrations = []
        self.subscriptions = []
        self.errors = []
        self.calls = []
        self.next_calls = 0
        self.next_times = []
        self.events_sent = 0
        self._events = queue.Queue()
        self._changed = threading.Condition()
        self.server = Server(self._handler())

    def _handler(host):  # noqa: N805 - the handler's self is the other one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes

            def log_message(self, *_):
                pass

            def answer(self, status, document, headers=()):
                body = json.dumps(document).encode()
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def document(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                return json.loads(body) if body else {}

            def do_POST(self):
                host.calls.append(self.path)
                if self.path.endswith("/register"):
                    host.on_register()
                    host.registrations.append((self.headers, self.document()))
                    if host.register_status != 200:
                        document = {"errorType": "Extension.InvalidExtensionName"}
                        return self.answer(host.register_status, document)
                    document = {
                        "functionName": "orders",
                        "functionVersion": "$LATEST",
                        "handler": "app.handler",
                        "accountId": "123456789012",
                    }
                    headers = (("Lambda-Extension-Identifier", IDENTIFIER),)
                    return self.answer(200, document, headers)
                host.errors.append((self.headers, self.document()))
                return self.answer(202, {"status": "OK"})

            def do_PUT(self):
                host.calls.append(self.path)
                host.subscriptions.append((self.headers, self.document()))
                self.answer(host.telemetry_status, "OK")

            def do_GET(self):
                host.calls.append(self.path)
                with host._changed:
                    host.next_calls += 1
                    host.next_times.append(time.monotonic())
                    host._changed.notify_all()
                status, event = host._events.get()
                if status is None:  # the host is gone
                    self.close_connection = True
                    return
                self.answer(status, event)
                with host._changed:
                    host.events_sent += 1
                    host._changed.notify_all()

        return Handler

    def wait_for_next(self, count):
        """Waits until the runner has called ``next`` for the ``count``-th time."""
        with self._changed:
            done = self._changed.wait_for(lambda: self.next_calls >= count, WAIT_S)
        assert done, f"next was called {self.next_calls} times, not {count}"

    def wait_for_sent(self, count):
        """Waits until ``count`` events have been sent, whatever the runner does with them."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.events_sent >= count, WAIT_S)

    def invoke(self, request_id, *, trace_header=None, timeout_s=30.0, now_s=None):
        event = {
            "eventType": "INVOKE",
            "deadlineMs": int(((now_s or time.time()) + timeout_s) * 1000),
            "requestId": request_id,
            "invokedFunctionArn": ARN,
        }
        if trace_header:
            event["tracing"] = {"type": "X-Amzn-Trace-Id", "value": trace_header}
        self._events.put((200, event))

    def shut_down(self, reason="spindown", budget_ms=2000, now_s=None):
        deadline = int((now_s or time.time()) * 1000) + budget_ms
        self._events.put(
            (200, {"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline})
        )

    def send(self, status, event):
        """Any answer to ``next``; a status of None closes the connection without one."""
        self._events.put((status, event))

    def report(self, *records):
        """Delivers platform telemetry: (type, record) or (type, record, time) each."""
        uri = self.subscriptions[0][1]["destination"]["URI"]
        port = int(uri.rsplit(":", 1)[1].rstrip("/"))
        batch = [
            {"time": timestamp(record[2] if len(record) > 2 else time.time()), "type": record[0],
             "record": record[1]}
            for record in records
        ]  # fmt: skip
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/", json.dumps(batch).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            assert answer.status == 200

    def close(self):
        for _ in range(8):
            self._events.put((None, None))
        self.server.close()


def timestamp(seconds):
    """The platform's form of a time."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds * 1000) % 1000:03d}Z"
