"""HTTP/1.1 framing without I/O: bytes in, messages out, for every socket that wrapkit reads.

The three APIs of the execution environment and OTLP/HTTP are plain HTTP/1.1 (RFC 9112). The
standard library's ``http.client`` costs 31 to 42 ms to import beside the runtime client, and
asyncio has no parser, so the framing stands here once: the emulator's servers, the sink, the
runner's listeners and its clients all read with ``MessageReader``.

Rule 1. A reader owns one direction of one connection; what follows a message stays for the next.
Rule 2. What could be read in two ways is refused (RFC 9112, 11.2): two framings at once, a folded
        header line, a length that is not a plain number.
Rule 3. Nothing is unbounded: the head has a limit, and so has a body that is collected as a whole.
"""

from ._errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Union

    Part = Union["Head", bytes, "End"]

# A runtime's X-Ray cause header may hold 1 MiB minus one byte (awslambdaric drops a longer one).
MAX_HEAD_BYTES = 1024 * 1024 + 64 * 1024
# Long enough for any event or response (6 MiB and 100 bytes) and for an OTLP request.
MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_CHUNK_LINE_BYTES = 4096

_REASONS = {
    100: "Continue",
    200: "OK",
    202: "Accepted",
    204: "No Content",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    410: "Gone",
    411: "Length Required",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
}
_NO_BODY = (204, 304)
# Names of header fields that have been read, and found in order, with their lower-case form: a peer
# sends the same dozen again and again. Bounded, since it is the peer that names them.
_MAX_KNOWN_NAMES = 256
_LOWER_CASE: "dict[str, str]" = {}

# How the body of the current message ends; what a reader expects next.
_HEAD, _LENGTH, _CHUNK_LINE, _CHUNK, _CHUNK_END, _TRAILERS, _UNTIL_CLOSE, _END = range(8)


class Head:
    """The start line and header fields of one message.

    ``method`` and ``target`` are set on a request, ``status`` on a response (0 otherwise).
    ``headers`` maps lower-case names to values; fields that were repeated are joined by ``", "``
    (RFC 9110, 5.2).
    """

    __slots__ = ("headers", "keep_alive", "method", "status", "target")

    def __init__(
        self, *, method: str, target: str, status: int, headers: "dict[str, str]", keep_alive: bool
    ) -> None:
        self.method = method
        self.target = target
        self.status = status
        self.headers = headers
        self.keep_alive = keep_alive

    @property
    def expects_continue(self) -> bool:
        """Whether the sender waits for ``100 Continue`` (libcurl does above 1 MiB)."""
        return self.headers.get("expect", "").lower() == "100-continue"

    def __repr__(self) -> str:
        return f"<Head {self.method} {self.target}>" if self.method else f"<Head {self.status}>"


class End:
    """The end of a message's body, with the trailer fields of a chunked one (lower-case names)."""

    __slots__ = ("trailers",)

    def __init__(self, trailers: "dict[str, str]") -> None:
        self.trailers = trailers


class Message:
    """A whole message: its head, its body and its trailers."""

    __slots__ = ("body", "head", "trailers")

    def __init__(self, head: Head, body: bytes, trailers: "dict[str, str]") -> None:
        self.head = head
        self.body = body
        self.trailers = trailers

    def __repr__(self) -> str:
        return f"<Message {self.head!r}, {len(self.body)} bytes>"


