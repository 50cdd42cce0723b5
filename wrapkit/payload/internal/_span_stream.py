"""Tells the runner of the spans within invocations, without waking it.

Rule 1. Each span is told at its start and at its end, so that the runner can end what a process
        that died has left open. It reads them when an invocation ends, or when it is told to.
Rule 2. They go through a pair of sockets whose other end the runner was handed: as many messages
        fit as its buffer has bytes for, while the runner's own socket queues ten for everybody.
Rule 3. The runner is woken when a part of the buffer may be full, and not again before it answers:
        its queue has to have room for the end of the invocation. What finds no room waits in this
        process; the handler never does. At the invocation's end what waits is sent within 50 ms.
Rule 4. What is dropped is counted.
"""

import os
import threading
import time

from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._datagrams import Datagrams
    from .libraries._library_span import LibrarySpan
    from .libraries._span_record import SpanRecord

# The kernel's default for both (net.core.wmem_default) is 208 KiB, and it counts each message with
# some 1.2 KiB of its own: 64 messages are half of that at most.
_MESSAGES_UNTIL_WAKE = 64
_BYTES_UNTIL_WAKE = 65_536
# What the socket takes in one message, with some room below 208 KiB.
MAX_MESSAGE_BYTES = 131_072
# Behind a runner that gets no processor meanwhile: some 2 MiB.
MAX_WAITING = 4096
_LAST_WAIT_NS = 50_000_000


class SpanStream:
    """The sending end, whose other end the runner has."""

    __slots__ = (
        "_bytes",
        "_datagrams",
        "_dont_wait",
        "_lock",
        "_messages",
        "_no_signal",
        "_process_id",
        "_socket",
        "_waiting",
        "_woken",
    )

    def __init__(self, sock: "Any", datagrams: "Datagrams") -> None:
        from _socket import MSG_DONTWAIT, MSG_NOSIGNAL

        self._datagrams = datagrams
        self._socket = sock
        self._no_signal, self._dont_wait = MSG_NOSIGNAL, MSG_NOSIGNAL | MSG_DONTWAIT
        self._messages = self._bytes = 0
        self._begin_process()
        self._woken = True  # by the datagram that handed the other end over

    def _begin_process(self) -> None:
        """In a fork, what waits is its parent's to send, and the lock may be held by nobody."""
        self._process_id = os.getpid()
        self._waiting: list[bytes] = []
        self._lock = threading.Lock()  # of what waits: threads of the function's have spans, too

    def start(self, span: "LibrarySpan", request_id: str) -> None:
        """Sends ``span``."""
        message = {
            "t": "span",
            "id": request_id,
            "trace": span.trace_id,
            "span": span.span_id,
            "parent": span.parent_span_id,
            "flags": span.flags,
            "time": span.start_time_unix_nano,
            "name": span.name,
            "kind": span.kind,
            "scope": span.scope,
            "attributes": span.attributes,
        }
        if span.resource:
            message["resource"] = span.resource
        if span.links:
            message["links"], span.links = span.links, []
        if span.trace_state:
            message["state"] = span.trace_state
        self.send(message)

    def end(self, span: "LibrarySpan", time_ns: int) -> None:
        """Sends ``span-end``."""
        gathered = span.gathered()
        self.send({"t": "span-end", "span": span.span_id, "time": time_ns, **gathered})

    def add_to_invocation(self, record: "SpanRecord", request_id: str) -> None:
        """Sends ``invocation``: what the function's code has added to its span."""
        self.send({"t": "invocation", "id": request_id, **record.gathered()})

    def send(self, message: "dict[str, Any]") -> None:
        """Sends one message, or keeps it until there is room."""
        data = self._datagrams.json(message)
        if self._process_id != os.getpid():
            self._begin_process()
        if len(data) > MAX_MESSAGE_BYTES or len(self._waiting) >= MAX_WAITING:
            self._drop()
        elif self._waiting or not self._sent(data):
            with self._lock:
                self._waiting.append(data)
                self._send_waiting()

    def flush(self) -> None:
        """Sends what waits, before the runner is told of the invocation's end and reads it all."""
        deadline_ns = time.monotonic_ns() + _LAST_WAIT_NS
        with self._lock:
            while self._waiting and time.monotonic_ns() < deadline_ns:
                self._wake()
                if self._sent(self._waiting[0], wait=True):
                    del self._waiting[0]
                    self._send_waiting()
        self._messages = self._bytes = 0

    def close(self) -> None:
        """Closes this end."""
        self._socket.close()

    def _send_waiting(self) -> None:
        sent = 0
        while sent < len(self._waiting) and self._sent(self._waiting[sent]):
            sent += 1
        del self._waiting[:sent]

    def _sent(self, data: bytes, wait: bool = False) -> bool:
        """Whether ``data`` has found room, after 5 ms at most."""
        try:
            self._socket.send(data, self._no_signal if wait else self._dont_wait)
        except BlockingIOError:
            return False
        except OSError:  # the runner is gone
            self._drop()
            return True
        self._messages += 1
        self._bytes += len(data)
        if self._messages >= _MESSAGES_UNTIL_WAKE or self._bytes >= _BYTES_UNTIL_WAKE:
            self._wake()
        return True

    def _wake(self) -> None:
        self._messages = self._bytes = 0
        if self._woken and not self._is_answered():
            return
        self._woken = self._datagrams.wake()

    def _is_answered(self) -> bool:
        try:
            return bool(self._socket.recv(1, self._dont_wait))
        except OSError:
            return False

    def _drop(self) -> None:
        self._datagrams.count_dropped()
        report_once("span dropped", "a span was too large, or found no room on its way out")
