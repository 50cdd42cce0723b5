"""Tells the runner of each invocation: one datagram at its start, one at its end.

docs/concepts/architecture.md, "Hook to runner: datagrams", is the contract.

Rule 1. A start never waits. An end waits for room for 5 ms at most: without it, the runner takes
        the invocation for one that died.
Rule 2. An end is sent when the response has been posted: it wakes the runner, whose export would
        compete with the response for the processor. Its time is that of the outcome.
Rule 3. A start that was not taken is sent again in front of the end, so the span keeps its ids.
Rule 4. What is dropped is counted, and the count goes along with the next datagram.
"""

import sys
from json import encoder

from .._env import socket_path
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Optional

    from ._hook import Invocation
    from ._span_stream import SpanStream
    from .libraries._library_span import LibrarySpan

# A queue holds 10 datagrams by default (net.unix.max_dgram_qlen); the runner empties it in well
# under a millisecond when it gets the processor.
WAIT_FOR_ROOM_US = 5000
# A start must fit into one datagram whatever the caller sends; W3C asks for 512 characters.
MAX_TRACE_STATE_CHARACTERS = 4096
# Linux's, on all architectures: `_socket` itself is a library to load, at the first invocation.
_MSG_DONTWAIT = 0x40
# As large as a datagram may be by the contract.
MAX_DATAGRAM_BYTES = 65536


def _json_encoder() -> "Callable[[dict[str, Any]], str]":
    """Writes a message as JSON; what JSON has no type for is said as text."""
    compact = encoder.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
    try:
        # What `encode` makes anew for each document, which takes as long as writing a small one.
        make: Any = encoder.c_make_encoder  # type: ignore[attr-defined]
        write = make(None, str, encoder.encode_basestring, None, ":", ",", False, False, True)
    except (AttributeError, TypeError):  # another implementation of Python, or a later version
        return compact.encode
    return lambda message: "".join(write(message, 0))


encode = _json_encoder()


class Datagrams:
    """The sending end of the socket, made at the first invocation: no snapshot holds it."""

    __slots__ = ("_dropped", "_path", "_socket", "_spans", "_unsent")
    before_response = False

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._path = socket_path(environ)
        self._socket: Any = None
        self._dropped = 0
        self._unsent: list[dict[str, Any]] = []
        self._spans: Optional[SpanStream] = None

    def start(self, invocation: "Invocation") -> None:
        """Sends ``start``."""
        message = _start(invocation)
        self._unsent = [] if self.send(message, wait=False) else [message]

    def end(
        self, invocation: "Invocation", time_ns: int, error: "Optional[dict[str, str]]"
    ) -> None:
        """Sends ``end``, behind a ``start`` that was not taken; ``error`` is None for an invocation
        that went well.
        """
        message = {"t": "end", "id": invocation.request_id, "time": time_ns}
        if invocation.response_attributes:
            message["attributes"] = invocation.response_attributes
        if error is not None:
            message["error"] = error
        unsent, self._unsent = self._unsent, []
        if invocation.record is not None and invocation.record.gathered():
            self._span_stream().add_to_invocation(invocation.record, invocation.request_id)
        if self._spans is not None:
            self._spans.flush()
        for one in (*unsent, message):
            if not self.send(one, wait=True):
                return

    def close(self) -> None:
        """Closes the socket; another invocation would open another."""
        sock, self._socket = self._socket, None
        if sock is not None:
            sock.close()
        spans, self._spans = self._spans, None
        if spans is not None:
            spans.close()

    # The spans within invocations

    def span_started(self, span: "LibrarySpan", request_id: str) -> None:
        """Tells of a span that has begun."""
        try:
            self._span_stream().start(span, request_id)
        except OSError:  # no runner, as the invocation's own datagram says
            self._dropped += 1

    def span_ended(self, span: "LibrarySpan", time_ns: int) -> None:
        """Tells of the end of such a span."""
        if self._spans is not None:
            self._spans.end(span, time_ns)

    def wake(self) -> bool:
        """Has the runner read the spans, and answer; where its queue is full it is told nothing."""
        try:
            self._send_bytes(_encoded({"t": "spans"}), wait=False)
        except OSError:
            return False
        return True

    def json(self, message: "dict[str, Any]") -> bytes:
        """The message as it goes out, of whatever size."""
        return _json(message)

    def count_dropped(self) -> None:
        """Something else could not be told; the next datagram brings the count."""
        self._dropped += 1

    def _span_stream(self) -> "SpanStream":
        if self._spans is None:
            from ._span_stream import SpanStream

            self._spans = SpanStream(self._handed_over(), self)
        return self._spans

    def _handed_over(self) -> "Any":
        """One end of a new pair of sockets, whose other end has gone to the runner; ``OSError``."""
        import _socket

        if self._socket is None:
            self._socket = _new_socket()
        # Messages keep their borders, and no limit on their number applies to a pair.
        ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        _limit_wait(ours)
        rights = theirs.fileno().to_bytes(4, sys.byteorder)
        ancillary = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, rights)]
        try:
            self._socket.sendmsg([_encoded({"t": "spans"})], ancillary, 0, self._path)
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def send(self, message: "dict[str, Any]", wait: bool) -> bool:
        """Sends one datagram; what is not taken is counted."""
        if self._dropped:
            message["dropped"] = self._dropped
        try:
            self._send_bytes(_encoded(message), wait)
        except BlockingIOError:  # the queue is full
            self._dropped += 1
            return False
        except OSError as error:
            self._dropped += 1
            report_once(
                "no runner", f"invocations are not recorded, no runner at {self._path}", error
            )
            return False
        self._dropped = 0
        return True

    def _send_bytes(self, data: bytes, wait: bool) -> None:
        if self._socket is None:
            self._socket = _new_socket()
        # By address each time: that outlives a runner which is started anew.
        self._socket.sendto(data, 0 if wait else _MSG_DONTWAIT, self._path)


