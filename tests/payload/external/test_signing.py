"""Signed exports through the real runner; botocore says what the signature has to be."""

from __future__ import annotations

import datetime
import json
import threading
from http.server import BaseHTTPRequestHandler

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.payload.external.clock import ManualClock
from tests.payload.external.host import Server
from tests.payload.external.sink import Sink

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "token",
}
# A loopback endpoint has no AWS host name, so the variable says how to sign.
SIGNED = {"WRAPKIT_SIGV4": "traces=xray/eu-central-1"}
MINUTE_MS = 60_000


class CredentialsEndpoint:
    """What Lambda names under SnapStart; ``asked`` are the Authorization headers that came."""

    def __init__(self, *, status=200, lifetime_s=6 * 3600):
        self.asked = []
        self.status = status
        self.lifetime_s = lifetime_s
        self.server = Server(self._handler())

    def _handler(endpoint):  # noqa: N805 - the handler's self is the other one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                endpoint.asked.append(self.headers["Authorization"])
                now = datetime.datetime.now(datetime.timezone.utc)
                expiration = now + datetime.timedelta(seconds=endpoint.lifetime_s)
                body = json.dumps(
                    {
                        "AccessKeyId": KEYS["AWS_ACCESS_KEY_ID"],
                        "SecretAccessKey": KEYS["AWS_SECRET_ACCESS_KEY"],
                        "Token": KEYS["AWS_SESSION_TOKEN"],
                        "Expiration": expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    }
                ).encode()
                self.send_response(endpoint.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler

    def variables(self):
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://{self.server.authority}/creds",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "container token",
        }


@pytest.fixture
def endpoints():
    made = []

    def make(**how):
        made.append(CredentialsEndpoint(**how))
        return made[-1]

    yield make
    for endpoint in made:
        endpoint.server.close()


def begin(scene, **how):
    scene.start(**{**SIGNED, **how})
    scene.host.wait_for_next(1)


def invoke(scene, count=1):
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
        scene.host.wait_for_next(calls + 1)


def expected_signature(request):
    """What AWS's own implementation makes of what came, at the time that it says."""
    path, headers, body, _ = request
    signed = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    kept = {
        name: headers[name]
        for name in signed
        if name not in ("host", "x-amz-date", "x-amz-security-token")
    }
    again = AWSRequest("POST", f"http://{headers['Host']}{path}", headers=kept, data=body)
    again.context["timestamp"] = headers["X-Amz-Date"]
    credentials = Credentials(*KEYS.values())
    auth = botocore.auth.SigV4Auth(credentials, "xray", "eu-central-1")
    again.headers["X-Amz-Date"] = headers["X-Amz-Date"]
    again.headers["X-Amz-Security-Token"] = KEYS["AWS_SESSION_TOKEN"]
    canonical = auth.canonical_request(again)
    return auth.signature(auth.string_to_sign(again, canonical), again)


def assert_signed(request):
    signature = request[1]["Authorization"].rpartition("Signature=")[2]
    assert signature == expected_signature(request)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_an_export_is_signed_with_the_functions_credentials(scene, compression):
    """Over the body as it is sent, and over the user's own headers."""
    begin(
        scene,
        OTEL_EXPORTER_OTLP_COMPRESSION=compression,
        OTEL_EXPORTER_OTLP_HEADERS="x-aws-log-group=a%20b",
        **KEYS,
    )
    invoke(scene, 2)

    assert len(scene.sink.spans()) == 2
    for request in scene.sink.requests:
        assert_signed(request)
        assert "x-aws-log-group" in request[1]["Authorization"]
        assert request[1]["X-Amz-Security-Token"] == "token"


def test_signals_that_are_not_named_are_not_signed(scene):
    """The session token is for AWS alone."""
    begin(scene, WRAPKIT_SIGV4="logs=logs/eu-central-1", **KEYS)
    invoke(scene)

    assert "Authorization" not in scene.sink.requests[0][1]


def test_a_request_that_is_sent_again_is_signed_again(scene, layer, tmp_path):
    """Frozen for six minutes between request and answer; the connection has died meanwhile."""
    clock = ManualClock(layer, tmp_path)
    begin(scene, OTEL_EXPORTER_OTLP_TIMEOUT="900000", **clock.settings(), **KEYS)
    scene.host.invoke("r1", now_s=clock.ms / 1000, timeout_s=900)
    hook_tells(scene, "r1", "1")
    scene.host.wait_for_next(2)
    scene.sink.statuses = [None]
    scene.sink.hold.clear()
    scene.host.invoke("r2", now_s=clock.ms / 1000, timeout_s=900)
    hook_tells(scene, "r2", "2")
    scene.sink.wait_for(2)
    clock.advance(6 * MINUTE_MS)
    scene.sink.hold.set()
    scene.sink.wait_for(3)

    _, cut, again = scene.sink.requests
    assert cut[2] == again[2]
    assert seconds(again) - seconds(cut) == 360
    assert_signed(cut)
    assert_signed(again)


def hook_tells(scene, request_id, digit):
    start = {"time": 1, "trace": "1" * 32, "span": digit * 16, "flags": 1, "cold": False}
    scene.runner.hook(t="start", id=request_id, **start)
    scene.runner.hook(t="end", id=request_id, time=2)


def seconds(request):
    moment = datetime.datetime.strptime(request[1]["X-Amz-Date"], "%Y%m%dT%H%M%SZ")  # noqa: DTZ007
    return moment.timestamp()


def test_under_snapstart_credentials_are_asked_for_once(scene, endpoints):
    """By the first export, with the token that Lambda gave, and not before."""
    endpoint = endpoints()
    begin(scene, **endpoint.variables())
    assert endpoint.asked == []
    invoke(scene, 3)

    assert endpoint.asked == ["container token"]
    assert len(scene.sink.spans()) == 3
    for request in scene.sink.requests:
        assert_signed(request)


def test_credentials_that_expire_soon_are_asked_for_again(scene, endpoints):
    """Within ten minutes of their end."""
    endpoint = endpoints(lifetime_s=300)
    begin(scene, **endpoint.variables())
    invoke(scene, 2)

    assert len(endpoint.asked) == 2
    assert len(scene.sink.spans()) == 2


def test_without_credentials_nothing_is_sent_and_one_line_says_so(scene):
    """An unsigned request would be refused for good; so the spans are kept for the next life."""
    begin(scene)
    invoke(scene, 2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert "the function has no AWS credentials" in said[0]
    assert "2 could not be sent" in said[1]
    assert scene.sink.requests == []


def test_a_credentials_endpoint_that_refuses_is_one_line(scene, endpoints):
    """It is asked again when the backoff has passed, at the latest at SHUTDOWN."""
    endpoint = endpoints(status=500)
    begin(scene, **endpoint.variables())
    invoke(scene, 2)
    assert len(endpoint.asked) == 1
    endpoint.status = 200
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert "the credentials' endpoint answered 500" in said[0]
    assert len(said) == 1
    assert len(scene.sink.spans()) == 2


def test_a_credentials_endpoint_that_hangs_is_given_up(scene):
    """Its two seconds bound the wait, and the function's deadline does before them."""
    hung = Sink()
    released = threading.Event()
    hung.hold = released
    begin(
        scene,
        AWS_CONTAINER_CREDENTIALS_FULL_URI=hung.endpoint + "/creds",
        OTEL_EXPORTER_OTLP_TIMEOUT="300",
    )
    invoke(scene, 2)
    released.set()
    hung.close()

    assert scene.sink.requests == []
    assert scene.runner.process.poll() is None
