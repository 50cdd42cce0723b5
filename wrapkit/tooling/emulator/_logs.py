"""The records of the Telemetry API as the older Logs API writes them.

Source: AWS Lambda developer guide, "Using the Lambda Logs API".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import billed_duration_ms

from ._records import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Written = tuple[str, Mapping[str, Any] | str]

# What a subscriber to the Telemetry API does not hear of.
LOGS_ONLY = ("platform.logsSubscription",)
# The schema that brought platform.runtimeDone.
_RUNTIME_DONE_SCHEMA = "2021-03-18"


def as_logs(record: Record, schema_version: str) -> list[Record]:
    """What one record becomes: none where that API has no such thing, three of a failed report."""
    if isinstance(record.record, str) or record.category != "platform":
        return [record]
    if record.type == "platform.runtimeDone" and schema_version < _RUNTIME_DONE_SCHEMA:
        return []
    write = _WRITERS.get(record.type)
    if write is None:
        return []
    return [Record(record.time_ms, kind, content) for kind, content in write(record.record)]


def _only(kind: str, *names: str) -> Callable[[Mapping[str, Any]], list[Written]]:
    def write(content: Mapping[str, Any]) -> list[Written]:
        return [(kind, {name: content[name] for name in names if name in content})]

    return write


def _runtime_done(content: Mapping[str, Any]) -> list[Written]:
    status = "failure" if content["status"] == "error" else content["status"]
    return [("platform.runtimeDone", {"requestId": content["requestId"], "status": status})]


def _report(content: Mapping[str, Any]) -> list[Written]:
    request_id = content["requestId"]
    written: list[Written] = []
    if content["status"] != "success":
        error_type = content.get("errorType")
        fault = f"RequestId: {request_id} Status: {content['status']}"
        fault += f"\tErrorType: {error_type}" if error_type else ""
        written.append(("platform.fault", fault))
    written.append(("platform.end", {"requestId": request_id}))
    return written + _only("platform.report", "requestId", "metrics", "tracing")(content)


def _init_report(content: Mapping[str, Any]) -> list[Written]:
    return [
        (
            "platform.initReport",
            {"initializationType": content["initializationType"], "metrics": _billed(content)},
        )
    ]


def _restore_report(content: Mapping[str, Any]) -> list[Written]:
    return [("platform.restoreReport", {"metrics": _billed(content)})]


def _billed(content: Mapping[str, Any]) -> dict[str, Any]:
    duration_ms = content["metrics"]["durationMs"]
    return {"durationMs": duration_ms, "billedDurationMs": billed_duration_ms(duration_ms)}


_WRITERS: dict[str, Callable[[Mapping[str, Any]], list[Written]]] = {
    "platform.initRuntimeDone": _only("platform.initRuntimeDone", "initializationType", "status"),
    "platform.initReport": _init_report,
    "platform.restoreStart": _only("platform.restoreStart"),
    "platform.restoreReport": _restore_report,
    "platform.start": _only("platform.start", "requestId", "version", "tracing"),
    "platform.runtimeDone": _runtime_done,
    "platform.report": _report,
    "platform.extension": _only("platform.extension", "name", "state", "events"),
    "platform.logsSubscription": _only("platform.logsSubscription", "name", "state", "types"),
    "platform.logsDropped": _only(
        "platform.logsDropped", "reason", "droppedRecords", "droppedBytes"
    ),
}
