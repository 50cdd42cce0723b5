"""The sink's socket: OTLP/HTTP as its specification says it, answered request by request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import zlib
from typing import TYPE_CHECKING, cast

from wrapkit.lifecycle import HttpError, MessageReader, response_bytes

from .._errors import DiagnosticError
from ._decoding import MalformedExportError, decode_request
from ._model import ReceivedRequest, Signal
from ._store import TelemetryStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from wrapkit.lifecycle import Message

PATHS: Mapping[str, Signal] = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}
PROTOBUF = "application/x-protobuf"
JSON = "application/json"

# As the collector's receiver bounds it by default (confighttp, max_request_body_size), so that a
# small compressed body cannot fill the memory.
MAX_DECOMPRESSED_BYTES = 20 * 1024 * 1024
READ_BYTES = 64 * 1024


class RefusedError(Exception):
    """A request that is answered with an HTTP error and a `Status`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class OtlpSink:
    """An OTLP/HTTP receiver on the loopback; an asynchronous context manager.

    Takes traces, metrics and logs as protobuf or JSON, plain or gzip, and keeps them in `store`.
    `port` 0 lets the kernel choose. Without `decode_on_arrival` bodies wait, unread, for the
    store's `decode_pending`: a benchmark must not measure its own backend. Raises
    `DiagnosticError` when the port is taken.
    """

    def __init__(
        self, port: int = 0, host: str = "127.0.0.1", *, decode_on_arrival: bool = True
    ) -> None:
        self.store = TelemetryStore()
        self._decode_on_arrival = decode_on_arrival
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        """What `OTEL_EXPORTER_OTLP_ENDPOINT` is set to."""
        return f"http://{self._host}:{self._port}"

    async def __aenter__(self) -> OtlpSink:
        try:
            self._server = await asyncio.start_server(self._accept, self._host, self._port)
        except OSError as error:
            raise DiagnosticError(
                "sink-port-unavailable",
                f"the sink cannot listen on {self._host}:{self._port}: {error.strerror or error}",
                "let the kernel choose a port, or end the program that has this one",
            ) from error
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # start_server gives no hold of the tasks it makes; without one an open connection would
        # outlive the sink.
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        messages = MessageReader(requests=True, max_body_bytes=MAX_DECOMPRESSED_BYTES)
        keep_alive = True
        while keep_alive:
            try:
                message = await _next_message(messages, reader)
            except HttpError as error:
                writer.write(_refusal(error.status, str(error), PROTOBUF, keep_alive=False))
                return
            if message is None:
                return
            keep_alive = message.head.keep_alive
            writer.write(await self._answer(message, keep_alive=keep_alive))
            await writer.drain()

    async def _answer(self, message: Message, *, keep_alive: bool) -> bytes:
        content_type = _media_type(message.head.headers)
        try:
            await self._take(message, content_type)
        except RefusedError as error:
            return _refusal(error.status, str(error), content_type, keep_alive=keep_alive)
        body = b"{}" if content_type == JSON else b""
        return response_bytes(200, _headers(content_type, keep_alive=keep_alive), body)

    async def _take(self, message: Message, content_type: str) -> None:
        signal = _signal(message)
        if content_type not in (PROTOBUF, JSON):
            raise RefusedError(415, f"neither {PROTOBUF} nor {JSON}: {content_type!r}")
        body = _decompressed(message)
        headers = message.head.headers
        request = ReceivedRequest(
            signal=signal,
            content_type=content_type,
            content_encoding=headers.get("content-encoding", ""),
            headers=dict(headers),
            wire_bytes=len(message.body),
            body_bytes=len(body),
            received_unix_nano=time.time_ns(),
        )
        if not self._decode_on_arrival:
            self.store.add_undecoded(request, body)
            return
        try:
            items = decode_request(signal, body, is_json=request.is_json)
        except MalformedExportError as error:
            raise RefusedError(400, str(error)) from error
        await self.store.add(request, items)


async def _next_message(messages: MessageReader, reader: asyncio.StreamReader) -> Message | None:
    """The next request, or None when the peer closed between two; raises `HttpError`."""
    while (message := messages.next_message()) is None:
        if messages.closed:
            return None
        messages.receive(await reader.read(READ_BYTES))
    return message


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _signal(message: Message) -> Signal:
    path = message.head.target.partition("?")[0]
    if path not in PATHS:
        raise RefusedError(404, f"no such path: {path}")
    if message.head.method != "POST":
        raise RefusedError(405, f"{path} takes POST only")
    return PATHS[path]


def _decompressed(message: Message) -> bytes:
    encoding = message.head.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return message.body
    if encoding != "gzip":
        raise RefusedError(415, f"unknown Content-Encoding: {encoding!r}")
    # 16 + MAX_WBITS: a gzip header and trailer (zlib manual, inflateInit2).
    decompressor = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = decompressor.decompress(message.body, MAX_DECOMPRESSED_BYTES)
    except zlib.error as error:
        raise RefusedError(400, f"not gzip: {error}") from error
    if decompressor.unconsumed_tail:
        raise RefusedError(413, f"more than {MAX_DECOMPRESSED_BYTES} bytes after decompression")
    if not decompressor.eof:
        raise RefusedError(400, "the gzip stream is cut short")
    return body


def _headers(content_type: str, *, keep_alive: bool) -> list[tuple[str, str]]:
    headers = [("Content-Type", content_type)]
    return headers if keep_alive else [*headers, ("Connection", "close")]


def _refusal(status: int, message: str, content_type: str, *, keep_alive: bool) -> bytes:
    """An error answer; its body is a `google.rpc.Status` (OTLP/HTTP, "Failures")."""
    if content_type == JSON:
        body = json.dumps({"message": message}).encode()
    else:
        content_type, body = PROTOBUF, _status_protobuf(message)
    return response_bytes(status, _headers(content_type, keep_alive=keep_alive), body)


def _status_protobuf(message: str) -> bytes:
    """`Status` with its field 2, `message`, only: one field needs no dependency on googleapis."""
    text = message.encode()[:16_383]  # two bytes of varint
    length = len(text)
    prefix = bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])
    return b"\x12" + prefix + text
