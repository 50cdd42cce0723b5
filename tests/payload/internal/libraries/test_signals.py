"""What the function's own metrics and logs need to know of the export's variables."""

from __future__ import annotations

import pytest

from wrapkit.payload import _report
from wrapkit.payload.internal.libraries._signals import Signals


@pytest.mark.parametrize(("mode", "lines"), [("both", 0), ("internal", 3)])
def test_malformed_variables_are_the_extensions_to_report(mode, lines, monkeypatch, capsys):
    """It exports what the hook sends, by the same variables; in mode `internal` the hook does."""
    monkeypatch.setattr(_report, "_said", set())
    monkeypatch.setenv("WRAPKIT_MODE", mode)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "soon")
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "bogus")

    assert Signals().add("metrics", lambda resource: b"")

    assert capsys.readouterr().err.count("wrapkit: OTEL_") == lines
