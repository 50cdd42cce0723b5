"""The answer of InvokeWithResponseStream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._backend import log_result
from ._event_stream import CONTENT_TYPE, invoke_complete, payload_chunks
from ._refusal import InvokeRefusedError, refusal_of

if TYPE_CHECKING:
    from .._http_server import Connection
    from ._backend import Backend
    from ._request import InvokeRequest


class ResponseStream:
    """The answer of InvokeWithResponseStream: the head with the first piece, then what comes."""

    def __init__(self, connection: Connection, request_id: str, version: str) -> None:
        self._connection, self._request_id, self._version = connection, request_id, version
        self._has_begun = False

    def write(self, piece: bytes) -> None:
        """A piece of the response, as the runtime sends it."""
        self._begin()
        self._connection.answer_part(_chunk(payload_chunks(piece)))

    def _begin(self) -> None:
        if self._has_begun:
            return
        self._has_begun = True
        headers = (
            ("Content-Type", CONTENT_TYPE),
            ("Transfer-Encoding", "chunked"),
            ("x-amzn-RequestId", self._request_id),
            ("X-Amz-Executed-Version", self._version),
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self._connection.answer_part(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode("latin-1"))

    async def run(self, backend: Backend, request: InvokeRequest, *, has_log_tail: bool) -> None:
        """Makes the invocation and ends the stream with its outcome."""
        try:
            invocation = await backend.pool.invoke(request)
            answer = await invocation.answered
            tail = await log_result(invocation) if has_log_tail else ""
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            self._fail(refusal_of(error))
            return
        was_streamed = self._has_begun
        self._begin()
        if not was_streamed and not answer.function_error:
            self._connection.answer_part(_chunk(payload_chunks(answer.payload)))
        complete = invoke_complete(
            error_code=_error_code(answer.function_error, answer.error_type),
            error_details=answer.error_details.decode(errors="replace"),
            log_result=tail,
        )
        self._connection.answer(_chunk(complete) + b"0\r\n\r\n")

    def _fail(self, refusal: InvokeRefusedError) -> None:
        if not self._has_begun:
            self._connection.answer(refusal.answer(self._request_id))
            return
        complete = invoke_complete(
            error_code=refusal.error_type, error_details=refusal.message, log_result=""
        )
        self._connection.answer(_chunk(complete) + b"0\r\n\r\n")


def _error_code(function_error: str | None, error_type: str | None) -> str:
    return (error_type or function_error or "") if function_error else ""


def _chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; an empty one would end it."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
