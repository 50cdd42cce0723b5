"""A small Runtime API and a run of AWS's own runtime client against it."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUN_TIMEOUT_S = 60
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders:live"
X_RAY_HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"


@dataclass(frozen=True)
class Run:
    """How a runtime process went: what it posted, said and left with."""

    posts: list[tuple[str, bytes]]
    stdout: bytes
    stderr: bytes
    exit_code: int

    @property
    def results(self):
        """The bodies that were posted, as JSON."""
        return [json.loads(body) for _, body in self.posts]


@dataclass
class _Script:
    """What the API answers and what it is told."""

    events: list[bytes]
    on_post: object = None
    on_next: object = None
    refuse: int | None = None
    process: subprocess.Popen[bytes] | None = None
    served: int = 0
    posts: list[tuple[str, bytes]] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        script = self.server.script
        if script.on_next is not None and script.served:
            script.on_next()
        if self.path.endswith("/restore/next"):
            self._answer(200, {}, b"")
        elif script.served == len(script.events):
            # No more events. Lambda ends an idle runtime in the same way.
            script.process.kill()
            self.close_connection = True
        else:
            body = script.events[script.served]
            script.served += 1
            self._answer(200, self._headers(script.served), body)

    def _headers(self, number):
        return {
            "Lambda-Runtime-Aws-Request-Id": request_id(number),
            "Lambda-Runtime-Deadline-Ms": str(int(time.time() * 1000) + 30_000),
            "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
            "Lambda-Runtime-Trace-Id": X_RAY_HEADER,
            "Content-Type": "application/json",
        }

    def do_POST(self):
        script = self.server.script
        body = self.rfile.read(int(self.headers["Content-Length"]))
        script.posts.append((self.path, body))
        if script.on_post is not None:
            script.on_post()
        self._answer(script.refuse or 202, {}, b"{}")

    def _answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def request_id(number):
    """The id of the invocation with this number, from 1."""
    return f"8476a536-e9f4-11e8-9739-{number:012x}"


def run_function(command, environ, events, *, on_post=None, on_next=None, refuse=None):
    """Start `command` as the runtime, give it `events` (JSON values or bytes) one by one, and wait.

    `on_post` is called with each answer of the runtime, before the API acknowledges it; `on_next`
    when the runtime asks for another event, which ends the invocation before. `refuse` is the
    status that refuses every answer.
    """
    bodies = [event if isinstance(event, bytes) else json.dumps(event).encode() for event in events]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.script = _Script(bodies, on_post, on_next, refuse)
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environ, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
        ) as process:
            server.script.process = process
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            try:
                stdout, stderr = process.communicate(timeout=RUN_TIMEOUT_S)
            finally:
                process.kill()
                server.shutdown()
                thread.join()
        return Run(
            [(path, _without_what_differs(body)) for path, body in server.script.posts],
            _without_what_differs(stdout),
            _without_what_differs(stderr),
            process.returncode,
        )


def _without_what_differs(output: bytes) -> bytes:
    """Two runs of the same function differ in the time of day and in addresses."""
    output = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", b"TIME", output)
    output = re.sub(rb"127\.0\.0\.1:\d+", b"HOST", output)
    # launch.py stands below the runtime's script: a stack is full three frames earlier.
    output = re.sub(rb"line repeated \d+ more times", b"line repeated", output)
    return re.sub(rb"0x[0-9a-f]{6,}", b"ADDRESS", output)
