"""One invocation's instants, and the telemetry records made of them."""

from . import _effects
from ._deadlines import billed_duration_ms, deadline_ms, elapsed_ms
from ._failure import Failure, status_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_REFUSALS = {
    "Function.ResponseSizeTooLarge": (
        "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    ),
    "Runtime.TruncatedResponse": "The runtime's response ended before its announced length",
}


class Invocation:
    """One invocation, from its begin, a repeated init included, to the last ``next``."""

    __slots__ = (
        "begun_ms",
        "deadline_ms",
        "delivered_ms",
        "error_type",
        "failure",
        "function_timeout_ms",
        "has_started",
        "is_answered",
        "is_function_error",
        "produced_bytes",
        "request_id",
        "response_begun_ms",
        "response_ended_ms",
        "runtime_done_ms",
    )

    def __init__(self, request_id: str, function_timeout_ms: int, now_ms: float) -> None:
        self.request_id = request_id
        self.function_timeout_ms = function_timeout_ms
        self.deadline_ms = deadline_ms(now_ms, function_timeout_ms)
        self.begun_ms = now_ms
        self.delivered_ms = now_ms
        self.response_begun_ms: float | None = None
        self.response_ended_ms: float | None = None
        self.runtime_done_ms: float | None = None
        self.produced_bytes = 0
        self.has_started = False
        self.is_answered = False
        self.is_function_error = False
        self.error_type = ""
        self.failure: Failure | None = None

    def answer(self, refused_as: "str | None") -> "_effects.Respond":
        """What the caller gets of the runtime's answer; ``refused_as`` when it is not accepted."""
        if refused_as:
            return Failure(refused_as, _REFUSALS.get(refused_as, refused_as)).respond(
                self.request_id
            )
        outcome = _effects.FUNCTION_ERROR if self.is_function_error else _effects.RESPONSE
        return _effects.Respond(
            request_id=self.request_id, outcome=outcome, error_type=self.error_type
        )

    def runtime_done_record(self, now_ms: float) -> "dict[str, Any]":
        """``platform.runtimeDone``; a handler's error is a success of the runtime."""
        metrics = {
            "durationMs": elapsed_ms(self.delivered_ms, now_ms),
            "producedBytes": self.produced_bytes,
        }
        record = {"requestId": self.request_id, **status_fields(self.failure), "metrics": metrics}
        spans = self._runtime_spans(now_ms)
        if spans:
            record["spans"] = spans
        return record

    def _runtime_spans(self, now_ms: float) -> "list[dict[str, Any]]":
        begun_ms, ended_ms = self.response_begun_ms, self.response_ended_ms
        if begun_ms is None or ended_ms is None:
            return []
        return [
            span("responseLatency", self.delivered_ms, begun_ms),
            span("responseDuration", begun_ms, ended_ms),
            span("runtimeOverhead", ended_ms, now_ms),
        ]

    def report_record(
        self, now_ms: float, *, cold: "dict[str, float]", has_extensions: bool
    ) -> "dict[str, Any]":
        """``platform.report``; ``cold`` holds the cold start's metrics not yet told."""
        duration_ms = self._duration_ms(now_ms)
        # Whatever made this a cold start is paid for: Init, or the restore of a snapshot.
        billed_ms = billed_duration_ms(duration_ms, sum(cold.values()))
        metrics = {"durationMs": duration_ms, "billedDurationMs": billed_ms, **cold}
        record = {"requestId": self.request_id, **status_fields(self.failure), "metrics": metrics}
        if has_extensions and self.failure is None and self.runtime_done_ms is not None:
            record["spans"] = [span("extensionOverhead", self.runtime_done_ms, now_ms)]
        return record

    def managed_report_record(self, now_ms: float) -> "dict[str, Any]":
        """``platform.report`` on managed instances, where it stands for ``runtimeDone``, too."""
        metrics = {"durationMs": self._duration_ms(now_ms)}
        record = {"requestId": self.request_id, **status_fields(self.failure), "metrics": metrics}
        spans = self._runtime_spans(now_ms)[:2]
        if spans:
            record["spans"] = spans
        return record

    def _duration_ms(self, now_ms: float) -> float:
        # After a timeout the platform reports the timeout itself (5000.0), not the 5001.2 measured.
        timeout_ms = float(self.function_timeout_ms)
        if self.failure is not None and self.failure.status == "timeout":
            return timeout_ms
        return min(timeout_ms, elapsed_ms(self.begun_ms, now_ms))


def span(name: str, start_ms: float, end_ms: float) -> "dict[str, Any]":
    """A span of a telemetry record, its start still in epoch milliseconds."""
    return {"name": name, "start": start_ms, "durationMs": elapsed_ms(start_ms, end_ms)}
