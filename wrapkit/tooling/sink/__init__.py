"""A real OTLP/HTTP receiver that keeps what it gets, decoded to a small model."""

from __future__ import annotations

from ._decoding import MalformedExportError, decode_request
from ._model import LogRecord, Metric, ReceivedRequest, Span, SpanEvent, SpanLink
from ._server import OtlpSink
from ._store import TelemetryStore

__all__ = [
    "LogRecord",
    "MalformedExportError",
    "Metric",
    "OtlpSink",
    "ReceivedRequest",
    "Span",
    "SpanEvent",
    "SpanLink",
    "TelemetryStore",
    "decode_request",
]
