"""The way out: connections that die, backends that do not answer, and deadlines."""

from __future__ import annotations

import socket
import subprocess
import time

import pytest

from tests.payload.external.conftest import free_port
from tests.payload.external.host import WAIT_S
from tests.payload.external.sink import Sink, make_certificate


def shut_down(scene, **how):
    scene.host.shut_down(**how)
    return scene.runner.wait()


def invoke(scene, count=1):
    """Invocations, each with a span of its own id; waits for the `next` after each."""
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
        scene.host.wait_for_next(calls + 1)


def begin(scene, **how):
    scene.start(**how)
    scene.host.wait_for_next(1)


def test_one_connection_serves_many_flushes(scene):
    """Keep-alive: three invocations, one connection."""
    begin(scene)
    invoke(scene, 3)

    assert len(scene.sink.spans()) == 3
    assert scene.sink.connections == 1


def test_a_connection_that_died_meanwhile_is_replaced_without_loss_or_duplicate(scene):
    """A backend closes idle connections while the environment is frozen."""
    begin(scene)
    for _ in range(3):
        invoke(scene)
        scene.sink.cut_connections()

    assert len(scene.sink.spans()) == 3
    assert len({span.span_id for span in scene.sink.spans()}) == 3
    assert shut_down(scene) == (0, [])


def test_a_kept_connection_that_dies_under_the_request_is_replaced(scene):
    """The request goes out again, once, on a fresh connection."""
    begin(scene)
    invoke(scene)
    scene.sink.statuses = [None]
    invoke(scene)

    assert len(scene.sink.spans()) == 2
    assert scene.sink.connections == 2


def test_headers_and_compression_are_as_the_settings_say(scene):
    """Percent-decoded header values, gzip, and a user agent."""
    begin(
        scene,
        OTEL_EXPORTER_OTLP_HEADERS="x-api-key=a%20b,X-Other=1",
        OTEL_EXPORTER_OTLP_COMPRESSION="gzip",
    )
    invoke(scene)

    _, headers, _, _ = scene.sink.requests[0]
    assert headers["x-api-key"] == "a b"
    assert headers["X-Other"] == "1"
    assert headers["Content-Encoding"] == "gzip"
    assert headers["User-Agent"].startswith("wrapkit/")
    assert len(scene.sink.spans()) == 1


