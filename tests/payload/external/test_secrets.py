"""Header values out of Secrets Manager and Parameter Store: moto plays AWS, the runner is real."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler

import boto3
import pytest

from tests.payload.external.clock import ManualClock
from tests.payload.external.conftest import free_port
from tests.payload.external.host import Server
from tests.payload.external.sink import Sink
from wrapkit.payload.external._secret_reference import references, resolved

KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "session-token",
}
REGION = "eu-central-1"
HEADERS = "authorization=Bearer%20${secretsmanager:otel#token},x-tenant=${ssm:/otel/tenant}"
SECRET, TENANT = "s3cr3t-token", "tenant-4711"


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """The URL of moto's server."""
    log = tmp_path_factory.mktemp("moto") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=output,
            stderr=output,
            cwd=log.parent,
        )
    try:
        yield _url(server, log)
    finally:
        server.kill()
        server.wait()


def _url(server, log):
    while server.poll() is None:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())


@pytest.fixture
def store(aws):
    """An empty account, and how to put a secret and a parameter into it."""

    class Store:
        url = aws

        def __init__(self):
            how = {"endpoint_url": aws, "region_name": REGION, "aws_access_key_id": "test",
                   "aws_secret_access_key": "test"}  # fmt: skip
            self.secrets = boto3.client("secretsmanager", **how)
            self.parameters = boto3.client("ssm", **how)

        def put(self, token=SECRET, tenant=TENANT):
            text = json.dumps({"user": "u", "token": token})
            self.secrets.create_secret(Name="otel", SecretString=text)
            self.parameters.put_parameter(
                Name="/otel/tenant", Value=f"{tenant}\n", Type="SecureString"
            )

    urllib.request.urlopen(
        urllib.request.Request(f"{aws}/moto-api/reset", method="POST"), timeout=10
    ).close()
    return Store()


class Extension:
    """AWS's parameters-and-secrets extension, as its documentation describes it."""

    def __init__(self, *, status=200):
        self.asked = []
        self.status = status
        self.server = Server(self._handler())
        self.port = str(self.server.server_address[1])

    def _handler(extension):  # noqa: N805 - the handler's self is the other one
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                parts = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(parts.query))
                token = self.headers["X-Aws-Parameters-Secrets-Token"]
                extension.asked.append((parts.path, query, token))
                document = {"SecretString": json.dumps({"token": SECRET})}
                if parts.path.startswith("/systemsmanager"):
                    document = {"Parameter": {"Value": TENANT}}
                body = json.dumps(document).encode()
                if extension.status != 200:
                    body = b"not ready to serve traffic, please wait"
                self.send_response(extension.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


@pytest.fixture
def extension():
    made = Extension()
    yield made
    made.server.close()


def begin(scene, store=None, extension=None, headers=HEADERS, **how):
    scene.start(
        OTEL_EXPORTER_OTLP_HEADERS=headers,
        PARAMETERS_SECRETS_EXTENSION_HTTP_PORT=extension.port if extension else str(free_port()),
        AWS_ENDPOINT_URL=store.url if store else f"http://127.0.0.1:{free_port()}",
        **KEYS,
        **how,
    )
    scene.host.wait_for_next(1)


def invoke(scene, count=1, **how):
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}", **how)
        scene.host.wait_for_next(calls + 1)


def shut_down(scene, **how):
    scene.host.shut_down(**how)
    code, said = scene.runner.wait()
    assert code == 0
    assert not any(SECRET in line or TENANT in line for line in said)
    return said


def sent(request):
    return request[1]["authorization"], request[1]["x-tenant"]


def test_the_services_are_asked_where_there_is_no_extension(scene, store):
    """Once for all exports; a key of a secret, and a parameter without its line break."""
    store.put()
    begin(scene, store)
    invoke(scene, 3)

    assert [sent(request) for request in scene.sink.requests] == [(f"Bearer {SECRET}", TENANT)] * 3
    assert shut_down(scene) == []


