"""OTLP over HTTP as both exporters speak it."""

from __future__ import annotations

from wrapkit.payload import _env_export
from wrapkit.payload._otlp_http import export_request, parse_url


def test_the_hook_leaves_out_what_refers_to_a_secret(capsys):
    """It exports before the response, for which nobody waits for AWS; the other headers go out."""
    headers = [("x-key", "Bearer ${ssm:/otel/token}"), ("x-tenant", "1")]
    settings = _env_export.ExportSettings(url="http://c/v1/traces", headers=headers)
    request = export_request(parse_url("http://c/v1/traces"), settings, b"body")

    assert b"x-tenant: 1\r\n" in request
    assert b"x-key" not in request
    assert capsys.readouterr().err.count("only the extension reads") == 1
