"""moto's server, with the part of Lambda in front of it that moto lacks: what an invocation logs.

Every call goes through to moto as it is, but for Invoke: that is answered here with the REPORT line
that Lambda would write, cold for the first invocation of a version, and slower where the version
has an exec wrapper.
"""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys
import threading
import urllib.request
import uuid
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INVOKE = re.compile(
    r"/2015-03-31/functions/(?P<name>[^/]+)/invocations(?:\?Qualifier=(?P<q>\d+))?$"
)
# As Lambda writes it, with what follows in functions that are traced.
REPORT = (
    "START RequestId: {id} Version: {version}\n"
    "END RequestId: {id}\n"
    "REPORT RequestId: {id}\tDuration: {duration:.2f} ms\tBilled Duration: {billed} ms\t"
    "Memory Size: 128 MB\tMax Memory Used: {memory} MB\t{init}\n"
    "XRAY TraceId: 1-5bef4de7-ad49b0e87f6ef6c87fc2e700\tSegmentId: 1\tSampled: true\t\n"
)
ADDED_INIT_MS = 20


class LambdaFront:
    """The proxy; ``calls`` are the methods and paths that came, ``after_call`` hears of each."""

    def __init__(self, moto_port):
        self.moto_port = moto_port
        self.calls = []
        self.after_call = lambda _call: None
        self.outcome = None
        self._seen = set()
        self._random = random.Random(1)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def _handler(self):
        front = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                call = (self.command, self.path)
                found = INVOKE.match(self.path)
                status, headers, content = (
                    front.invoked(found) if found else front.forwarded(self, body)
                )
                front.calls.append(call)
                front.after_call(call)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_):
                pass

        return Handler

    def forwarded(self, request, body):
        connection = HTTPConnection("127.0.0.1", self.moto_port, timeout=60)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "content-length"}
        connection.request(request.command, request.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        skipped = {"content-length", "transfer-encoding", "connection", "server", "date"}
        kept = {k: v for k, v in answer.getheaders() if k.lower() not in skipped}
        return answer.status, kept, content

    def variables(self, name, version):
        """What moto knows of a version."""
        url = f"http://127.0.0.1:{self.moto_port}/2015-03-31/functions/{name}/configuration"
        request = urllib.request.Request(
            f"{url}?Qualifier={version}",
            headers={
                "Authorization": "AWS4-HMAC-SHA256 Credential=a/b/eu-west-1/lambda/aws4_request"
            },
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer).get("Environment", {}).get("Variables", {})

    def invoked(self, found):
        name, version = found["name"], found["q"] or "$LATEST"
        is_wrapped = "AWS_LAMBDA_EXEC_WRAPPER" in self.variables(name, version)
        mark = self.variables(name, version).get("WRAPKIT_BENCH")
        is_cold = mark not in self._seen  # moto gives the number of a deleted version again
        self._seen.add(mark)
        init_ms = 90 + ADDED_INIT_MS * is_wrapped + self._random.gauss(0, 1.5)
        duration_ms = 1.2 + 0.1 * is_wrapped + self._random.random() / 10
        log = REPORT.format(
            id=uuid.uuid4(),
            version=version,
            duration=duration_ms,
            billed=-int(-(duration_ms + init_ms * is_cold) // 1),
            memory=38 + 9 * is_wrapped,
            init=f"Init Duration: {init_ms:.2f} ms\t" if is_cold else "",
        )
        headers = {"X-Amz-Log-Result": base64.b64encode(log.encode()).decode()}
        if self.outcome is not None:
            headers["X-Amz-Function-Error"] = "Unhandled"
            return 200, headers, json.dumps(self.outcome).encode()
        return 200, headers, b'"hello"'


@contextmanager
def moto_server(folder):
    """Its port."""
    log = folder / "moto.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=output,
            stderr=output,
            cwd=folder,
        )
    try:
        yield _port(server, log)
    finally:
        server.kill()
        server.wait()


def _port(server, log):
    while server.poll() is None:
        found = re.search(r"Running on http://127\.0\.0\.1:(\d+)", log.read_text())
        if found:
            return int(found[1])
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())
