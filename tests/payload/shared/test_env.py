"""Variables as their specifications say, and one line about what makes no sense."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.payload import _env, _env_export, _env_resource, _report

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"


@pytest.fixture(autouse=True)
def _nothing_said_yet(monkeypatch):
    monkeypatch.setattr(_report, "_said", set())


def settings(signal="traces", **environ):
    return _env_export.export_settings({ENDPOINT: "http://collector:4318", **environ}, signal)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({ENDPOINT: "http://c:4318"}, "http://c:4318/v1/traces"),
        ({ENDPOINT: "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({ENDPOINT: "https://c/base"}, "https://c/base/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://c/as-is"}, "https://c/as-is"),
        (
            {ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/x"},
            "http://d/x",
        ),
        ({ENDPOINT: "http://c", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": " "}, "http://c/v1/traces"),
    ],
)
def test_the_endpoint_of_a_signal(environ, url):
    """The general one gets the signal's path appended, its own is used as it is."""
    assert _env_export.export_settings(environ, "traces").url == url


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {ENDPOINT: ""},
        {ENDPOINT: "collector:4317"},
        {ENDPOINT: "http://c", "OTEL_SDK_DISABLED": "TRUE"},
        {ENDPOINT: "http://c", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_nothing_is_exported(environ):
    """No endpoint, an unusable one, or the user's own decision."""
    assert _env_export.export_settings(environ, "traces") is None


def test_the_exporter_of_another_signal_does_not_matter():
    """OTEL_LOGS_EXPORTER=none is about logs."""
    environ = {"OTEL_LOGS_EXPORTER": "none"}

    assert settings("traces", **environ) is not None
    assert settings("logs", **environ) is None


def test_headers_are_decoded():
    """Names and values without surrounding space, values percent-decoded."""
    given_headers = " api-key = a%20b%2C , x=1=2,,"

    assert settings(**{HEADERS: given_headers}).headers == [("api-key", "a b,"), ("x", "1=2")]


@pytest.mark.parametrize(
    "member",
    ["novalue", "=v", "a b=c", "k=%zz", "k=%e2%28", "k=%0d%0aX: 1", "k=%00", "k=%F0%9F%98%80"],
)
def test_a_malformed_header_is_left_out_and_its_value_not_said(member, capsys):
    """One line with the variable's name; the other headers stay."""
    assert settings(**{HEADERS: f"{member},ok=1"}).headers == [("ok", "1")]

    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert HEADERS in said
    assert member not in said


@pytest.mark.parametrize("value", ["x", "-1", "0", "1.5", "9" * 30, "²"])
def test_a_malformed_timeout_is_the_default(value, capsys):
    """And one line, however often it is read."""
    for _ in range(3):
        assert settings(OTEL_EXPORTER_OTLP_TIMEOUT=value).timeout_ms == 10_000

    assert capsys.readouterr().err.count("OTEL_EXPORTER_OTLP_TIMEOUT") == 1


def test_the_signals_own_variables_win():
    """Timeout, compression, certificate."""
    chosen = settings(
        OTEL_EXPORTER_OTLP_TIMEOUT="1",
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT="2",
        OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="gzip",
        OTEL_EXPORTER_OTLP_CERTIFICATE="/ca.pem",
    )

    assert (chosen.timeout_ms, chosen.gzip, chosen.certificate) == (2, True, "/ca.pem")


def test_settings_show_no_secret():
    """Neither headers nor the URL, whose query may hold a key."""
    shown = repr(settings(**{HEADERS: "api-key=hunter2", ENDPOINT: "http://c/?key=hunter2"}))

    assert "hunter2" not in shown


@pytest.mark.parametrize("value", ["a", "a=1,b", "=1", "a=%4", "a=%zz"])
def test_malformed_resource_attributes_are_discarded_as_a_whole(value):
    """As the resource specification asks."""
    assert _env_resource.resource_attributes({"OTEL_RESOURCE_ATTRIBUTES": value}) == {}


@given(st.text())
def test_percent_decoding_is_the_inverse_of_quoting(text):
    """Of whatever text the other side has quoted."""
    from urllib.parse import quote

    try:
        quoted = quote(text, safe="")
    except UnicodeEncodeError:
        return
    assert _env.percent_decoded(quoted) == text


@given(st.text(st.sampled_from("%aF0 zé")))
def test_percent_decoding_takes_any_text(text):
    """A broken sequence is None, nothing raises."""
    assert _env.percent_decoded(text) is None or isinstance(_env.percent_decoded(text), str)


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", ("127.0.0.1", 4318)),
        ("4319", ("127.0.0.1", 4319)),
        ("0.0.0.0:80", ("0.0.0.0", 80)),
        ("[::1]:4318", ("::1", 4318)),
        ("host:port", ("127.0.0.1", 4318)),
        ("host:99999", ("127.0.0.1", 4318)),
    ],
)
def test_the_listeners_address(value, address):
    """host:port or a port alone; else the default."""
    assert _env.otlp_address({"WRAPKIT_OTLP_ADDRESS": value}) == address


def test_the_socket_is_in_the_temporary_folder():
    """Unless WRAPKIT_SOCKET says otherwise."""
    assert _env.socket_path({}) == "/tmp/wrapkit.sock"
    assert _env.socket_path({"TMPDIR": "/scratch/"}) == "/scratch/wrapkit.sock"
    assert _env.socket_path({"WRAPKIT_SOCKET": "/x", "TMPDIR": "/y"}) == "/x"
