"""The exporter ``console``: a span as one line of JSON on standard output, which Lambda puts into
the function's log.

The members are those of opentelemetry-python's ``ConsoleSpanExporter``, which spreads them over
many lines: in CloudWatch each of them would be an event of its own.
"""

import json
import sys
import time

from ._span import STATUS_ERROR, STATUS_OK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._span import Span, SpanEvent, SpanLink

_KINDS = {1: "SpanKind.INTERNAL", 2: "SpanKind.SERVER", 3: "SpanKind.CLIENT"}
_STATUSES = {STATUS_OK: "OK", STATUS_ERROR: "ERROR"}


def print_span(span: "Span", resource: "Mapping[str, Any]") -> None:
    """Writes the line at once; a broken standard output is nobody's business here."""
    line = json.dumps(_members(span, resource), default=str) + "\n"
    try:
        sys.stdout.write(line)
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def _members(span: "Span", resource: "Mapping[str, Any]") -> "dict[str, Any]":
    status = {"status_code": _STATUSES.get(span.status_code, "UNSET")}
    if span.status_message:
        status["description"] = span.status_message
    return {
        "name": span.name,
        "context": _context(span.trace_id, span.span_id, span.trace_state),
        "kind": _KINDS.get(span.kind, "SpanKind.INTERNAL"),
        "parent_id": "0x" + span.parent_span_id if span.parent_span_id else None,
        "start_time": _moment(span.start_time_unix_nano),
        "end_time": _moment(span.end_time_unix_nano),
        "status": status,
        "attributes": span.attributes,
        "events": [_event(event) for event in span.events],
        "links": [_link(link) for link in span.links],
        "resource": {"attributes": dict(resource), "schema_url": ""},
    }


def _context(trace_id: str, span_id: str, trace_state: str) -> "dict[str, str]":
    return {
        "trace_id": "0x" + trace_id,
        "span_id": "0x" + span_id,
        "trace_state": f"[{trace_state}]",
    }


def _event(event: "SpanEvent") -> "dict[str, Any]":
    moment = _moment(event.time_unix_nano)
    return {"name": event.name, "timestamp": moment, "attributes": event.attributes}


def _link(link: "SpanLink") -> "dict[str, Any]":
    context = _context(link.trace_id, link.span_id, link.trace_state)
    return {"context": context, "attributes": link.attributes}


def _moment(unix_nano: int) -> str:
    seconds, nanoseconds = divmod(unix_nano, 1_000_000_000)
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{date}.{nanoseconds // 1000:06d}Z"
