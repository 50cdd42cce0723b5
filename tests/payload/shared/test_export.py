"""The blocking exporter of internal mode: within its time, over a connection that is kept."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.payload.external.conftest import free_port
from tests.payload.external.host import WAIT_S
from tests.payload.external.sink import Sink, make_certificate
from wrapkit.payload._env_export import ExportSettings
from wrapkit.payload._export import Exporter, ExportError
from wrapkit.payload._otlp import encode_traces
from wrapkit.payload._otlp_http import parse_url
from wrapkit.payload._span import Span

TIMEOUT_MS = int(WAIT_S * 1000)


def body(span_id="2" * 16):
    span = Span(
        trace_id="1" * 32,
        span_id=span_id,
        name="n",
        start_time_unix_nano=1,
        end_time_unix_nano=2,
    )
    return encode_traces({}, [span])


@pytest.fixture
def sink():
    made = Sink()
    yield made
    made.close()


@pytest.fixture
def exporter():
    """Makes exporters, and closes what they have kept open."""
    made = []

    def make(url, **settings):
        made.append(Exporter(ExportSettings(url=url, **settings)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def export(sink, exporter):
    return exporter(f"{sink.endpoint}/v1/traces")


def test_exports_share_a_connection(sink, export):
    """A connection for each invocation would cost each of them a handshake."""
    for number in range(3):
        export.export(body(f"{number:016x}"), TIMEOUT_MS)

    assert [span.span_id.hex() for span in sink.spans()] == [f"{n:016x}" for n in range(3)]
    assert sink.connections == 1


def test_a_connection_that_died_is_replaced(sink, export):
    """Cut while idle, or under the request: one retry on a fresh connection, no duplicate."""
    export.export(body(), TIMEOUT_MS)
    sink.cut_connections()
    export.export(body(), TIMEOUT_MS)
    sink.statuses = [None]
    export.export(body(), TIMEOUT_MS)

    assert len(sink.spans()) == 3


def test_compression_and_headers(sink, exporter):
    """As the settings say; a user's own User-Agent wins."""
    headers = [("user-agent", "mine"), ("k", "v")]
    exporter(f"{sink.endpoint}/v1/traces", headers=headers, gzip=True).export(body(), TIMEOUT_MS)

    _, headers, _, _ = sink.requests[0]
    assert (headers.get_all("user-agent"), headers["k"]) == (["mine"], "v")
    assert len(sink.spans()) == 1


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_refusal_is_an_error(sink, export, status):
    """Internal mode has no second opportunity: the caller counts it."""
    sink.statuses = [status]
    with pytest.raises(ExportError, match=str(status)):
        export.export(body(), TIMEOUT_MS)


def test_the_time_bounds_a_backend_that_does_not_answer(sink, export):
    """The deadline is the invocation's, not the 10 s of the setting."""
    sink.hold.clear()
    began = time.monotonic()
    with pytest.raises(ExportError):
        export.export(body(), 200)

    assert time.monotonic() - began < WAIT_S / 2
    sink.hold.set()
    export.export(body(), TIMEOUT_MS)


def test_a_backend_that_closes_without_an_answer(sink, export):
    """On a fresh connection that is a failure, not a reason to try again."""
    sink.statuses = [None, None]
    with pytest.raises(ExportError, match="without an answer"):
        export.export(body(), TIMEOUT_MS)

    assert len(sink.requests) == 1


def test_nobody_listens(exporter):
    """The operating system's words, no URL."""
    export = exporter(f"http://127.0.0.1:{free_port()}/v1/traces?key=secret")
    with pytest.raises(ExportError, match="refused") as raised:
        export.export(body(), TIMEOUT_MS)

    assert "secret" not in str(raised.value)


def test_a_name_without_an_address(exporter):
    """The name server's answer is an error within the time."""
    with pytest.raises(ExportError):
        exporter("http://nowhere.invalid").export(body(), TIMEOUT_MS)


def test_an_answer_that_is_not_http(exporter):
    """Another protocol on that port."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def answer():
            connection, _ = other.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 smtp.example ESMTP\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        export = exporter(f"http://127.0.0.1:{other.getsockname()[1]}")
        with pytest.raises(ExportError, match="not HTTP"):
            export.export(body(), TIMEOUT_MS)
        thread.join(WAIT_S)


def test_https(tmp_path, exporter):
    """With the CA of the settings it is trusted, without it is not."""
    sink = Sink(certificate=make_certificate(tmp_path))
    url = f"{sink.endpoint}/v1/traces"
    trusting = exporter(url, certificate=str(tmp_path / "cert.pem"))
    for _ in range(2):
        trusting.export(body(), TIMEOUT_MS)
    with pytest.raises(ExportError, match="CERTIFICATE_VERIFY_FAILED"):
        exporter(url).export(body(), TIMEOUT_MS)

    assert len(sink.spans()) == 2
    sink.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://h", ("h", 80, "/", False)),
        ("https://h/", ("h", 443, "/", True)),
        ("HTTP://H:4318/v1/traces", ("h", 4318, "/v1/traces", False)),
        ("http://[::1]:4318/x?y=1#z", ("::1", 4318, "/x?y=1", False)),
        ("http://[::1]", ("::1", 80, "/", False)),
        ("http://h?y=1", ("h", 80, "/?y=1", False)),
    ],
)
def test_urls(url, expected):
    """Host, port, path and whether it is TLS."""
    target = parse_url(url)

    assert (target.host, target.port, target.path, target.tls) == expected


@pytest.mark.parametrize(
    "url", ["", "h", "ftp://h", "http://", "http:///x", "http://u:secret@h", "http://h:x", "http://h:0",
            "http://h:99999", "http://h/a b", "http://h/\r\nX: 1", "http://ü"]
)  # fmt: skip
def test_unusable_urls(url):
    """Refused, and never quoted."""
    with pytest.raises(ValueError, match="URL") as raised:
        parse_url(url)

    assert "secret" not in str(raised.value)
