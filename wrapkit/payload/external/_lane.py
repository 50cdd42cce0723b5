"""The connection to one endpoint: a non-blocking state machine that exports batch after batch.

Rule 1. One request is outstanding at a time; the connection is kept between them, and over freezes.
Rule 2. A kept connection that turns out to be dead before any answer is replaced by a fresh one,
and
        the request sent again, once. A fresh connection that dies is a failure.
Rule 3. A batch leaves the lane in one of three ways: delivered, dropped (the endpoint refused it
        for good), or put back into the outbox. After the last the lane is done with this flush.
Rule 4. After a failure the endpoint is left alone for a while, so that a dead backend does not cost
        every invocation a timeout. A flush that is the last one tries all the same.
"""

import _socket

from ...lifecycle import HttpError, MessageReader
from .. import _otlp_http, _tls
from .._report import report, report_once
from ._loop import READ, WRITE
from ._resolver import Resolution, numeric_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any, Callable, Optional

    from ...lifecycle import Message
    from .._env import ExportSettings
    from ._loop import Loop
    from ._outbox import Batch, Outbox

_READ_BYTES = 65536
_IN_PROGRESS = (0, 115, 114)  # EINPROGRESS, EALREADY
# The OTLP specification asks for exponential backoff; its exporters go from 1 s up to some 30 s.
_FIRST_BACKOFF_MS = 1_000
_MAX_BACKOFF_MS = 30_000
_MAX_RETRY_AFTER_MS = 300_000


