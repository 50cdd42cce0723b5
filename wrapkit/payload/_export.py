"""The blocking exporter of internal mode: one POST before the response, bounded by a deadline.

Raw ``_socket``: ``http.client`` costs 17 to 42 ms to import, and its connection object 100 us a
request.
"""

import _socket
import _thread
import time

from . import _tls
from ._otlp_http import DELIVERED, export_request, outcome, parse_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any, Optional

    from ._env_export import ExportSettings

_READ_BYTES = 65536


class ExportError(Exception):
    """An export that was not delivered; its text has no value of a header or URL in it."""


class _StaleConnectionError(Exception):
    """The kept connection turned out to be dead before any answer."""


class Exporter:
    """Exports requests of one signal over a connection that is kept between invocations.

    ``ValueError`` on construction when the settings' URL is not usable.
    """

    def __init__(self, settings: "ExportSettings") -> None:
        self._settings = settings
        self._target = parse_url(settings.url)
        self._context: Optional[SSLContext] = None
        self._connection: Optional[_Connection] = None

    def export(self, body: bytes, timeout_ms: int) -> None:
        """Posts one ``Export*ServiceRequest``; ``ExportError`` when it was not delivered in time.

        A connection that died while the environment was frozen is replaced by a fresh one, once.
        """
        timeout_ms = min(timeout_ms, self._settings.timeout_ms)
        deadline = time.monotonic() + timeout_ms / 1000
        try:
            status = self._status(export_request(self._target, self._settings, body), deadline)
        except OSError as error:
            self.close()
            raise ExportError(_words(error)) from error
        if outcome(status) != DELIVERED:
            raise ExportError(f"the endpoint answered {status}")

    def _status(self, request: bytes, deadline: float) -> int:
        if self._connection is not None and not self._connection.is_stale():
            try:
                return self._exchange(self._connection, request, deadline)
            except _StaleConnectionError:
                pass
        self.close()
        self._connection = self._connect(deadline)
        try:
            return self._exchange(self._connection, request, deadline)
        except _StaleConnectionError as error:
            self.close()
            raise ExportError("the endpoint closed the connection without an answer") from error

    def _exchange(self, connection: "_Connection", request: bytes, deadline: float) -> int:
        from ..lifecycle import HttpError

        try:
            status, keep_alive = connection.exchange(request, deadline)
        except HttpError as error:
            self.close()
            raise ExportError("the endpoint's answer is not HTTP/1.1") from error
        if not keep_alive:
            self.close()
        return status

    def _connect(self, deadline: float) -> "_Connection":
        target = self._target
        tls = None
        if target.tls:
            self._context = self._context or _tls.tls_context(self._settings)
            tls = _tls.TlsStream(self._context, target.host)
        error: OSError = OSError(0, "the host name has no address")
        for family, address in addresses(target.host, target.port, _remaining(deadline)):
            sock = _socket.socket(family, _socket.SOCK_STREAM)
            try:
                sock.settimeout(_remaining(deadline))
                sock.connect(address)
            except OSError as refused:
                sock.close()
                error = refused
            else:
                sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
                return _Connection(sock, tls)
        raise error

    def close(self) -> None:
        """Closes the kept connection; the next export opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Connection:
    __slots__ = ("_reader", "_sock", "_tls")

    def __init__(self, sock: "_socket.socket", tls: "Optional[_tls.TlsStream]") -> None:
        from ..lifecycle import MessageReader

        self._sock = sock
        self._tls = tls
        self._reader = MessageReader(requests=False)

    def is_stale(self) -> bool:
        """Whether something is waiting to be read: between answers that can only be the peer's
        goodbye.
        """
        # A socket with a timeout waits for data before it calls recv, MSG_DONTWAIT or not.
        self._sock.setblocking(False)
        try:
            self._sock.recv(1, _socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def exchange(self, request: bytes, deadline: float) -> "tuple[int, bool]":
        """Status of the answer, and whether the connection may be used again."""
        heard = False
        try:
            self._send(self._tls.send(request) if self._tls else request, deadline)
            while True:
                message = self._reader.next_message()
                if message is not None:
                    return message.head.status, message.head.keep_alive
                data = self._receive(deadline)
                if not data and not heard:
                    raise _StaleConnectionError
                heard = True
                self._reader.receive(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            if heard:
                raise
            raise _StaleConnectionError from error

    def _send(self, data: bytes, deadline: float) -> None:
        self._sock.settimeout(_remaining(deadline))
        self._sock.sendall(data)

    def _receive(self, deadline: float) -> bytes:
        """The next plain bytes, ``b""`` at the end of the stream."""
        while True:
            self._sock.settimeout(_remaining(deadline))
            data = self._sock.recv(_READ_BYTES)
            if self._tls is None:
                return data
            plain, answer = self._tls.receive(data)
            if answer:
                self._send(answer, deadline)
            if plain or not data:
                return plain

    def close(self) -> None:
        self._sock.close()


def addresses(host: str, port: int, timeout_s: float) -> "list[tuple[int, Any]]":
    """(family, address) pairs to try in turn. ``OSError`` when the name has none, or not within the
    time.

    ``getaddrinfo`` cannot be given a timeout (a dead name server makes it wait 10 s and more), so
    it runs in a thread of its own, which is left behind when it is late.
    """
    found: list[Any] = []
    done = _thread.allocate_lock()
    done.acquire()

    def resolve() -> None:
        try:
            found.extend(_socket.getaddrinfo(host.encode(), port, 0, _socket.SOCK_STREAM))
        except OSError as error:
            found.append(error)
        finally:
            done.release()

    _thread.start_new_thread(resolve, ())
    if not done.acquire(True, timeout_s):
        raise TimeoutError(0, "the host name was not resolved in time")
    if isinstance(found[0], OSError):
        raise found[0]
    return [(entry[0], entry[4]) for entry in found]


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError(0, "no answer in time")
    return remaining


def _words(error: OSError) -> str:
    return error.strerror or type(error).__name__
