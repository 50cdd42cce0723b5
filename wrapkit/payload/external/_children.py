"""The spans within invocations that the hook tells of: of libraries, and of the function's own.

Rule 1. They come over sockets that the hook hands over, one a process of the function's. Nothing
        wakes the runner for a span: all are read when the hook says so, or an invocation ends.
Rule 2. A span is told of twice, at its start and at its end. It is exported when it has ended.
Rule 3. What an invocation leaves open that did not end by itself ends with it, as failed. What is
        open when the handler returns may end later: a thread goes on, and a freeze is no end.
"""

import _socket

from .._gathered import gather, hexadecimal, links
from .._report import report_once
from .._span import FLAG_HAS_IS_REMOTE, STATUS_ERROR, Span
from ._document import read_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._spans import SpanBuffer

# Twice what a hook sends in one message at most.
_MESSAGE_BYTES = 262_144
# A function that leaves more spans open than this does not end them at all.
MAX_OPEN = 4096
_SHUT_DOWN = {
    "type": "shutdown",
    "message": "the execution environment was shut down before the span ended",
}


class Children:
    """The open spans by their id, and the sockets that tell of them."""

    __slots__ = ("_gathered", "_open", "_sockets", "_spans")

    def __init__(self, spans: "SpanBuffer") -> None:
        self._spans = spans
        self._gathered: dict[str, Any] = {}
        self._sockets: list[_socket.socket] = []
        self._open: dict[str, tuple[Span, str]] = {}  # with the invocation's request id

    def __len__(self) -> int:
        return len(self._open)

    def adopt(self, descriptor: int) -> None:
        """Takes over a socket that the hook has sent."""
        sock = _socket.socket(fileno=descriptor)
        sock.setblocking(False)
        self._sockets.append(sock)

    def read(self) -> None:
        """Takes all that waits; a process that is gone has closed its end."""
        self._sockets = [sock for sock in self._sockets if self._read_all(sock)]

    def answer(self) -> None:
        """Says that all has been read: a hook tells the runner to read once until then."""
        for sock in self._sockets:
            try:
                sock.send(b"+", _socket.MSG_NOSIGNAL)
            except OSError:  # noqa: PERF203 - gone, or full of answers that it does not need
                pass

    def gathered(self, request_id: str) -> "dict[str, Any]":
        """What the function's code has added to the span of an invocation that has just ended."""
        message, self._gathered = self._gathered, {}
        return message if message.get("id") == request_id else {}

    def cut_off(self, request_id: str, time_ns: int, error: "dict[str, Any]") -> None:
        """An invocation did not end by itself: neither did what was open within it."""
        for span_id in [key for key, (_, owner) in self._open.items() if owner == request_id]:
            self._fail(self._open.pop(span_id)[0], time_ns, error)

    def shut_down(self, time_ns: int) -> None:
        """Nothing that is still open is going to end."""
        while self._open:
            self._fail(self._open.popitem()[1][0], time_ns, _SHUT_DOWN)

    def _fail(self, span: Span, time_ns: int, error: "dict[str, Any]") -> None:
        span.end_time_unix_nano = max(span.start_time_unix_nano, time_ns)
        span.status_code = STATUS_ERROR
        span.status_message = str(error.get("message") or "")
        span.attributes["error.type"] = str(error.get("type") or "_OTHER")
        self._spans.add(span)

    def _read_all(self, sock: "_socket.socket") -> bool:
        while True:
            try:
                data = sock.recv(_MESSAGE_BYTES)
            except BlockingIOError:
                return True
            except ConnectionResetError:
                # A process that died with an answer unread: said once, in front of what it has
                # sent before.
                continue
            except OSError:
                data = b""
            if not data:
                sock.close()
                return False
            try:
                self._take(read_object(data))
            except (ValueError, TypeError, KeyError):
                report_once("span", "a span of the hook cannot be read; leaving it out")

    def _take(self, message: "dict[str, Any]") -> None:
        kind = message.get("t")
        if kind == "span":
            span = _started(message)
            self._open[span.span_id] = span, str(message.get("id") or "")
            if len(self._open) > MAX_OPEN:
                del self._open[next(iter(self._open))]
        elif kind == "span-end":
            found = self._open.pop(str(message.get("span")), None)
            if found is not None:
                span = found[0]
                span.end_time_unix_nano = max(span.start_time_unix_nano, int(message["time"]))
                gather(span, message)
                self._spans.add(span)
        elif kind == "invocation":
            self._gathered = message


def _started(message: "dict[str, Any]") -> Span:
    name, version, schema_url = (str(part) for part in message["scope"])
    return Span(
        trace_id=hexadecimal(message, "trace", 32),
        span_id=hexadecimal(message, "span", 16),
        parent_span_id=hexadecimal(message, "parent", 16) if message.get("parent") else "",
        trace_state=str(message.get("state") or ""),
        flags=int(message["flags"]) & 0xFF | FLAG_HAS_IS_REMOTE,
        name=str(message["name"]),
        kind=int(message["kind"]),
        start_time_unix_nano=int(message["time"]),
        end_time_unix_nano=0,
        attributes=dict(message.get("attributes") or {}),
        links=links(message),
        scope=(name, version, schema_url),
        resource=dict(message.get("resource") or {}),
    )
