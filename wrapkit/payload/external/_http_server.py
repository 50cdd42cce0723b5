"""Answers HTTP requests on a listening socket, for OTLP and for the platform's telemetry."""

from ...lifecycle import Head, HttpError, MessageReader, response_bytes
from .._report import report_once
from ._loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from typing import Callable, Optional

    from ._loop import Loop

    Take = Callable[[Head, list[bytes]], bytes]

# What may be in memory of bodies that have not come to their end: as much as may be queued of those
# that have. A sender beyond that is told to come again, as OTLP asks of a server that is busy.
MAX_RECEIVING_BYTES = 8 * 1024 * 1024
# A function may open 1024 files in all; SDKs keep one connection open for each signal.
MAX_CONNECTIONS = 128
_READ_BYTES = 1024 * 1024
# A head, and the body of a small request. Of a large one little more than the head should come with
# it: the rest is passed on without a copy.
_HEAD_BYTES = 8 * 1024
# Linux' number of SO_RCVLOWAT, which ``_socket`` has no name for in every version of Python.
_SOL_SOCKET, _SO_RCVLOWAT = 1, 18


def _nobody_is_told(_status: int, _reason: str) -> None:
    pass


class HttpServer:
    """Accepts connections; ``take`` gets each request's head and the pieces of its body as they
    came, and returns the answer. ``refused`` is told of a request that never gets there: status
    and reason.
    """

    def __init__(
        self,
        loop: "Loop",
        listener: "_socket.socket",
        *,
        rank: int,
        take: "Take",
        max_body_bytes: int,
        refused: "Callable[[int, str], object]" = _nobody_is_told,
    ) -> None:
        self.loop = loop
        self.refused = refused
        self.rank = rank
        self.take = take
        self.max_body_bytes = max_body_bytes
        self.receiving_bytes = 0
        self._listener = listener
        self._connections: set[_Connection] = set()
        loop.watch(listener.fileno(), READ, rank, self._accept)

    def _accept(self, _readiness: int) -> None:
        from _socket import socket

        while len(self._connections) < MAX_CONNECTIONS:
            try:
                # The raw socket's own accept: it gives a file descriptor, close-on-exec.
                fd, _address = self._listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError as error:
                report_once("accept", "a connection could not be accepted", error)
                if not self._connections:
                    return
                break  # too many open files: poll would say at once that it still waits
            sock = socket(fileno=fd)
            sock.setblocking(False)
            self._connections.add(_Connection(self, sock))
        # The rest waits in the kernel until a connection ends.
        self.loop.change(self._listener.fileno(), 0)

    def ended(self, connection: "_Connection") -> None:
        """Called by a connection that has closed itself."""
        self._connections.discard(connection)
        self.loop.change(self._listener.fileno(), READ)


class _Connection:
    __slots__ = (
        "_body",
        "_body_bytes",
        "_head",
        "_keep_open",
        "_reader",
        "_server",
        "_sock",
        "_unsent",
        "_wakes_for",
    )

    def __init__(self, server: HttpServer, sock: "_socket.socket") -> None:
        self._server = server
        self._sock = sock
        self._reader = MessageReader(requests=True)
        self._head: Optional[Head] = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._keep_open = True
        self._unsent = b""
        self._wakes_for = 1
        server.loop.watch(sock.fileno(), READ, server.rank, self._ready)

    def _ready(self, readiness: int) -> None:
        try:
            if self._unsent:
                if readiness & WRITE:
                    self._send(b"")
                    self._parse()  # the requests that were read before the answer got stuck
            elif readiness & READ:
                self._read()
        except BlockingIOError:
            pass
        except OSError:
            self.close()  # the peer has gone; what it wanted to know is of no interest any more

    def _read(self) -> None:
        to_come, wanted, data = 0, 0, b""
        while len(data) == wanted:  # else the socket is empty now
            wanted = min(_READ_BYTES, to_come or _HEAD_BYTES)
            data = self._sock.recv(wanted)
            self._reader.receive(data)
            self._parse()
            if not data and not self._unsent:
                self.close()
            if self._sock.fileno() < 0:
                return
            to_come = self._reader.body_bytes_to_come
            if not to_come:
                break
        self._wake_for(to_come)

    def _wake_for(self, size: int) -> None:
        """Has the loop woken when so many bytes have come, or the stream has ended: each turn of it
        costs as much as copying 100 KB.
        """
        wanted = min(size, _READ_BYTES) or 1
        if wanted != self._wakes_for:
            self._wakes_for = wanted
            self._sock.setsockopt(_SOL_SOCKET, _SO_RCVLOWAT, wanted)

    def _parse(self) -> None:
        try:
            self._handle_parts()
        except HttpError as error:
            self._keep_open = False
            self._release()
            self._server.refused(error.status, error.message)
            self._send(response_bytes(error.status, (("Connection", "close"),)))

    def _handle_parts(self) -> None:
        # While an answer waits for a slow reader no further request is taken: what is unsent stays
        # bounded.
        while self._keep_open and not self._unsent:
            part = self._reader.next_part()
            if part is None:
                return
            if isinstance(part, Head):
                self._begin(part)
            elif isinstance(part, bytes):
                self._collect(part)
            else:
                self._answer()

    def _begin(self, head: Head) -> None:
        self._head = head
        if int(head.headers.get("content-length", "0")) > self._server.max_body_bytes:
            raise HttpError(413, "the body is too long")
        if head.expects_continue:
            self._send(response_bytes(100))

    def _collect(self, piece: bytes) -> None:
        self._body_bytes += len(piece)
        self._server.receiving_bytes += len(piece)
        self._body.append(piece)
        if self._body_bytes > self._server.max_body_bytes:
            raise HttpError(413, "the body is too long")
        if self._server.receiving_bytes > MAX_RECEIVING_BYTES:
            raise HttpError(503, "too many bodies at once")

    def _release(self) -> "list[bytes]":
        """The body so far, which is not this connection's any more."""
        body, self._body = self._body, []
        self._server.receiving_bytes -= self._body_bytes
        self._body_bytes = 0
        return body

    def _answer(self) -> None:
        head = self._head
        assert head is not None  # noqa: S101 - the reader gives the head first
        body = self._release()
        self._keep_open = head.keep_alive
        self._send(self._server.take(head, body))

    def _send(self, data: bytes) -> None:
        self._unsent += data
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._server.loop.change(self._sock.fileno(), WRITE)
        elif not self._keep_open:
            self.close()
        else:
            self._server.loop.change(self._sock.fileno(), READ)

    def close(self) -> None:
        self._release()
        if self._sock.fileno() >= 0:
            self._server.loop.forget(self._sock.fileno())
            self._sock.close()
            self._server.ended(self)
