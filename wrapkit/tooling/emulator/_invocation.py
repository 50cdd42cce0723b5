"""One invocation as its caller sees it, while it goes on and when it is over."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import FUNCTION_ERROR, INIT_ERROR, PLATFORM_TEXT, RESPONSE, Respond

from ._results import Answer, InvocationResult

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ERROR_TYPE_TRAILER = "lambda-runtime-function-error-type"
_ERROR_BODY_TRAILER = "lambda-runtime-function-error-body"


class Invocation:
    """One invocation that was sent: wait for ``answered``, which is what its caller waits for, or
    for ``ended``, when it is over for the extensions, too; then there is a ``result()``.

    ``on_piece`` gets the pieces of a response that the runtime streams, as they come; before the
    first of them ``response_content_type`` is set. ``on_answer``, if it is set, gets the answer at
    once, before the runtime hears that it has been taken.
    """

    def __init__(
        self,
        request_id: str,
        payload: bytes,
        *,
        trace_header: str | None,
        client_context: str | None,
        sent_ms: float,
        invoked_function_arn: str,
        cognito_identity: str | None = None,
        tenant_id: str | None = None,
        content_type: str = "application/json",
        on_piece: Callable[[bytes], None] | None = None,
    ) -> None:
        self.request_id = request_id
        self.payload = payload
        self.trace_header = trace_header
        self.client_context = client_context
        self.invoked_function_arn = invoked_function_arn
        self.cognito_identity = cognito_identity
        self.tenant_id = tenant_id
        self.content_type = content_type
        self.response_content_type = "application/json"
        self.on_piece = on_piece
        self.on_answer: Callable[[Answer], None] | None = None
        loop = asyncio.get_running_loop()
        self.answered: asyncio.Future[Answer] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self.cpu_ms: Mapping[str, float] = {}
        self.log_tail = ""
        self.report: Mapping[str, Any] = {}
        self._sent_ms = sent_ms
        self._next_ms: dict[str, float] = {}
        self._answered_ms = sent_ms
        self._body = b""
        self._streamed: bytearray | None = None
        self._trailers: Mapping[str, str] = {}

    def begin_response(self, content_type: str, *, is_streamed: bool) -> None:
        """The runtime begins to answer."""
        self.response_content_type = content_type
        self._streamed = bytearray() if is_streamed else None

    def stream(self, piece: bytes) -> None:
        """Passes a piece of a streamed response on: the caller has it, whatever follows."""
        if self._streamed is not None:
            self._streamed += piece
        if self.on_piece is not None:
            self.on_piece(piece)

    def keep_outcome(self, body: bytes, trailers: Mapping[str, str]) -> None:
        """Keeps what the runtime posted, until the lifecycle says whether the caller gets it."""
        self._body, self._trailers = body, trailers

    def called_next(self, name: str, now_ms: float) -> None:
        """A process is ready for the next invocation: its part of this one is over."""
        self._next_ms[name] = round(now_ms - self._sent_ms, 3)

    def respond(self, effect: Respond, init_error_body: bytes, now_ms: float) -> None:
        """Gives the caller its answer."""
        if not self.answered.done():
            self._answered_ms = now_ms
            answer = self._answer(effect, init_error_body)
            self.answered.set_result(answer)
            if self.on_answer is not None:
                self.on_answer(answer)

    def _answer(self, effect: Respond, init_error_body: bytes) -> Answer:
        error_type = effect.error_type or None
        if effect.outcome == RESPONSE:
            return self._response(error_type)
        if effect.outcome == PLATFORM_TEXT:
            return Answer(effect.message.encode(), None, error_type)
        if effect.outcome == FUNCTION_ERROR:
            body = self._body
        elif effect.outcome == INIT_ERROR:
            body = init_error_body
        else:
            document = {"errorType": effect.error_type, "errorMessage": effect.message}
            body = json.dumps(document, separators=(",", ":")).encode()
        if self._streamed is None:
            return Answer(body, "Unhandled", error_type, body)
        streamed = bytes(self._streamed)
        return Answer(streamed, "Unhandled", error_type, body, self.response_content_type)

    def _response(self, error_type: str | None) -> Answer:
        """A streamed response that broke off says so behind the body that the caller has already
        got.
        """
        body = self._body if self._streamed is None else bytes(self._streamed)
        broken_by = self._trailers.get(_ERROR_TYPE_TRAILER)
        if not broken_by:
            return Answer(body, None, error_type, content_type=self.response_content_type)
        details = _decode_base64(self._trailers.get(_ERROR_BODY_TRAILER, ""))
        return Answer(body, "Unhandled", broken_by, details, self.response_content_type)

    def end(self, cpu_ms: Mapping[str, float], log_tail: str) -> None:
        """The invocation is over; nothing of it comes any more."""
        if not self.answered.done():
            self.answered.set_result(Answer(b"", "Unhandled"))
        if not self.ended.done():
            self.cpu_ms, self.log_tail = cpu_ms, log_tail
            self.ended.set_result(None)

    def fail(self, error: BaseException) -> None:
        """The host itself went wrong."""
        for future in (self.answered, self.ended):
            if not future.done():
                future.set_exception(error)
                future.exception()  # not to be reported as never retrieved

    def result(self) -> InvocationResult:
        """The result, once the invocation has ended."""
        metrics, answer = self.report.get("metrics", {}), self.answered.result()
        overheads = [
            span["durationMs"]
            for span in self.report.get("spans", ())
            if span["name"] == "extensionOverhead"
        ]
        return InvocationResult(
            request_id=self.request_id,
            payload=answer.payload,
            function_error=answer.function_error,
            status=self.report.get("status", "failure"),
            error_type=answer.error_type or self.report.get("errorType"),
            duration_ms=metrics.get("durationMs", 0.0),
            billed_duration_ms=metrics.get("billedDurationMs", 0),
            init_duration_ms=metrics.get("initDurationMs"),
            max_memory_used_mb=metrics.get("maxMemoryUsedMB", 0),
            response_latency_ms=round(self._answered_ms - self._sent_ms, 3),
            post_runtime_extensions_duration_ms=overheads[0] if overheads else None,
            cpu_ms=self.cpu_ms,
            log_tail=self.log_tail,
            next_ms=self._next_ms,
        )


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return text.encode()  # as the runtime wrote it
