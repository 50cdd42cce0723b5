"""OTLP/HTTP as a server: what any SDK sends is queued as it came, and answered at once."""

from ...lifecycle import response_bytes
from .. import _otlp_http
from .._report import report_once
from ._outbox import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from ...lifecycle import Head
    from ._outbox import Outbox

MAX_BODY_BYTES = 4 * 1024 * 1024
# The tag and the length of a protobuf field, each at most ten bytes.
_FIELD_HEAD_BYTES = 20
_PATHS = {"/v1/traces": "traces", "/v1/metrics": "metrics", "/v1/logs": "logs"}


class OtlpIntake:
    """Queues the bodies of the signals that have an endpoint; the others' are taken and let go.

    ``refused`` counts the requests that were not taken for what they are.
    """

    __slots__ = ("_outbox", "_signals", "_taken", "refused")

    def __init__(self, outbox: "Outbox", signals: "Collection[str]") -> None:
        self._outbox = outbox
        self._signals = signals
        self._taken = {
            content_type: response_bytes(200, (("Content-Type", content_type),), body)
            for content_type, body in ((_otlp_http.PROTOBUF, b""), (_otlp_http.JSON, b"{}"))
        }
        self.refused = 0

    def take(self, head: "Head", body: "list[bytes]") -> bytes:
        """The answer to one request: success, or what is wrong with it."""
        signal = _PATHS.get(head.target.partition("?")[0])
        if signal is None:
            return self._refusal(404, "there is no such path")
        if head.method != "POST":
            return self._refusal(405, "the method is not POST", (("Allow", "POST"),))
        content_type = head.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in (_otlp_http.PROTOBUF, _otlp_http.JSON):
            return self._refusal(415, "it is neither protobuf nor JSON")
        try:
            body = _decoded(head.headers.get("content-encoding", ""), body)
        except ValueError as error:
            return self._refusal(400, str(error))
        if content_type == _otlp_http.PROTOBUF and not is_whole(body):
            return self._refusal(400, "it is cut off, or not protobuf")
        if body and signal in self._signals:
            self._outbox.add(Batch(signal=signal, content_type=content_type, body=body))
        return self._taken[content_type]

    def _refusal(self, status: int, reason: str, fields: "Sequence[tuple[str, str]]" = ()) -> bytes:
        self.refuse(status, reason)
        return response_bytes(status, fields)

    def refuse(self, status: int, reason: str) -> None:
        """Counts a request that was not taken, and says so once for each status: an SDK may well
        say nothing of what it has lost. After 503 it comes again.
        """
        if status != 503:
            self.refused += 1
        said = f"a request to the extension's OTLP listener was refused with {status}: {reason}"
        # Not by reason: it may quote what came.
        report_once(f"intake {status}", said)


def _decoded(coding: str, parts: "list[bytes]") -> "list[bytes]":
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return parts
    if coding != "gzip":
        raise ValueError("unknown content coding")
    import zlib

    body, pieces, left = b"".join(parts), [], MAX_BODY_BYTES
    while body:  # a gzip stream may have several members
        member = zlib.decompressobj(31)
        try:
            pieces.append(member.decompress(body, left + 1))
        except zlib.error:
            raise ValueError("not gzip") from None
        left -= len(pieces[-1])
        if left < 0 or not member.eof:
            raise ValueError("too long, or cut off")
        body = member.unused_data
    return pieces


def is_whole(parts: "Sequence[bytes]") -> bool:
    """Whether the body in ``parts`` ends where its last top-level field does.

    That is all that concatenating needs, and it is not decoding: an export request has one field
    for each resource. A body that is cut off would make its neighbours unreadable as well.
    """
    position = start = 0  # of the next field and of the part, in the body
    for index, part in enumerate(parts):
        end = start + len(part)
        while position < end:
            at = position - start
            head = part[at : at + _FIELD_HEAD_BYTES]
            if len(head) < _FIELD_HEAD_BYTES:  # it may reach into the parts behind
                head += b"".join([each[:_FIELD_HEAD_BYTES] for each in parts[index + 1 :]])
            size = _field_bytes(head)
            if not size:
                return False
            position += size
        start = end
    return position == start


def _field_bytes(head: bytes) -> int:
    """How long the field is whose first bytes these are; 0 when they are none's."""
    tag, position = _varint(head, 0)
    kind = tag & 7
    length = 0
    if kind == 2:
        length, position = _varint(head, position)
    elif kind in (1, 5):
        length = 8 if kind == 1 else 4
    elif kind == 0:
        _, position = _varint(head, position)
    else:
        return 0
    # No field has the number 0.
    return position + length if tag >= 8 and position <= len(head) else 0


def _varint(body: bytes, position: int) -> "tuple[int, int]":
    """The number at ``position`` and where it ends; (0, beyond the end) when it is cut off."""
    value = shift = 0
    for index in range(position, min(position + 10, len(body))):
        byte = body[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, index + 1
        shift += 7
    return 0, len(body) + 1
