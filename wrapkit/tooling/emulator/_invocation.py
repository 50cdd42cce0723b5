"""One invocation as its caller sees it, while it goes on and when it is over."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import FUNCTION_ERROR, INIT_ERROR, RESPONSE, Respond

from ._results import InvocationResult

if TYPE_CHECKING:
    from collections.abc import Mapping

_ERROR_TYPE_TRAILER = "lambda-runtime-function-error-type"


class Invocation:
    """What was sent, what the runtime answered, and what was recorded of it."""

    def __init__(
        self,
        request_id: str,
        payload: bytes,
        *,
        trace_header: str | None,
        client_context: str | None,
        sent_ms: float,
    ) -> None:
        self.request_id = request_id
        self.payload = payload
        self.trace_header = trace_header
        self.client_context = client_context
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.cpu_ms: Mapping[str, float] = {}
        self.log_tail = ""
        self.report: Mapping[str, Any] = {}
        self._sent_ms = sent_ms
        self._answered_ms = sent_ms
        self._body = b""
        self._trailers: Mapping[str, str] = {}
        self._answer = b""
        self._function_error: str | None = None
        self._error_type: str | None = None

    def keep_outcome(self, body: bytes, trailers: Mapping[str, str]) -> None:
        """Keeps what the runtime posted, until the lifecycle says whether the caller gets it."""
        self._body, self._trailers = body, trailers

    def respond(self, effect: Respond, init_error_body: bytes, now_ms: float) -> None:
        """Gives the caller its answer."""
        self._answered_ms = now_ms
        self._error_type = effect.error_type or None
        self._function_error = None if effect.outcome == RESPONSE else "Unhandled"
        if effect.outcome in (RESPONSE, FUNCTION_ERROR):
            self._answer = self._body
            self._take_trailers()
        elif effect.outcome == INIT_ERROR:
            self._answer = init_error_body
        else:
            document = {"errorType": effect.error_type, "errorMessage": effect.message}
            self._answer = json.dumps(document, separators=(",", ":")).encode()

    def _take_trailers(self) -> None:
        """A streamed response that broke off says so behind the body that the caller has already
        got.
        """
        error_type = self._trailers.get(_ERROR_TYPE_TRAILER)
        if error_type:
            self._function_error, self._error_type = "Unhandled", error_type

    def result(self) -> InvocationResult:
        """The result, once the invocation has ended."""
        metrics = self.report.get("metrics", {})
        overheads = [
            span["durationMs"]
            for span in self.report.get("spans", ())
            if span["name"] == "extensionOverhead"
        ]
        return InvocationResult(
            request_id=self.request_id,
            payload=self._answer,
            function_error=self._function_error,
            status=self.report.get("status", "failure"),
            error_type=self._error_type or self.report.get("errorType"),
            duration_ms=metrics.get("durationMs", 0.0),
            billed_duration_ms=metrics.get("billedDurationMs", 0),
            init_duration_ms=metrics.get("initDurationMs"),
            max_memory_used_mb=metrics.get("maxMemoryUsedMB", 0),
            response_latency_ms=round(self._answered_ms - self._sent_ms, 3),
            post_runtime_extensions_duration_ms=overheads[0] if overheads else None,
            cpu_ms=self.cpu_ms,
            log_tail=self.log_tail,
        )
