"""What scripted runtimes and extensions speak with: the platform's APIs over a plain connection."""

import http.client
import json
import os
import socket
import sys
import time

EXTENSIONS = "/2020-01-01/extension"
RUNTIME = "/2018-06-01/runtime"


class Party:
    """One party; a scripted extension gives its name, a scripted runtime none."""

    def __init__(self, name=None):
        self.name = name
        self.identifier = None
        self.connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])

    def call(self, method, path, body=None, **headers):
        """The answer's status, headers and body; a header's underscores stand for dashes."""
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.identifier:
            headers["Lambda-Extension-Identifier"] = self.identifier
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def register(self, *events):
        body = json.dumps({"events": events})
        status, headers, answer = self.call(
            "POST", EXTENSIONS + "/register", body, Lambda_Extension_Name=self.name
        )
        assert status == 200, answer
        self.identifier = headers["Lambda-Extension-Identifier"]

    def next_event(self):
        status, _, answer = self.call("GET", EXTENSIONS + "/event/next")
        assert status == 200, answer
        return json.loads(answer)

    def subscribe(
        self,
        destination,
        types=("platform", "function", "extension"),
        path="/2022-07-01/telemetry",
        **fields,
    ):
        document = {
            "schemaVersion": "2022-12-13",
            "types": list(types),
            "buffering": {"maxItems": 1000, "maxBytes": 262144, "timeoutMs": 25},
            "destination": destination,
            **fields,
        }
        return self.call("PUT", path, json.dumps(document))

    def next_invocation(self):
        status, headers, event = self.call("GET", RUNTIME + "/invocation/next")
        assert status == 200, event
        return headers["Lambda-Runtime-Aws-Request-Id"], headers, event

    def respond(self, request_id, body, **headers):
        return self.call("POST", f"{RUNTIME}/invocation/{request_id}/response", body, **headers)

    def report_error(self, request_id, document):
        body = json.dumps(document)
        return self.call("POST", f"{RUNTIME}/invocation/{request_id}/error", body)


def say(*words):
    """One line to the log."""
    print(*words, flush=True)


def pass_gate(name):
    """Tells the test that this point is reached, and waits until the test lets it pass."""
    port = int(os.environ["GATES_PORT"])
    with socket.create_connection(("127.0.0.1", port)) as gate:
        gate.sendall(name.encode() + b"\n")
        if not gate.recv(1):
            sys.exit(f"the test did not open the gate {name}")


def place(name):
    """A file that all processes of the environment see, also after a reset."""
    return os.path.join(os.environ.get("TMPDIR", "/tmp"), name)


def mark(name):
    """Lets the other processes know that this point is reached."""
    open(place(name), "w").close()


def await_mark(name):
    """Waits until another process has come to a point; the environment's own timeout bounds it."""
    while not os.path.exists(place(name)):
        time.sleep(0.005)
