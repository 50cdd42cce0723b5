"""The log as CloudWatch shows it: the platform's lines between those of the function and of the
extensions.

Source of the forms: AWS Lambda developer guide, "Lambda execution environment lifecycle" and "Log
and monitor Python functions"; the EXTENSION line from published logs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import billed_duration_ms

from ._levels import is_below, platform_level
from ._logs import LOGS_ONLY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._records import Record


def log_lines(record: Record, log_format: str, system_log_level: str = "INFO") -> list[str]:
    """The lines that one record adds to the log; none for what the log does not show.

    ``system_log_level`` is the least level of the platform's own lines, with the format JSON.
    """
    if isinstance(record.record, str):
        # The runtime client joins the parts of an error with carriage returns, to make one event of
        # them.
        return [record.record.replace("\r", "\n")]
    if log_format == "JSON":
        return _json_lines(record, record.record, system_log_level)
    write = _TEXT.get(record.type)
    return write(record.record) if write else []


def _json_lines(record: Record, content: Mapping[str, Any], least_level: str) -> list[str]:
    if record.type in LOGS_ONLY or is_below(platform_level(record.type, content), least_level):
        return []
    return [record.as_json().decode()]


def _init_start(content: Mapping[str, Any]) -> list[str]:
    return [f"INIT_START {_runtime(content)}"]


def _init_report(content: Mapping[str, Any]) -> list[str]:
    line = f"INIT_REPORT Init Duration: {content['metrics']['durationMs']:.2f} ms"
    if content["status"] != "success":
        return [f"{line}\tPhase: {content['phase']}\t{_outcome(content)}"]
    # Of an Init on demand, REPORT tells.
    return [] if content["initializationType"] == "on-demand" else [line]


def _restore_start(content: Mapping[str, Any]) -> list[str]:
    return [f"RESTORE_START {_runtime(content)}"]


def _restore_report(content: Mapping[str, Any]) -> list[str]:
    line = f"RESTORE_REPORT Restore Duration: {content['metrics']['durationMs']:.2f} ms"
    return [line if content["status"] == "success" else f"{line}\t{_outcome(content)}"]


def _runtime(content: Mapping[str, Any]) -> str:
    version, arn = content["runtimeVersion"], content["runtimeVersionArn"]
    return f"Runtime Version: {version}\tRuntime Version ARN: {arn}"


def _extension(content: Mapping[str, Any]) -> list[str]:
    line = (
        f"EXTENSION\tName: {content['name']}\tState: {content['state']}\t"
        f"Events: [{','.join(content['events'])}]"
    )
    error_type = content.get("errorType")
    return [f"{line}\tError Type: {error_type}" if error_type else line]


def _start(content: Mapping[str, Any]) -> list[str]:
    return [f"START RequestId: {content['requestId']} Version: {content['version']}"]


def _report(content: Mapping[str, Any]) -> list[str]:
    request_id, metrics = content["requestId"], content["metrics"]
    line = (
        f"REPORT RequestId: {request_id}\t"
        f"Duration: {metrics['durationMs']:.2f} ms\t"
        f"Billed Duration: {metrics['billedDurationMs']:.0f} ms\t"
        f"Memory Size: {metrics['memorySizeMB']} MB\t"
        f"Max Memory Used: {metrics['maxMemoryUsedMB']} MB\t"
    )
    if "initDurationMs" in metrics:
        line += f"Init Duration: {metrics['initDurationMs']:.2f} ms\t"
    if "restoreDurationMs" in metrics:
        restore_ms = metrics["restoreDurationMs"]
        line += f"Restore Duration: {restore_ms:.2f} ms\t"
        line += f"Billed Restore Duration: {billed_duration_ms(restore_ms)} ms\t"
    if content["status"] != "success":
        line += _outcome(content)
    lines = [f"END RequestId: {request_id}", line]
    tracing = content.get("tracing")
    if tracing and "Sampled=1" in tracing["value"]:
        lines.append(_xray(tracing["value"]))
    return lines


def _xray(trace_header: str) -> str:
    parts = dict(part.partition("=")[::2] for part in trace_header.split(";"))
    trace_id, segment_id = parts.get("Root", ""), parts.get("Parent", "")
    return f"XRAY TraceId: {trace_id}\tSegmentId: {segment_id}\tSampled: true\t"


def _outcome(content: Mapping[str, Any]) -> str:
    outcome = f"Status: {content['status']}"
    error_type = content.get("errorType")
    return f"{outcome}\tError Type: {error_type}" if error_type else outcome


_TEXT: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "platform.initStart": _init_start,
    "platform.initReport": _init_report,
    "platform.restoreStart": _restore_start,
    "platform.restoreReport": _restore_report,
    "platform.extension": _extension,
    "platform.start": _start,
    "platform.report": _report,
}
