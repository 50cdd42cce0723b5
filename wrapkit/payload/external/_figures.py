"""The numbers in a record of the platform's telemetry, taken only where they make sense."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

_MAX = 1e12


def metric(record: "dict[str, Any]", name: str) -> "Optional[float]":
    """A number of the record's ``metrics``; None where it is not there, or is none."""
    metrics = record.get("metrics")
    return _number(metrics.get(name)) if isinstance(metrics, dict) else None


def span_duration_ms(record: "dict[str, Any]", name: str) -> "Optional[float]":
    """The duration of one of the record's ``spans``, such as ``extensionOverhead``."""
    spans = record.get("spans")
    for span in spans if isinstance(spans, list) else ():
        if isinstance(span, dict) and span.get("name") == name:
            return _number(span.get("durationMs"))
    return None


def duration_ns(record: "dict[str, Any]") -> int:
    """The record's ``durationMs`` in nanoseconds; 0 where it says none."""
    return int((metric(record, "durationMs") or 0) * 1_000_000)


def _number(value: "Any") -> "Optional[float]":
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < _MAX:
        return value
    return None
