"""A ``function`` or ``extension`` record of the platform's telemetry as a log record.

Rule 1. A string is a line in the text format. Python's runtime writes ``[LEVEL]\\ttime\\trequest
        id\\tmessage`` and, of an error that nobody caught, ``[LEVEL] type: message``; Node.js's
        ``time\\trequest id\\tLEVEL\\tmessage``. Of other lines all is message.
Rule 2. An object is a line in the JSON format: what the runtimes name alike becomes what
        OpenTelemetry has for it, the rest attributes of the same name.
"""

from ._log_record import SEVERITIES, LogRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REQUEST_ID_CHARACTERS = 36  # of a UUID
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html; Java's
# runtime has a name of its own for the request id.
_REQUEST_ID_KEYS = ("requestId", "AWSRequestId")
# Readers of protobuf refuse messages nested deeper than 100, of which a level of JSON takes three.
_MAX_DEPTH = 16
_TOO_DEEP = "(nested too deeply)"
_CONSUMED = frozenset(
    (*_REQUEST_ID_KEYS, "timestamp", "level", "message", "errorType", "errorMessage", "stackTrace")
)


def log_record(content: "Any", time_ns: int) -> LogRecord:
    """The log record of what the platform delivered: a string, or an object."""
    if isinstance(content, dict):
        return _of_object(content, time_ns)
    return _of_text(content if isinstance(content, str) else str(content), time_ns)


def _of_text(line: str, time_ns: int) -> LogRecord:
    # The runtime client joins the lines of an error with carriage returns, to make one event.
    line = line.rstrip("\r\n").replace("\r", "\n")
    severity, request_id, message = _python_fields(line) or _node_fields(line) or ("", "", line)
    return LogRecord(time_unix_nano=time_ns, body=message, severity=severity, request_id=request_id)


def _python_fields(line: str) -> "tuple[str, str, str] | None":
    if not line.startswith("["):
        return None
    word, bracket, rest = line[1:].partition("]")
    if not bracket or word not in SEVERITIES:
        return None
    fields = rest.split("\t", 3)
    if len(fields) == 4 and not fields[0] and _is_time(fields[1]):
        return word, _request_id(fields[2]), fields[3]
    return word, "", rest.lstrip()


def _node_fields(line: str) -> "tuple[str, str, str] | None":
    fields = line.split("\t", 3)
    if len(fields) < 4 or not _is_time(fields[0]) or fields[2] not in SEVERITIES:
        return None
    return fields[2], _request_id(fields[1]), fields[3]


def _is_time(text: str) -> bool:
    return text[4:5] == "-" and text[10:11] == "T" and text.endswith("Z")


def _request_id(value: "Any") -> str:
    if isinstance(value, str) and len(value) == _REQUEST_ID_CHARACTERS and value.isascii():
        return value
    return ""  # "undefined" is what Node.js's runtime writes during Init


def _of_object(content: "dict[str, Any]", time_ns: int) -> LogRecord:
    level = str(content.get("level", "")).upper()
    content = _bounded(content, _MAX_DEPTH)
    body = content.get("message")
    ids = [_request_id(content.get(key)) for key in _REQUEST_ID_KEYS]
    attributes = {key: value for key, value in content.items() if key not in _CONSUMED}
    attributes.update(_exception(content))
    return LogRecord(
        time_unix_nano=time_ns,
        body=content.get("errorMessage", "") if body is None else body,
        severity=level if level in SEVERITIES else "",
        request_id=ids[0] or ids[1],
        attributes=attributes,
    )


def _bounded(value: "Any", depth: int) -> "Any":
    """``value`` without what is nested deeper than that."""
    if isinstance(value, dict):
        return {k: _bounded(v, depth - 1) for k, v in value.items()} if depth else _TOO_DEEP
    if isinstance(value, list):
        return [_bounded(item, depth - 1) for item in value] if depth else _TOO_DEEP
    return value


def _exception(content: "dict[str, Any]") -> "dict[str, str]":
    """What the runtimes say of an error, by the names of the semantic conventions."""
    known = {
        "exception.type": content.get("errorType"),
        "exception.message": content.get("errorMessage"),
        "exception.stacktrace": content.get("stackTrace"),
    }
    return {key: _lines(value) for key, value in known.items() if value}


def _lines(value: "Any") -> str:
    if isinstance(value, list):
        return "\n".join([str(line).rstrip("\n") for line in value])
    return str(value)