def test_awss_extension_is_asked_first(scene, extension):
    """With the session token, and not before the first export."""
    begin(scene, extension=extension)
    assert extension.asked == []
    invoke(scene, 2)

    assert extension.asked == [
        ("/secretsmanager/get", {"secretId": "otel"}, "session-token"),
        ("/systemsmanager/parameters/get", {"name": "/otel/tenant", "withDecryption": "true"},
         "session-token"),
    ]  # fmt: skip
    assert sent(scene.sink.requests[0]) == (f"Bearer {SECRET}", TENANT)


def test_an_extension_that_is_not_ready_is_passed_over(scene, store, extension):
    """It answers 400 until the environment's Init is over."""
    store.put()
    extension.status = 400
    begin(scene, store, extension)
    invoke(scene)

    assert sent(scene.sink.requests[0]) == (f"Bearer {SECRET}", TENANT)


def test_a_secret_that_is_not_there_is_one_line_and_no_loss(scene, store):
    """Nothing goes out without the credential; the next life finds it."""
    begin(scene, store)
    invoke(scene, 2)
    said = shut_down(scene, reason="timeout")
    assert scene.sink.requests == []
    assert len(said) == 2
    assert "secretsmanager:otel" in said[0]
    assert "(ResourceNotFoundException)" in said[0]
    scene.close_life()

    store.put()
    begin(scene, store)
    assert shut_down(scene) == []
    assert sorted(span.span_id[-1] for span in scene.sink.spans()) == [1, 2]


def test_a_service_that_cannot_be_reached_is_one_line(scene):
    """And `next` is called all the same."""
    begin(scene)
    invoke(scene, 2)
    said = shut_down(scene)

    assert "cannot be read: Connection refused" in said[0]
    assert "2 could not be sent" in said[1]


def test_a_secret_that_was_rotated_is_fetched_anew(scene, store, layer, tmp_path):
    """The endpoint refuses the old one: nothing is dropped."""
    clock = ManualClock(layer, tmp_path)
    store.put(token="old")
    begin(scene, store, sink=Sink(statuses=[200, 401]), **clock.settings())
    invoke(scene, now_s=clock.ms / 1000)
    store.secrets.put_secret_value(SecretId="otel", SecretString=json.dumps({"token": SECRET}))
    clock.advance(120_000)
    invoke(scene, now_s=clock.ms / 1000)

    tokens = [sent(request)[0] for request in scene.sink.requests]
    assert tokens == ["Bearer old", "Bearer old", f"Bearer {SECRET}"]
    assert len(scene.sink.spans()) == 2
    assert shut_down(scene, now_s=clock.ms / 1000) == []


def test_a_secret_that_is_refused_as_it_is_new_is_not_asked_for_again(scene, store):
    """What is wrong from the start is dropped like any refusal, counted and said."""
    store.put()
    begin(scene, store, sink=Sink(statuses=[401]))
    invoke(scene)
    said = shut_down(scene)

    assert len(scene.sink.requests) == 1
    assert "it answered 401" in said[0]
    assert "1 requests were dropped" in said[1]


@pytest.mark.parametrize(
    "value",
    ["plain", "${", "${env:HOME}", "a}b", "${secretsmanager:open", "$${x}", ""],
)
def test_what_refers_to_no_secret_stays_as_it_is(value):
    """Only the two services' notation counts."""
    assert references([("x", value)]) == []
    assert resolved([("x", value)], {}) == [("x", value)]


def test_a_value_may_have_several_secrets():
    """And text around them; an ARN is a name like any other."""
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:otel-a1b2c3"
    value = "u=${secretsmanager:" + arn + "#user};p=${ssm:/p}."
    found = references([("x", value)])

    assert [(each.service, each.name, each.key) for each in found] == [
        ("secretsmanager", arn, "user"),
        ("ssm", "/p", ""),
    ]
    values = {found[0].text: "U", found[1].text: "P"}
    assert resolved([("x", value)], values) == [("x", "u=U;p=P.")]