class Lane:
    """Exports the signals that go to one endpoint; ``busy`` while a flush is under way."""

    def __init__(
        self,
        loop: "Loop",
        outbox: "Outbox",
        *,
        rank: int,
        now_ms: "Callable[[], float]",
        user_agent: str,
    ) -> None:
        self._loop = loop
        self._outbox = outbox
        self._rank = rank
        self._now_ms = now_ms
        self._user_agent = user_agent
        self._signals: list[tuple[str, ExportSettings, _otlp_http.Target]] = []
        self._done: Optional[Callable[[], None]] = None
        self._flush_deadline_ms = 0.0
        self._deadline_ms = 0.0
        self._batch: Optional[Batch] = None
        self._request = b""
        self._unsent = memoryview(b"")  # sliced without copying: a request may have 4 MiB
        self._sock: Optional[_socket.socket] = None
        self._fresh = True
        self._connected = False
        self._heard = False
        self._reader = MessageReader(requests=False)
        self._tls: Optional[_tls.TlsStream] = None
        self._context: Optional[SSLContext] = None
        self._addresses: list[tuple[int, Any]] = []
        self._next_address = 0
        self._resolution: Optional[Resolution] = None
        self._backoff_ms = 0
        self._not_before_ms = 0.0

    def serve(self, signal: str, settings: "ExportSettings", target: _otlp_http.Target) -> None:
        """Lets ``signal`` go this way; all targets of a lane share one connection."""
        self._signals.append((signal, settings, target))

    @property
    def busy(self) -> bool:
        """Whether a flush is under way."""
        return self._done is not None

    # The flush

    def flush(self, deadline_ms: float, done: "Callable[[], None]", *, last: bool) -> None:
        """Exports what waits and calls ``done`` when no more of it can be sent before the
        deadline.
        """
        self._done = done
        self._flush_deadline_ms = deadline_ms
        if self._now_ms() < self._not_before_ms and not last:
            self._finish()
        else:
            self._next_batch()

    def hurry(self, deadline_ms: float) -> None:
        """Ends the flush that is under way, if any, by an earlier deadline."""
        self._flush_deadline_ms = min(self._flush_deadline_ms, deadline_ms)
        self._deadline_ms = min(self._deadline_ms, deadline_ms)

    def _next_batch(self) -> None:
        for signal, settings, target in self._signals:
            batch = self._outbox.take(signal)
            if batch is not None:
                self._begin(batch, settings, target)
                return
        self._finish()

    def _finish(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()

    def next_deadline_ms(self) -> "Optional[float]":
        """When the outstanding request is given up."""
        return self._deadline_ms if self._batch is not None else None

    def expire(self, _now_ms: float) -> None:
        """Gives the outstanding request up; it may be sent again later."""
        self._fail("no answer in time")

    # One request

    def _begin(self, batch: "Batch", settings: "ExportSettings", target: _otlp_http.Target) -> None:
        self._batch = batch
        self._settings, self._target = settings, target
        self._deadline_ms = min(self._flush_deadline_ms, self._now_ms() + settings.timeout_ms)
        self._request = _otlp_http.export_request(
            target,
            settings,
            batch.body,
            content_type=batch.content_type,
            user_agent=self._user_agent,
        )
        if self._sock is not None and self._is_alive():
            self._fresh = False
            self._guard(self._start_sending)
        else:
            self._restart()

    def _is_alive(self) -> bool:
        """Whether nothing waits to be read: between answers that is only ever the peer's
        goodbye.
        """
        assert self._sock is not None  # noqa: S101 - asked by the caller
        try:
            self._sock.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def _guard(self, step: "Callable[[], None]") -> None:
        """Takes one step of the outstanding request, and what goes wrong in it."""
        try:
            step()
        except BlockingIOError:
            pass
        except OSError as error:
            self._lost(error.strerror or type(error).__name__)
        except HttpError as error:
            self._fail(f"its answer is not HTTP/1.1 ({error.message})")

    def _lost(self, reason: str) -> None:
        """The connection is gone: try the next address, or a fresh connection, or fail."""
        if not self._connected and self._next_address < len(self._addresses):
            self._close()
            self._guard(self._connect)
        elif self._connected and not self._fresh and not self._heard:
            self._restart()
        else:
            self._fail(reason)

    def _restart(self) -> None:
        self._close()
        self._fresh = True
        self._next_address = 0
        if self._addresses:
            self._guard(self._connect)
            return
        host, port = self._target.host, self._target.port
        self._addresses = numeric_addresses(host, port)
        if self._addresses:
            self._guard(self._connect)
        else:
            self._resolution = Resolution(self._loop, host, port, self._rank, self._resolved)

    def _resolved(self, found: "Any") -> None:
        self._resolution = None
        if isinstance(found, OSError):
            self._fail(f"its name has no address ({found.strerror})")
        else:
            self._addresses = found
            self._guard(self._connect)

    def _connect(self) -> None:
        family, address = self._addresses[self._next_address]
        self._next_address += 1
        if self._target.tls:
            self._context = self._context or _tls.tls_context(self._settings)
            self._tls = _tls.TlsStream(self._context, self._target.host)
        self._sock = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self._sock.setblocking(False)
        self._reader = MessageReader(requests=False)
        status = self._sock.connect_ex(address)
        self._loop.watch(self._sock.fileno(), READ | WRITE, self._rank, self._ready)
        if status not in _IN_PROGRESS:
            raise _os_error(status)

    def _ready(self, readiness: int) -> None:
        if self._batch is None:
            # The endpoint closed the idle connection, or said what nobody asked for.
            self._close()
        elif not self._connected:
            self._guard(self._finish_connecting)
        else:
            self._guard(lambda: self._exchange(readiness))

    def _finish_connecting(self) -> None:
        assert self._sock is not None  # noqa: S101 - it is what became ready
        status = self._sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if status:
            raise _os_error(status)
        self._sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._connected = True
        self._start_sending()

    def _start_sending(self) -> None:
        self._heard = False
        self._unsent = memoryview(self._tls.send(self._request) if self._tls else self._request)
        self._send()

    def _send(self) -> None:
        assert self._sock is not None  # noqa: S101 - only called while connected
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        finally:
            self._loop.change(self._sock.fileno(), READ | WRITE if self._unsent else READ)

    def _exchange(self, readiness: int) -> None:
        assert self._sock is not None  # noqa: S101 - it is what became ready
        if readiness & READ:
            self._read(self._sock.recv(_READ_BYTES))
        elif self._unsent:
            self._send()

    def _read(self, data: bytes) -> None:
        plain = data
        if self._tls is not None:
            plain, answer = self._tls.receive(data)
            if answer:
                self._unsent = memoryview(bytes(self._unsent) + answer)
                self._send()
        if not data and not plain and not self._heard:
            raise ConnectionResetError(104, "it closed the connection without an answer")
        if plain or not data:
            self._heard = True
            self._reader.receive(plain)
            message = self._reader.next_message()
            if message is not None:
                self._answered(message)

    # The outcome

    def _answered(self, message: "Message") -> None:
        status = message.head.status
        if self._unsent or not message.head.keep_alive:
            self._close()
        outcome = _otlp_http.outcome(status)
        if outcome == _otlp_http.RETRYABLE:
            self._fail(f"it answered {status}", _retry_after_ms(message))
            return
        batch, self._batch = self._batch, None
        assert batch is not None  # noqa: S101 - its answer this is
        self._request = b""
        self._backoff_ms = 0
        if outcome == _otlp_http.REFUSED:
            self._outbox.drop(batch)
            report_once(
                f"refused {status}",
                f"the endpoint refused {batch.signal}: it answered {status}; they are dropped",
            )
        self._next_batch()

    def _fail(self, reason: str, retry_after_ms: int = 0) -> None:
        batch, self._batch = self._batch, None
        self._request, self._unsent = b"", memoryview(b"")
        self._close()
        self._addresses = []
        if self._backoff_ms == 0:
            report_once(
                f"export {reason}", f"the endpoint {self._target!r} cannot be used: {reason}"
            )
        self._backoff_ms = min(_MAX_BACKOFF_MS, self._backoff_ms * 2 or _FIRST_BACKOFF_MS)
        self._not_before_ms = self._now_ms() + max(self._backoff_ms, retry_after_ms)
        if batch is not None:
            self._outbox.put_back(batch)
        self._finish()

    def _close(self) -> None:
        if self._resolution is not None:
            self._resolution.cancel()
            self._resolution = None
        sock, self._sock = self._sock, None
        self._connected = False
        self._tls = None
        if sock is not None:
            self._loop.forget(sock.fileno())
            sock.close()

    def close(self) -> None:
        """Closes the connection, at the end of the process."""
        if self._batch is not None:
            report(f"the last export to {self._target!r} was cut off")
        self._close()


def _os_error(status: int) -> OSError:
    from posix import strerror

    return OSError(status, strerror(status))


def _retry_after_ms(message: "Message") -> int:
    """Retry-After in seconds; its other form, a date, is not worth a parser."""
    value = message.head.headers.get("retry-after", "")
    if value.isascii() and value.isdigit():
        return min(_MAX_RETRY_AFTER_MS, int(value[:9]) * 1000)
    return 0
