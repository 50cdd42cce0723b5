"""An HTTP server on the loopback: bytes to requests and answers to bytes.

The APIs of the execution environment and Lambda's Invoke API stand on it.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from abc import ABC, abstractmethod
from typing import cast

from wrapkit.lifecycle import (
    End,
    Head,
    HttpError,
    MessageReader,
    error_answer,
)

from ._errors import USAGE, DiagnosticError

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Exchange(ABC):
    """One request being read and answered. ``connection.answer`` may come at once or much later."""

    @abstractmethod
    def take(self, piece: bytes) -> None:
        """A piece of the body."""

    @abstractmethod
    def finish(self, trailers: dict[str, str]) -> None:
        """The request is complete."""

    @abstractmethod
    def abandon(self) -> None:
        """The peer closed the connection, within the request or while it waited for the answer."""


class Application(ABC):
    """What answers the requests."""

    @abstractmethod
    def begin(self, connection: Connection, head: Head) -> Exchange:
        """A request's head has arrived; raises nothing, since an answer can only be given after the
        body.
        """


class Connection(asyncio.Protocol):
    """One connection: requests are read one at a time, the next only after the answer."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._reader = MessageReader(requests=True)
        self._transport: asyncio.Transport | None = None
        self._exchange: Exchange | None = None
        self._awaiting_answer = False
        self._keep_alive = True
        self._lost = False

    @property
    def closed(self) -> bool:
        """Whether the connection has come and gone."""
        return self._lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        peer: socket.socket = transport.get_extra_info("socket")
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._reader.receive(data)
        self._read()

    def eof_received(self) -> bool:
        self._reader.receive(b"")
        self._read()
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        self._transport = None
        self._lost = True
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.abandon()

    def _read(self) -> None:
        try:
            while not self._awaiting_answer and (part := self._reader.next_part()) is not None:
                self._take(part)
        except HttpError as error:
            self._keep_alive = False
            exchange, self._exchange = self._exchange, None
            if exchange is not None:
                exchange.abandon()
            self.answer(error_answer(error.status, "InvalidRequest", error.message))

    def _take(self, part: Head | bytes | End) -> None:
        if isinstance(part, Head):
            self._keep_alive = part.keep_alive
            self._exchange = self._application.begin(self, part)
            if part.expects_continue and self._transport is not None:
                self._transport.write(_CONTINUE)
        elif self._exchange is None:
            return
        elif isinstance(part, End):
            self._awaiting_answer = True
            self._exchange.finish(part.trailers)
        else:
            self._exchange.take(part)

    def answer_part(self, part: bytes) -> None:
        """Sends a part of the response; ``answer`` sends the last one."""
        if self._transport is not None:
            self._transport.write(part)

    def answer(self, response: bytes) -> None:
        """Sends the whole response, or its rest, in one write, and goes on to the next request."""
        self._exchange = None
        self._awaiting_answer = False
        if self._transport is None:
            return
        self._transport.write(response)
        if not self._keep_alive:
            self._transport.close()
        elif not self._reader.between_messages:
            asyncio.get_running_loop().call_soon(self._read)

    def close(self) -> None:
        """Closes without an answer."""
        if self._transport is not None:
            self._transport.abort()


class Server:
    """The listening socket and its connections; ``name`` is what an error calls the API."""

    def __init__(self, application: Application, name: str) -> None:
        self._application, self._name = application, name
        self._connections: list[Connection] = []
        self._server: asyncio.Server | None = None
        self.address = ""

    async def start(self, port: int) -> None:
        """Listens on the loopback; ``DiagnosticError`` when the port is taken. Port 0 takes any."""
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connect, "127.0.0.1", port
            )
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise DiagnosticError(
                "port-not-available",
                # Not the error's own words, in which asyncio says all of this again.
                f"{self._name} cannot listen on 127.0.0.1:{port}: {os.strerror(error.errno)}",
                "choose another port, or 0 for any that is free",
                USAGE,
            ) from error
        host, chosen = self._server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{chosen}"

    def _connect(self) -> Connection:
        self._connections = [one for one in self._connections if not one.closed]
        connection = Connection(self._application)
        self._connections.append(connection)
        return connection

    def stop_listening(self) -> None:
        """Takes no more connections; those that are open go on."""
        if self._server is not None:
            self._server.close()

    def close(self) -> None:
        """Stops listening and drops every connection."""
        self.stop_listening()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
