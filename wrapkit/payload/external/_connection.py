"""A connection to one endpoint, without blocking: request and answer, one at a time.

Rule 1. It is kept between requests, and over freezes.
Rule 2. A kept connection that turns out to be dead before any answer is replaced by a fresh one,
        and the request made and sent again, once. A fresh connection that dies is a failure.
Rule 3. Each request ends in one call, of ``answered`` or of ``failed``, unless it is given up.
Rule 4. Through a proxy, https is spoken within a tunnel (CONNECT, RFC 9110, 9.3.6), so that the
        proxy sees a host and a port; what is plain it sees whole.
"""

import _socket

from ...lifecycle import Head, HttpError, Message, MessageReader, request_bytes
from .. import _tls
from ._loop import READ, WRITE
from ._resolver import Resolution, numeric_addresses

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Any, Callable, Optional, Union

    from .._otlp_http import Target
    from ._loop import Loop
    from ._proxy import Proxy

# An answer to an export has a sentence, a secret 64 KiB at most.
MAX_ANSWER_BYTES = 1024 * 1024
_READ_BYTES = 65536
# For one system call; the kernel takes 1024.
_MAX_PIECES = 512
_IN_PROGRESS = (0, 115, 114)  # EINPROGRESS, EALREADY

# What the socket is at.
_CLOSED, _CONNECTING, _TUNNELLING, _OPEN = range(4)


