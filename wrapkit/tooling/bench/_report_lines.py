"""REPORT lines of any CloudWatch export, as figures.

Understood is whatever holds the lines somewhere: plain text, `aws logs tail`, the JSON of
`aws logs filter-log-events`, the CSV of Logs Insights, and the JSON system log format, whose
`platform.report` records say the same.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LATEST = "$LATEST"
_ID = r"(?P<id>[0-9a-fA-F][0-9a-fA-F-]{7,})"
_REPORT = re.compile(rf"REPORT RequestId: {_ID}(?P<rest>[^\n]*)")
_START = re.compile(rf"START RequestId: {_ID} Version: (?P<version>\$LATEST|\d+)")
# A log stream's name: 2026/11/25/[3]0123..., for some functions with the name in front of it.
_STREAM = re.compile(r"\d{4}/\d{2}/\d{2}/?(?:[\w-]+)?\[(?P<version>\$LATEST|\d+)\][0-9a-f]{8,}")
_FIELD = re.compile(
    r"(?P<name>Billed Restore Duration|Restore Duration|Billed Duration|Init Duration|Duration"
    r"|Memory Size|Max Memory Used): (?P<value>\d+(?:\.\d+)?) (?:ms|MB)"
)
_STATUS = re.compile(r"Status: (?P<status>\w+)")
_ERROR_TYPE = re.compile(r"Error Type: (?P<type>[\w.]+)")


@dataclass(frozen=True)
class Report:
    """One invocation as its REPORT line has it; ``version`` is empty where nothing tells."""

    request_id: str
    version: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    max_memory_used_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    status: str = ""
    error_type: str = ""

    @property
    def is_cold(self) -> bool:
        return self.init_ms is not None or self.restore_ms is not None


def read_reports(export: str) -> list[Report]:
    """Every invocation once, in order; a request id that comes again is a retry, or the same line.

    The version is that of the invocation's START line, else that of the log stream's name beside.
    """
    reports: dict[tuple[str, float], Report] = {}
    versions: dict[str, str] = {}
    for line in _lines(export):
        text = _unescaped(line)
        for match in _START.finditer(text):
            versions[match["id"]] = match["version"]
        for report in _reports(line, text):
            reports.setdefault((report.request_id, report.duration_ms), report)
        versions.update(_platform_starts(line))
    return [
        replace(report, version=versions.get(report.request_id, report.version))
        for report in reports.values()
    ]


def _lines(export: str) -> Iterable[str]:
    """The lines of text; of JSON each event on one line, behind the name of its log stream."""
    try:
        document = json.loads(export)
    except ValueError:
        return export.splitlines()
    if not isinstance(document, dict):
        return export.splitlines()
    events = [event for event in document.get("events", ()) if isinstance(event, dict)]
    results = [_fields(result) for result in document.get("results", ())]
    if not events and not results:
        return [json.dumps(document)]
    return [
        f"{event.get('logStreamName') or event.get('@logStream') or ''} "
        f"{event.get('message') or event.get('@message') or ''}"
        for event in (*events, *results)
    ]


def _fields(result: object) -> dict[str, Any]:
    """A row of a Logs Insights query: a list of fields and values."""
    pairs = result if isinstance(result, list) else []
    return {pair.get("field", ""): pair.get("value") for pair in pairs if isinstance(pair, dict)}


def _unescaped(line: str) -> str:
    """Within JSON and CSV a tab is two characters."""
    return line.replace("\\t", "\t").replace("\\n", "\n")


def _reports(line: str, text: str) -> Iterator[Report]:
    stream = _STREAM.search(text)
    version = stream["version"] if stream else ""
    for match in _REPORT.finditer(text):
        report = _of_text(match["id"], version, match["rest"].partition("REPORT ")[0])
        if report is not None:
            yield report
    document = _platform_record(line, "platform.report")
    if document is not None:
        report = _of_record(document["record"], version)
        if report is not None:
            yield report


def _of_text(request_id: str, version: str, rest: str) -> Report | None:
    """None for a line that was cut off."""
    fields = {match["name"]: float(match["value"]) for match in _FIELD.finditer(rest)}
    if not {"Duration", "Billed Duration", "Memory Size", "Max Memory Used"} <= fields.keys():
        return None
    status, error_type = _STATUS.search(rest), _ERROR_TYPE.search(rest)
    return Report(
        request_id,
        version,
        fields["Duration"],
        fields["Billed Duration"],
        int(fields["Memory Size"]),
        int(fields["Max Memory Used"]),
        fields.get("Init Duration"),
        fields.get("Restore Duration"),
        status["status"] if status else "",
        error_type["type"] if error_type else "",
    )


def _platform_record(line: str, kind: str) -> dict[str, Any] | None:
    """A JSON record of the platform, alone on its line or as the message of an event."""
    if kind not in line:
        return None
    start = line.find("{")
    while start >= 0:
        try:
            document, _ = json.JSONDecoder().raw_decode(line, start)
        except ValueError:
            document = None
        found = _inside(document, kind)
        if found is not None:
            return found
        start = line.find("{", start + 1)
    return None


def _inside(document: object, kind: str) -> dict[str, Any] | None:
    if not isinstance(document, dict):
        return None
    if document.get("type") == kind and isinstance(document.get("record"), dict):
        return document
    message = document.get("message")
    if isinstance(message, str) and kind in message:
        try:
            return _inside(json.loads(message), kind)
        except ValueError:
            return None
    return None


def _platform_starts(line: str) -> Iterator[tuple[str, str]]:
    document = _platform_record(line, "platform.start")
    if document is not None and "version" in document["record"]:
        yield str(document["record"].get("requestId")), str(document["record"]["version"])


def _of_record(record: Mapping[str, Any], version: str) -> Report | None:
    metrics = record.get("metrics")
    try:
        return Report(
            str(record["requestId"]),
            version,
            float(metrics["durationMs"]),  # type: ignore[index]
            float(metrics["billedDurationMs"]),  # type: ignore[index]
            int(metrics["memorySizeMB"]),  # type: ignore[index]
            int(metrics["maxMemoryUsedMB"]),  # type: ignore[index]
            metrics.get("initDurationMs"),  # type: ignore[union-attr]
            metrics.get("restoreDurationMs"),  # type: ignore[union-attr]
            "" if record.get("status") == "success" else str(record.get("status", "")),
            str(record.get("errorType", "")),
        )
    except (KeyError, TypeError, ValueError):
        return None
