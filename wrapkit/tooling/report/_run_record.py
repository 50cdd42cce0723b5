"""What one run was: the data behind the report and the document that `--json` writes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from wrapkit import __version__

from ._trees import INVOCATION_ID_KEYS, invocation_traces
from ._wording import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..emulator import Function, InitResult, InvocationResult, ShutdownResult
    from ..sink import Span, TelemetryStore
    from ._trees import SpanNode

FORMAT = "wrapkit.run"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class InvocationRecord:
    """One invocation: where its event came from, and what became of it."""

    event: str
    result: InvocationResult

    @property
    def ended_by_platform(self) -> bool:
        """Whether the platform answered in the function's place: a timeout, an exit, a crash."""
        return self.result.status != "success"

    @property
    def failure(self) -> str:
        """How the invocation failed, as its caller was told; empty where it did not."""
        if self.ended_by_platform:
            return f"{self.result.status} {self.result.error_type or ''}".rstrip()
        if self.result.function_error is None:
            return ""
        payload = decoded_payload(self.result.payload)
        name = payload.get("errorType") if isinstance(payload, dict) else None
        return f"error {one_line(str(name or self.result.error_type or ''))}".rstrip()


@dataclass
class RunRecord:
    """One run, filled in as it goes on; `store` is None without a sink."""

    function: Function
    store: TelemetryStore | None = None
    isolation: str = ""
    init: InitResult | None = None
    invocations: list[InvocationRecord] = field(default_factory=list)
    shutdown: ShutdownResult | None = None
    log: list[str] = field(default_factory=list)

    @property
    def spans(self) -> Sequence[Span]:
        return self.store.spans if self.store else ()

    def as_document(self) -> dict[str, Any]:
        """The run as one JSON document; what breaks its readers raises `FORMAT_VERSION`."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "wrapkit_version": __version__,
            "function": _function_document(self.function),
            "isolation": self.isolation,
            "init": asdict(self.init) if self.init else None,
            "invocations": self._invocation_documents(),
            "traces": _trace_documents(self.spans),
            "shutdown": asdict(self.shutdown) if self.shutdown else None,
            "telemetry": _telemetry_document(self.store) if self.store else None,
            "log": self.log,
        }

    def _invocation_documents(self) -> list[dict[str, Any]]:
        trees = invocation_traces(self.spans).by_request_id
        return [
            _invocation_document(record, trees.get(record.result.request_id, ()))
            for record in self.invocations
        ]


def _function_document(function: Function) -> dict[str, Any]:
    return {
        "name": function.name,
        "arn": function.arn,
        "handler": function.handler,
        "task_root": str(function.task_root),
        "layers": [str(layer) for layer in function.layers],
        "memory_mb": function.memory_mb,
        "timeout_ms": function.timeout_ms,
    }


def _invocation_document(record: InvocationRecord, trees: Sequence[SpanNode]) -> dict[str, Any]:
    return {
        "event": record.event,
        **asdict(record.result),
        "payload": decoded_payload(record.result.payload),
        "trace_ids": sorted({tree.span.trace_id for tree in trees}),
    }


def decoded_payload(payload: bytes) -> Any:
    """The JSON value of a payload, or its text where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode(errors="replace")


def _trace_documents(spans: Sequence[Span]) -> list[dict[str, Any]]:
    traces: dict[str, list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.start_time_unix_nano):
        traces.setdefault(span.trace_id, []).append(span)
    return [
        {
            "trace_id": trace_id,
            "request_ids": _request_ids(members),
            "spans": [asdict(span) for span in members],
        }
        for trace_id, members in traces.items()
    ]


def _request_ids(spans: Sequence[Span]) -> list[str]:
    ids = (span.attributes.get(key) for span in spans for key in INVOCATION_ID_KEYS)
    return sorted({str(request_id) for request_id in ids if request_id})


def _telemetry_document(store: TelemetryStore) -> dict[str, Any]:
    return {
        "requests": [
            {
                "signal": request.signal,
                "content_type": request.content_type,
                "content_encoding": request.content_encoding,
                "wire_bytes": request.wire_bytes,
                "body_bytes": request.body_bytes,
            }
            for request in store.requests
        ],
        "log_records": [asdict(record) for record in store.log_records],
        "metrics": [asdict(metric) for metric in store.metrics],
        "duplicate_span_ids": [span.span_id for span in store.duplicate_spans],
        "dropped": store.dropped,
    }