def _new_socket() -> "Any":
    import _socket

    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM)
    _limit_wait(sock)
    return sock


def _limit_wait(sock: "Any") -> None:
    """Lets a blocking send of ``sock`` wait for room for 5 ms at most."""
    from _socket import SO_SNDTIMEO, SOL_SOCKET

    # The bound of a blocking send: a struct timeval. Python's own timeout would poll first.
    seconds, microseconds = (n.to_bytes(8, sys.byteorder) for n in (0, WAIT_FOR_ROOM_US))
    sock.setsockopt(SOL_SOCKET, SO_SNDTIMEO, seconds + microseconds)


def _start(invocation: "Invocation") -> "dict[str, Any]":
    context = invocation.context
    message = {
        "t": "start",
        "id": invocation.request_id,
        "time": invocation.start_time_unix_nano,
        "trace": context.trace_id,
        "span": invocation.span_id,
        "flags": context.flags,
        "cold": invocation.cold_start,
    }
    if context.parent_span_id:
        message["parent"] = context.parent_span_id
    if context.trace_state and len(context.trace_state) <= MAX_TRACE_STATE_CHARACTERS:
        message["state"] = context.trace_state
    if invocation.attributes:
        message["attributes"] = invocation.attributes
    if invocation.links:
        message["links"] = invocation.links
    return message


def _encoded(message: "dict[str, Any]") -> bytes:
    """The datagram; what is too large for one goes without that which is needed least."""
    data = _json(message)
    for lighten in _LIGHTER:
        if len(data) <= MAX_DATAGRAM_BYTES:
            break
        lighten(message)
        data = _json(message)
    return data


def _json(message: "dict[str, Any]") -> bytes:
    return encode(message).encode("utf-8", "replace")


def _without_states(message: "dict[str, Any]") -> None:
    message["links"] = [(*link[:3], "") for link in message.get("links", ())]


def _without_long_attributes(message: "dict[str, Any]") -> None:
    attributes = message.get("attributes", {})
    message["attributes"] = {
        name: value for name, value in attributes.items() if len(str(value)) <= _SHORT
    }


# 128 links without states are some 8 KiB, and 30 attributes of this length 24 KiB at most.
_SHORT = 128
_LIGHTER = (_without_states, _without_long_attributes)