def test_signals_own_endpoint_is_used_as_it_is(scene):
    """The traces endpoint has no path appended; the other signals have none."""
    sink = Sink()
    begin(
        scene,
        sink=sink,
        OTEL_EXPORTER_OTLP_ENDPOINT=None,
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{sink.endpoint}/v1/traces?key=1",
    )
    invoke(scene)

    assert [path for path, *_ in sink.requests] == ["/v1/traces?key=1"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_retryable_answer_keeps_the_spans_for_the_next_opportunity(scene, status):
    """What was refused for now is delivered at SHUTDOWN, once, with one line about it."""
    begin(scene, sink=Sink(statuses=[status]))
    invoke(scene, 3)
    code, said = shut_down(scene)

    assert code == 0
    assert len(said) == 1
    assert f"it answered {status}" in said[0]
    assert len(scene.sink.spans()) == 3
    assert len({span.span_id for span in scene.sink.spans()}) == 3


def test_a_failing_endpoint_is_left_alone_for_a_while(scene):
    """Three invocations in a row try a dead backend once, not three times."""
    begin(scene, sink=Sink(statuses=[503], headers=(("Retry-After", "60"),)))
    invoke(scene, 3)

    assert len(scene.sink.requests) == 1


def test_a_permanent_refusal_drops_and_says_so(scene):
    """400 is not retried: one line, and the count at the end."""
    begin(scene, sink=Sink(statuses=[400, 400]))
    invoke(scene, 3)
    code, said = shut_down(scene)

    assert code == 0
    assert len(said) == 2
    assert "it answered 400" in said[0]
    assert "2 requests were dropped" in said[1]
    assert len(scene.sink.spans()) == 1


def test_a_refused_connection_is_one_line_and_a_count(scene):
    """Nobody listens: the function is not disturbed, and what is lost is said."""
    begin(scene, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    invoke(scene, 3)
    code, said = shut_down(scene)

    assert code == 0
    assert len(said) == 2
    assert "Connection refused" in said[0]
    assert "3 could not be sent" in said[1]


def test_a_name_without_an_address_is_one_line(scene):
    """The name server's answer does not block the loop, and is said."""
    begin(scene, OTEL_EXPORTER_OTLP_ENDPOINT="http://nowhere.invalid:4318")
    invoke(scene, 2)
    code, said = shut_down(scene)

    assert code == 0
    assert "its name has no address" in said[0]


def test_a_name_is_resolved(scene):
    """localhost is a name like any other."""
    sink = Sink()
    port = sink.server.server_address[1]
    begin(scene, sink=sink, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://localhost:{port}")
    invoke(scene, 2)

    assert len(sink.spans()) == 2
    assert sink.connections == 1


def test_a_backend_that_does_not_answer_costs_its_timeout_once(scene):
    """OTEL_EXPORTER_OTLP_TIMEOUT bounds the export; then the endpoint is left alone."""
    sink = Sink()
    sink.hold.clear()
    begin(scene, sink=sink, OTEL_EXPORTER_OTLP_TIMEOUT="200")
    invoke(scene, 3)
    assert len(sink.requests) == 1
    sink.hold.set()
    code, said = shut_down(scene)

    assert code == 0
    assert "no answer in time" in said[0], said
    spans = {span.span_id for span in sink.spans()}
    assert len(spans) == 3


def test_the_functions_deadline_bounds_the_export(scene):
    """`next` is called before the function times out, whatever the backend does."""
    sink = Sink()
    sink.hold.clear()
    begin(scene, sink=sink)
    scene.host.invoke("r1", timeout_s=0.5)
    began = time.monotonic()
    start = {"time": time.time_ns(), "trace": "0af7651916cd43dd8448eb211c80319c"}
    scene.runner.hook(t="start", id="r1", span="1" * 16, flags=1, cold=True, **start)
    scene.runner.hook(t="end", id="r1", time=time.time_ns())
    scene.host.wait_for_next(2)

    assert time.monotonic() - began < WAIT_S / 2  # of the 10 s that the export may take by itself
    sink.hold.set()


def test_the_shutdown_deadline_bounds_the_last_export(scene):
    """A backend that never answers does not get the extension killed."""
    sink = Sink()
    sink.hold.clear()
    begin(scene, sink=sink)
    scene.host.invoke("r1", timeout_s=0.2)
    start = {"time": time.time_ns(), "trace": "0af7651916cd43dd8448eb211c80319c"}
    scene.runner.hook(t="start", id="r1", span="1" * 16, flags=1, cold=True, **start)
    scene.host.wait_for_next(2)
    deadline = time.time() + 1.0
    code, said = shut_down(scene, reason="timeout", budget_ms=1000)

    assert code == 0
    assert time.time() < deadline
    assert "1 could not be sent" in said[-1]
    sink.hold.set()


def test_an_answer_that_is_not_http_is_one_line(scene):
    """Another protocol on that port."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        begin(scene, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
        scene.invoke_with_hook("r1")
        connection, _ = other.accept()
        connection.recv(65536)
        connection.sendall(b"220 smtp.example ESMTP\r\n\r\n")
        scene.host.wait_for_next(2)
        connection.close()

    assert scene.runner.process.poll() is None


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://user:secret@127.0.0.1:1", "http://", "nonsense"]
)
def test_an_unusable_endpoint_is_said_without_its_value(scene, url):
    """A URL may hold a credential: only the variable's name is said."""
    begin(scene, OTEL_EXPORTER_OTLP_ENDPOINT=url)
    invoke(scene)
    code, said = shut_down(scene)

    assert code == 0
    assert said
    assert "secret" not in "".join(said)


def test_https_with_a_ca_of_ones_own(scene, tmp_path):
    """TLS over the non-blocking connection, kept alive, and again after the backend closed it."""
    certificate = make_certificate(tmp_path)
    begin(
        scene,
        sink=Sink(certificate=certificate),
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "cert.pem"),
    )
    invoke(scene, 2)
    assert scene.sink.connections == 1
    scene.sink.cut_connections()
    invoke(scene)

    assert len(scene.sink.spans()) == 3
    assert shut_down(scene) == (0, [])


def test_an_unknown_certificate_is_refused_in_one_line(scene, tmp_path):
    """Without its CA the backend is not who it says it is; nothing is sent."""
    begin(scene, sink=Sink(certificate=make_certificate(tmp_path)))
    invoke(scene)
    code, said = shut_down(scene)

    assert code == 0
    assert "CERTIFICATE_VERIFY_FAILED" in said[0]
    assert scene.sink.requests == []


def test_a_ca_file_that_is_missing_is_one_line(scene, tmp_path):
    """The setting names a file that is not in the layer."""
    begin(
        scene,
        sink=Sink(certificate=make_certificate(tmp_path)),
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "missing.pem"),
    )
    invoke(scene)
    code, said = shut_down(scene)

    assert code == 0
    assert f"authority in {tmp_path / 'missing.pem'} cannot be used (No such file" in said[0]


@pytest.mark.parametrize(
    ("key", "reason"), [("missing.key", "No such file"), ("encrypted.key", "the key is encrypted")]
)
def test_a_client_certificate_that_is_of_no_use_is_one_line_with_its_files(
    scene, tmp_path, key, reason
):
    """And nobody is asked for a password."""
    command = ("openssl", "genrsa", "-aes128", "-passout", "pass:word", "-out", "encrypted.key")
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    begin(
        scene,
        sink=Sink(certificate=make_certificate(tmp_path)),
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "cert.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=str(tmp_path / "cert.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_KEY=str(tmp_path / key),
    )
    invoke(scene)
    code, said = shut_down(scene)

    assert code == 0
    assert f"cert.pem and {tmp_path / key} cannot be used ({reason}" in said[0]
