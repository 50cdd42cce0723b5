"""Proxies from the environment: which one is chosen, and both ways through a real one."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading

import pytest

from tests.payload.external.host import WAIT_S
from tests.payload.external.sink import Sink, make_certificate
from wrapkit.payload._otlp_http import parse_url
from wrapkit.payload.external._proxy import proxy_for

PROXY = "http://proxy.example:3128"


def chosen(url, **variables):
    found = proxy_for(variables, parse_url(url))
    return None if found is None else (found.host, found.port)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_scheme_of_the_endpoint_chooses_the_variable(name):
    """In either case; the other scheme goes directly."""
    assert chosen("https://api.example", **{name: PROXY}) == ("proxy.example", 3128)
    assert chosen("http://api.example", **{name: PROXY}) is None
    assert chosen("http://api.example", HTTP_PROXY="proxy.example") == ("proxy.example", 80)


def test_the_lower_case_name_wins_even_when_it_is_empty():
    """As in curl: empty means no proxy."""
    both = {"HTTPS_PROXY": PROXY, "https_proxy": "other:1"}
    assert chosen("https://api.example", **both) == ("other", 1)
    assert chosen("https://api.example", **{**both, "https_proxy": ""}) is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.1", "[::1]"])
def test_this_machine_is_never_asked_through_a_proxy(host):
    """A collector on loopback is behind no proxy."""
    assert chosen(f"https://{host}:4318", HTTPS_PROXY=PROXY) is None


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("*", True),
        ("api.example.com", True),
        ("API.Example.Com", True),
        ("example.com", True),
        (".example.com", True),
        ("other.org, .example.com", True),
        ("ample.com", False),
        ("com.example", False),
        ("api.example.com:443", True),
        ("api.example.com:80", False),
        ("", False),
        (" , ", False),
    ],
)
def test_no_proxy(no_proxy, direct):
    """A host, a domain with all below it, a port."""
    found = chosen("https://api.example.com/v1", HTTPS_PROXY=PROXY, NO_PROXY=no_proxy)

    assert (found is None) is direct


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [("10.0.0.0/8", True), ("10.1.2.3", True), ("10.1.2.3/32", True), ("10.1.3.0/24", False),
     ("10.0.0.0/33", False), ("0.0.0.0/0", True), ("300.0.0.0/8", False), ("10/8", False)],
)  # fmt: skip
def test_no_proxy_of_addresses(no_proxy, direct):
    """Networks, and no guessing at malformed ones."""
    found = chosen("https://10.1.2.3", HTTPS_PROXY=PROXY, NO_PROXY=no_proxy)

    assert (found is None) is direct


def test_user_and_password_are_for_the_proxy():
    """Percent-decoded, as basic authorization."""
    found = proxy_for({"HTTPS_PROXY": "http://me:p%40ss@proxy:1"}, parse_url("https://a.example"))

    expected = base64.b64encode(b"me:p@ss").decode()
    assert found.headers == [("Proxy-Authorization", f"Basic {expected}")]
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("url", ["socks5://secret:1", "https://secret", "http://", "http://a:b:c"])
def test_a_proxy_that_cannot_be_used_is_said_without_its_value(url, capsys, monkeypatch):
    """It may hold a password."""
    monkeypatch.setattr("wrapkit.payload._report._said", set())

    assert chosen("https://api.example", HTTPS_PROXY=url) is None
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "HTTPS_PROXY" in said
    assert "secret" not in said


class ForwardProxy:
    """Passes on whatever is asked of it to ``sink``; ``heads`` are those of the requests."""

    def __init__(self, sink, status=200):
        self.heads = []
        self._sink = sink
        self._status = status
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = [self._listener]
        self._threads = []
        self._run(self._accept)

    def _run(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                client.settimeout(WAIT_S)
                self._open.append(client)
                self._run(self._serve, client)

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536)
        self.heads.append(head.partition(b"\r\n\r\n")[0].decode())
        if self._status != 200:
            client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self._status)
            client.shutdown(socket.SHUT_WR)
            return
        backend = socket.create_connection(self._sink.server.server_address, timeout=WAIT_S)
        self._open.append(backend)
        if head.startswith(b"CONNECT"):
            # In two pieces, as networks do.
            client.sendall(b"HTTP/1.1 200 Connection estab")
            client.sendall(b"lished\r\n\r\n")
        else:
            # Enough of a proxy for one request: the sink reads the path of the whole URL.
            line, _, rest = head.partition(b"\r\n")
            method, url, version = line.split(b" ")
            path = b"/" + url.split(b"/", 3)[3]
            backend.sendall(b" ".join([method, path, version]) + b"\r\n" + rest)
        self._run(pump, client, backend)
        pump(backend, client)

    def close(self):
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WAIT_S)
        for sock in self._open:
            sock.close()


def pump(source, target):
    with contextlib.suppress(OSError):
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def proxied(scene):
    """Starts the scene with an endpoint that only the proxy can find."""
    made = []

    def start(sink, scheme, status=200, credentials="", **variables):
        proxy = ForwardProxy(sink, status)
        made.append(proxy)
        scene.start(
            sink=sink,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"{scheme}://backend.invalid:4318",
            **{f"{scheme.upper()}_PROXY": f"http://{credentials}127.0.0.1:{proxy.port}"},
            **variables,
        )
        scene.host.wait_for_next(1)
        return proxy

    yield start
    for proxy in made:
        proxy.close()


def invoke(scene, count):
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
        scene.host.wait_for_next(calls + 1)


def test_https_goes_through_a_tunnel(scene, proxied, tmp_path):
    """One CONNECT for a connection that is kept; the proxy sees nothing else."""
    sink = Sink(certificate=make_certificate(tmp_path, "backend.invalid"))
    ca = str(tmp_path / "cert.pem")
    proxy = proxied(sink, "https", credentials="me:pw@", OTEL_EXPORTER_OTLP_CERTIFICATE=ca)
    invoke(scene, 3)

    assert len(sink.spans()) == 3
    (head,) = proxy.heads
    assert head.splitlines()[:2] == [
        "CONNECT backend.invalid:4318 HTTP/1.1",
        "Host: backend.invalid:4318",
    ]
    assert "Proxy-Authorization: Basic bWU6cHc=" in head
    assert "Proxy-Authorization" not in sink.requests[0][1]


def test_http_is_asked_for_with_the_whole_url(scene, proxied):
    """And with the authorization in the request itself."""
    sink = Sink()
    proxy = proxied(sink, "http", credentials="me:pw@")
    invoke(scene, 1)

    assert len(sink.spans()) == 1
    assert proxy.heads[0].startswith("POST http://backend.invalid:4318/v1/traces HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic bWU6cHc=" in proxy.heads[0]


def test_a_proxy_that_refuses_is_one_line(scene, proxied, tmp_path):
    """407, mostly: the spans are kept."""
    sink = Sink(certificate=make_certificate(tmp_path, "backend.invalid"))
    proxied(sink, "https", status=407)
    invoke(scene, 2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert "the proxy answered 407" in said[0]
    assert "2 could not be sent" in said[1]


def test_a_client_certificate_is_shown_to_the_backend(scene, tmp_path):
    """Mutual TLS with the files that OpenTelemetry's variables name."""
    server, client = tmp_path / "server", tmp_path / "client"
    for folder in (server, client):
        folder.mkdir()
    pem = make_certificate(client, "function.example")
    sink = Sink(certificate=make_certificate(server), clients=client / "cert.pem")
    scene.start(
        sink=sink,
        OTEL_EXPORTER_OTLP_CERTIFICATE=str(server / "cert.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=str(client / "cert.pem"),
        OTEL_EXPORTER_OTLP_CLIENT_KEY=str(pem),
    )
    scene.host.wait_for_next(1)
    invoke(scene, 2)

    assert len(sink.spans()) == 2


def test_without_the_client_certificate_nothing_is_delivered(scene, tmp_path):
    """The other half of the same: the backend insists."""
    sink = Sink(certificate=make_certificate(tmp_path), clients=tmp_path / "cert.pem")
    scene.start(sink=sink, OTEL_EXPORTER_OTLP_CERTIFICATE=str(tmp_path / "cert.pem"))
    scene.host.wait_for_next(1)
    invoke(scene, 2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert "cannot be used" in said[0]
    assert "2 could not be sent" in said[-1]
    assert sink.requests == []
