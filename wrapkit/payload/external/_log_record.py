"""A log record, as plain data."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# opentelemetry/proto/logs/v1/logs.proto, SeverityNumber, by the words of Lambda's runtimes.
SEVERITIES = {
    "TRACE": 1,
    "DEBUG": 5,
    "INFO": 9,
    "WARN": 13,
    "WARNING": 13,
    "ERROR": 17,
    "CRITICAL": 21,
    "FATAL": 21,
}


class LogRecord:
    """One line of a log, or one object of it; ``severity`` is a word of SEVERITIES, empty where
    the line says none. ``request_id`` names the invocation that it belongs to, empty for none.
    """

    __slots__ = ("attributes", "body", "request_id", "severity", "time_unix_nano")

    def __init__(
        self,
        *,
        time_unix_nano: int,
        body: "Any",
        severity: str = "",
        request_id: str = "",
        attributes: "dict[str, Any] | None" = None,
    ) -> None:
        self.time_unix_nano = time_unix_nano
        self.body = body
        self.severity = severity
        self.request_id = request_id
        self.attributes = attributes or {}

    def __repr__(self) -> str:
        return f"<LogRecord {self.severity or 'without severity'} of {self.request_id or 'nobody'}>"