class MessageReader:
    """Reads the messages of one direction of a connection.

    ``receive`` takes bytes as they come (``b""`` for the end of the stream); then either
    ``next_message`` gives whole messages, or ``next_part`` gives a ``Head``, the body piecewise as
    ``bytes``, and an ``End``. Both answer ``None`` when more bytes are needed. Both raise
    ``HttpError``, after which the connection is of no further use.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_closed",
        "_collected_bytes",
        "_expecting",
        "_head",
        "_max_body_bytes",
        "_piece",
        "_remaining",
        "_requests",
        "_trailers",
    )

    def __init__(self, *, requests: bool, max_body_bytes: int = MAX_BODY_BYTES) -> None:
        self._requests = requests
        self._max_body_bytes = max_body_bytes
        self._buffer = bytearray()
        # What was received last, where all of it is body: passed on without a copy.
        self._piece = b""
        self._closed = False
        self._expecting = _HEAD
        self._remaining = 0
        self._trailers: dict[str, str] = {}
        self._head: Head | None = None
        self._body: list[bytes] = []
        self._collected_bytes = 0

    @property
    def between_messages(self) -> bool:
        """Whether nothing of a message has been read: the peer may close here without harm."""
        return self._expecting == _HEAD and not self._buffer and self._head is None

    @property
    def body_bytes_to_come(self) -> int:
        """How much of the current body has not been received; 0 as well where nobody knows."""
        if self._expecting != _LENGTH:
            return 0
        return max(0, self._remaining - len(self._piece) - len(self._buffer))

    @property
    def closed(self) -> bool:
        """Whether the end of the stream has been received."""
        return self._closed

    def receive(self, data: bytes) -> None:
        """Takes the next bytes of the stream; ``b""`` says that it has ended."""
        if not data:
            self._closed = True
        elif 0 < len(data) <= self.body_bytes_to_come and not self._piece and not self._buffer:
            self._piece = data
        else:
            self._buffer += self._piece + data if self._piece else data
            self._piece = b""

    def next_message(self) -> "Message | None":
        """The next whole message, or None; raises ``HttpError`` 413 when its body is too long."""
        while True:
            part = self.next_part()
            if part is None:
                return None
            if isinstance(part, Head):
                self._head = part
            elif isinstance(part, End):
                return self._finish_message(part)
            else:
                self._collect(part)

    @property
    def head(self) -> "Head | None":
        """The head of the message that ``next_message`` has begun, and not returned yet."""
        return self._head

    def _collect(self, piece: bytes) -> None:
        self._collected_bytes += len(piece)
        if self._collected_bytes > self._max_body_bytes:
            raise HttpError(413, f"the body is longer than {self._max_body_bytes} bytes")
        self._body.append(piece)

    def _finish_message(self, end: End) -> Message:
        head, pieces = self._head, self._body
        assert head is not None  # noqa: S101 - next_part gives the head first
        self._head, self._body, self._collected_bytes = None, [], 0
        return Message(head, pieces[0] if len(pieces) == 1 else b"".join(pieces), end.trailers)

    def next_part(self) -> "Part | None":
        """The next head, piece of body, or end of a message; None when more bytes are needed."""
        while True:
            expecting = self._expecting
            if expecting == _HEAD:
                head = self._read_head()
                if head is None or not 100 <= head.status < 200:
                    return head
                self._expecting = _HEAD  # an interim response: the final one follows
            elif expecting == _END:
                return self._read_end()
            elif expecting in (_LENGTH, _CHUNK, _UNTIL_CLOSE):
                piece = self._read_piece()
                if piece is not None or self._expecting == expecting:
                    return piece
            elif not self._read_chunk_framing():
                return None

    def _read_head(self) -> "Head | None":
        buffer = self._buffer
        while buffer.startswith(b"\r\n"):  # RFC 9112, 2.2: ignore empty lines before a message
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n")
        if end > MAX_HEAD_BYTES or (end < 0 and len(buffer) > MAX_HEAD_BYTES):
            raise HttpError(431, f"the head is longer than {MAX_HEAD_BYTES} bytes")
        if end < 0:
            if self._closed and buffer:
                raise HttpError(400, "the connection was closed within the head of a message")
            return None
        lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
        del buffer[: end + 4]
        head = _request_head(lines) if self._requests else _response_head(lines)
        self._begin_body(head)
        return head

    def _begin_body(self, head: Head) -> None:
        coding = head.headers.get("transfer-encoding")
        length = head.headers.get("content-length")
        self._trailers = {}
        if not self._requests and (head.status in _NO_BODY or head.status < 200):
            self._expecting = _END
        elif coding is not None:
            if length is not None:
                raise HttpError(400, "both Content-Length and Transfer-Encoding are given")
            if coding.strip().lower() != "chunked":
                raise HttpError(501, f"unknown transfer coding {coding!r}")
            self._expecting = _CHUNK_LINE
        elif length is not None:
            self._remaining = _content_length(length)
            self._expecting = _LENGTH if self._remaining else _END
        elif self._requests:
            self._expecting = _END
        else:
            head.keep_alive = False
            self._expecting = _UNTIL_CLOSE

    def _read_piece(self) -> "bytes | None":
        buffer, expecting = self._buffer, self._expecting
        if self._piece:
            piece, self._piece = self._piece, b""
        elif not buffer:
            self._check_not_truncated()
            return None
        elif expecting == _UNTIL_CLOSE or len(buffer) <= self._remaining:
            piece = bytes(buffer)
            buffer.clear()
        else:
            piece = bytes(buffer[: self._remaining])
            del buffer[: self._remaining]
        if expecting != _UNTIL_CLOSE:
            self._remaining -= len(piece)
            if not self._remaining:
                self._expecting = _END if expecting == _LENGTH else _CHUNK_END
        return piece

    def _check_not_truncated(self) -> None:
        if not self._closed:
            return
        if self._expecting != _UNTIL_CLOSE:
            raise HttpError(400, "the connection was closed within the body of a message")
        self._expecting = _END

    def _read_chunk_framing(self) -> bool:
        """Reads one line of chunked framing; False when more bytes are needed."""
        line = self._read_line()
        if line is None:
            return False
        if self._expecting == _CHUNK_LINE:
            self._remaining = _chunk_size(line)
            self._expecting = _CHUNK if self._remaining else _TRAILERS
        elif self._expecting == _CHUNK_END:
            if line:
                raise HttpError(400, "a chunk is longer than its announced size")
            self._expecting = _CHUNK_LINE
        elif line:
            name, value = _field(line)
            self._trailers[name] = value
        else:
            self._expecting = _END
        return True

    def _read_line(self) -> "str | None":
        end = self._buffer.find(b"\r\n")
        # A trailer may carry an error body (base64 of the error JSON), so its limit is the head's.
        limit = MAX_HEAD_BYTES if self._expecting == _TRAILERS else MAX_CHUNK_LINE_BYTES
        if end > limit or (end < 0 and len(self._buffer) > limit):
            raise HttpError(400, "a line of the chunked body is too long")
        if end < 0:
            self._check_not_truncated()
            return None
        line = bytes(self._buffer[:end]).decode("latin-1")
        del self._buffer[: end + 2]
        return line

    def _read_end(self) -> End:
        self._expecting = _HEAD
        trailers, self._trailers = self._trailers, {}
        return End(trailers)


def _request_head(lines: "list[str]") -> Head:
    start = lines[0].split(" ")
    if len(start) != 3 or not start[0].isalpha() or not start[1]:
        raise HttpError(400, "not an HTTP request line")
    method, target, version = start
    headers = _fields(lines)
    return Head(
        method=method,
        target=target,
        status=0,
        headers=headers,
        keep_alive=_keep_alive(version, headers),
    )


def _response_head(lines: "list[str]") -> Head:
    start = lines[0].split(" ", 2)
    if len(start) < 2 or len(start[1]) != 3 or not _is_number(start[1]):
        raise HttpError(502, "not an HTTP status line")
    headers = _fields(lines)
    return Head(
        method="",
        target="",
        status=int(start[1]),
        headers=headers,
        keep_alive=_keep_alive(start[0], headers),
    )


def _keep_alive(version: str, headers: "Mapping[str, str]") -> bool:
    connection = headers.get("connection", "").lower()
    if version == "HTTP/1.1":
        return "close" not in connection
    if version == "HTTP/1.0":
        return "keep-alive" in connection
    raise HttpError(505, f"{version!r} is not HTTP/1.1")


def _fields(lines: "list[str]") -> "dict[str, str]":
    headers: dict[str, str] = {}
    for index in range(1, len(lines)):
        name, value = _field(lines[index])
        if name in headers:
            if name == "content-length" and headers[name] != value:
                raise HttpError(400, "two different values of Content-Length")
            if name != "content-length":
                headers[name] += ", " + value
        else:
            headers[name] = value
    return headers


def _field(line: str) -> "tuple[str, str]":
    name, colon, value = line.partition(":")
    known = _LOWER_CASE.get(name)
    if known is None or not colon:
        if not colon or not name or name != name.strip() or " " in name or "\t" in name:
            raise HttpError(400, "a malformed header line")
        known = name.lower()
        if len(_LOWER_CASE) < _MAX_KNOWN_NAMES:
            _LOWER_CASE[name] = known
    return known, value.strip(" \t")


def _is_number(text: str) -> bool:
    # str.isdigit alone accepts other scripts' digits, such as superscripts.
    return text.isascii() and text.isdigit()


def _content_length(text: str) -> int:
    if not _is_number(text) or len(text) > 15:
        raise HttpError(400, f"Content-Length is not a plain number: {text[:40]!r}")
    return int(text)


def _chunk_size(line: str) -> int:
    digits = line.partition(";")[0].strip(" \t")
    if not 0 < len(digits) <= 12 or digits.strip("0123456789abcdefABCDEF"):
        raise HttpError(400, "a chunk's size is not a hexadecimal number")
    return int(digits, 16)


def request_bytes(
    method: str,
    target: str,
    host: str,
    headers: "Iterable[tuple[str, str]]" = (),
    body: bytes = b"",
    *,
    body_follows_bytes: int = 0,
) -> bytes:
    """One request ready for the socket, with the Content-Length of a method that carries a body.

    ``body_follows_bytes``: the length of what the caller sends as the rest of the body.

    Raises ``ValueError`` for a header value that would break out of its line.
    """
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if body or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body) + body_follows_bytes}")
    return _head_bytes(lines, headers) + body


def response_bytes(
    status: int, headers: "Iterable[tuple[str, str]]" = (), body: bytes = b""
) -> bytes:
    """One response ready for the socket; no Content-Length with 1xx and 204 (RFC 9110, 8.6)."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    if status >= 200 and status not in _NO_BODY:
        lines.append(f"Content-Length: {len(body)}")
    return _head_bytes(lines, headers) + body


def _head_bytes(lines: "list[str]", headers: "Iterable[tuple[str, str]]") -> bytes:
    lines.extend(f"{name}: {value}" for name, value in headers)
    head = "\r\n".join(lines)
    if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1:
        raise ValueError("a header value holds a line break")
    return (head + "\r\n\r\n").encode("latin-1")