class Connection:
    """A client of ``target``. ``new_context`` makes the TLS context, when the first is needed."""

    __slots__ = (
        "_addresses",
        "_answered",
        "_context",
        "_failed",
        "_fresh",
        "_heard",
        "_loop",
        "_make_request",
        "_new_context",
        "_next_address",
        "_proxy",
        "_rank",
        "_reader",
        "_resolution",
        "_sock",
        "_stage",
        "_target",
        "_tls",
        "_unsent",
    )

    def __init__(
        self,
        loop: "Loop",
        rank: int,
        target: "Target",
        new_context: "Callable[[], SSLContext]",
        proxy: "Optional[Proxy]" = None,
    ) -> None:
        self._loop = loop
        self._rank = rank
        self._target = target
        self._new_context = new_context
        self._proxy = proxy
        self._context: Optional[SSLContext] = None
        self._answered: Optional[Callable[[Message], None]] = None
        self._failed: Callable[[str], None] = _ignore
        self._make_request: Callable[[], list[bytes]] = list
        self._unsent: list[Union[bytes, memoryview]] = []  # not joined: a request may have 4 MiB
        self._sock: Optional[_socket.socket] = None
        self._stage = _CLOSED
        self._fresh = True
        self._heard = False
        self._reader = MessageReader(requests=False, max_body_bytes=MAX_ANSWER_BYTES)
        self._tls: Optional[_tls.TlsStream] = None
        self._addresses: list[tuple[int, Any]] = []
        self._next_address = 0
        self._resolution: Optional[Resolution] = None

    # What the owner calls

    def ask(
        self,
        make_request: "Callable[[], list[bytes]]",
        answered: "Callable[[Message], None]",
        failed: "Callable[[str], None]",
    ) -> None:
        """Sends the pieces that ``make_request`` makes, at the moment it can be sent; it is called
        again when the request has to be sent again, which may be after a freeze.
        """
        self._make_request, self._answered, self._failed = make_request, answered, failed
        if self._sock is not None and self._is_alive():
            self._fresh = False
            self._guard(self._start_sending)
        else:
            self._restart()

    def give_up(self) -> None:
        """Closes the connection; the request that is outstanding gets no answer any more."""
        self._forget()
        self._close()
        self._addresses = []

    # From a name to a connection

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
        if self._stage == _CONNECTING and self._next_address < len(self._addresses):
            self._close()
            self._guard(self._connect)
        elif self._stage == _OPEN and not self._fresh and not self._heard:
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
        peer = self._proxy or self._target
        self._addresses = numeric_addresses(peer.host, peer.port)
        if self._addresses:
            self._guard(self._connect)
        else:
            ask = self._loop, peer.host, peer.port, self._rank, self._resolved
            self._resolution = Resolution(*ask)

    def _resolved(self, found: "Any") -> None:
        self._resolution = None
        if isinstance(found, OSError):
            whose = "the proxy's" if self._proxy else "its"
            self._fail(f"{whose} name has no address ({found.strerror})")
        else:
            self._addresses = found
            self._guard(self._connect)

    def _connect(self) -> None:
        family, address = self._addresses[self._next_address]
        self._next_address += 1
        if self._target.tls:
            self._context = self._context or self._new_context()
            self._tls = _tls.TlsStream(self._context, self._target.host)
        self._sock = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self._sock.setblocking(False)
        self._stage = _CONNECTING
        status = self._sock.connect_ex(address)
        self._loop.watch(self._sock.fileno(), READ | WRITE, self._rank, self._ready)
        if status not in _IN_PROGRESS:
            raise _os_error(status)

    def _ready(self, readiness: int) -> None:
        if self._answered is None:
            # The endpoint closed the idle connection, or said what nobody asked for.
            self._close()
        elif self._stage == _CONNECTING:
            self._guard(self._finish_connecting)
        else:
            self._guard(lambda: self._exchange(readiness))

    def _finish_connecting(self) -> None:
        assert self._sock is not None  # noqa: S101 - it is what became ready
        status = self._sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
        if status:
            raise _os_error(status)
        self._sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        if self._proxy is not None and self._target.tls:
            self._stage = _TUNNELLING
            self._reader = MessageReader(requests=False)
            host = self._target.host
            place = f"{f'[{host}]' if ':' in host else host}:{self._target.port}"
            self._unsent = [request_bytes("CONNECT", place, place, self._proxy.headers)]
            self._send()
        else:
            self._start_sending()

    def _take_tunnel(self, data: bytes) -> None:
        if not data:
            raise ConnectionResetError(104, "the proxy closed the connection")
        self._reader.receive(data)
        head = self._reader.next_part()
        if not isinstance(head, Head):
            return
        if 200 <= head.status < 300:
            self._start_sending()
        else:
            self._fail(f"the proxy answered {head.status}")

    # The exchange

    def _start_sending(self) -> None:
        self._stage = _OPEN
        self._heard = False
        self._reader = MessageReader(requests=False, max_body_bytes=MAX_ANSWER_BYTES)
        pieces = self._make_request()
        if self._tls is not None:
            pieces = [self._tls.send(piece) for piece in pieces]
        self._unsent = [piece for piece in pieces if piece]
        self._send()

    def _send(self) -> None:
        assert self._sock is not None  # noqa: S101 - only called while connected
        try:
            while self._unsent:
                sent = self._sock.sendmsg(self._unsent[:_MAX_PIECES])
                self._unsent = _behind(self._unsent, sent)
        finally:
            self._loop.change(self._sock.fileno(), READ | WRITE if self._unsent else READ)

    def _exchange(self, readiness: int) -> None:
        assert self._sock is not None  # noqa: S101 - it is what became ready
        if readiness & READ:
            data = self._sock.recv(_READ_BYTES)
            if self._stage == _TUNNELLING:
                self._take_tunnel(data)
            else:
                self._read(data)
        elif self._unsent:
            self._send()

    def _read(self, data: bytes) -> None:
        plain = data
        if self._tls is not None:
            plain, answer = self._tls.receive(data)
            if answer:
                self._unsent.append(answer)
                self._send()
        if not data and not plain and not self._heard:
            raise ConnectionResetError(104, "it closed the connection without an answer")
        if plain or not data:
            self._heard = True
            self._reader.receive(plain)
            message = self._next_message()
            if message is not None:
                self._finish(message)

    def _next_message(self) -> "Optional[Message]":
        """The answer; of a body that is too long only the status and the headers, which say what
        became of the request. Sending it again would make it arrive twice.
        """
        try:
            return self._reader.next_message()
        except HttpError as error:
            head = self._reader.head
            if error.status != 413 or head is None:
                raise
            head.keep_alive = False  # the rest of the body is on its way
            return Message(head, b"", {})

    def _finish(self, message: "Message") -> None:
        if self._unsent or not message.head.keep_alive:
            self._close()
        answered = self._answered
        self._forget()
        if answered is not None:
            answered(message)

    def _fail(self, reason: str) -> None:
        failed = self._failed
        self.give_up()
        failed(reason)

    def _forget(self) -> None:
        """Lets the request go: it holds a body of up to 4 MiB."""
        self._answered = None
        self._make_request, self._failed = list, _ignore

    def _close(self) -> None:
        if self._resolution is not None:
            self._resolution.cancel()
            self._resolution = None
        sock, self._sock = self._sock, None
        self._stage = _CLOSED
        self._tls = None
        self._unsent = []
        if sock is not None:
            self._loop.forget(sock.fileno())
            sock.close()


def _behind(
    pieces: "list[Union[bytes, memoryview]]", sent: int
) -> "list[Union[bytes, memoryview]]":
    """What is left of the pieces, none of which is empty, behind their first ``sent`` bytes."""
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return [memoryview(piece)[sent:], *pieces[index + 1 :]]
        sent -= len(piece)
    return []


def _ignore(_reason: str) -> None:
    pass


def _os_error(status: int) -> OSError:
    from posix import strerror

    return OSError(status, strerror(status))
