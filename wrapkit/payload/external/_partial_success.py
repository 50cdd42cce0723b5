"""What an endpoint says beyond its status: partial success, and why it refused a request.

https://opentelemetry.io/docs/specs/otlp/#partial-success-1. All three signals have the same field
numbers; only JSON tells ``rejectedSpans`` from ``rejectedDataPoints`` and ``rejectedLogRecords``.
"""

from .._otlp_http import JSON
from ._document import read_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Union

# An answer is a few bytes, and a message for people a few lines; what is longer is cut.
MAX_ANSWER_BYTES = 64 * 1024
MAX_MESSAGE_CHARACTERS = 300

_REJECTED_KEYS = ("rejectedSpans", "rejectedDataPoints", "rejectedLogRecords")
# Export*ServiceResponse.partial_success; Export*PartialSuccess.rejected_* and .error_message;
# google.rpc.Status.message
_PARTIAL_SUCCESS = 1
_REJECTED, _ERROR_MESSAGE = 1, 2
_STATUS_MESSAGE = 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class PartialSuccess:
    """``rejected`` items that the endpoint did not take, and will not take the next time; 0 with a
    ``message`` is a warning.
    """

    __slots__ = ("message", "rejected")

    def __init__(self, rejected: int, message: str) -> None:
        self.rejected = rejected
        self.message = message

    def __bool__(self) -> bool:
        """Whether there is anything to say."""
        return self.rejected > 0 or bool(self.message)

    def __repr__(self) -> str:
        return f"<PartialSuccess {self.rejected} rejected>"


def partial_success(content_type: str, body: bytes) -> PartialSuccess:
    """What the body of a 200 says was not taken. A body that cannot be read says nothing: the
    status is what counts.
    """
    if not body or len(body) > MAX_ANSWER_BYTES:
        return PartialSuccess(0, "")
    try:
        return _from_json(body) if _is_json(content_type) else _from_protobuf(body)
    except ValueError:
        return PartialSuccess(0, "")


def refusal_message(content_type: str, body: bytes) -> str:
    """The reason in the body of an answer that is no success, a ``google.rpc.Status``; empty when
    there is none. The endpoint wrote it: it may be shown, but never acted upon.
    """
    if not body or len(body) > MAX_ANSWER_BYTES:
        return ""
    try:
        if _is_json(content_type):
            return _text(read_object(body).get("message"))
        if "protobuf" in content_type:
            return _bytes_message(body, _STATUS_MESSAGE)
    except ValueError:
        pass
    return ""


def _is_json(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == JSON


def _from_json(body: bytes) -> PartialSuccess:
    found = read_object(body).get("partialSuccess")
    if not isinstance(found, dict):
        return PartialSuccess(0, "")
    rejected = max([_count(found.get(key)) for key in _REJECTED_KEYS])
    return PartialSuccess(rejected, _text(found.get("errorMessage")))


def _count(value: object) -> int:
    """Protobuf's JSON writes 64-bit numbers as text; readers have to take both."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:19])
    return value if isinstance(value, int) and value > 0 else 0


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return "".join([c if c.isprintable() else " " for c in value[:MAX_MESSAGE_CHARACTERS]])


def _from_protobuf(body: bytes) -> PartialSuccess:
    # A message that comes in several pieces is their merger: joined bytes are just that.
    inner = b"".join([v for n, v in fields(body) if n == _PARTIAL_SUCCESS and isinstance(v, bytes)])
    rejected = 0
    for number, value in fields(inner):
        if number == _REJECTED and isinstance(value, int):
            rejected = value if value < 1 << 63 else 0
    return PartialSuccess(rejected, _bytes_message(inner, _ERROR_MESSAGE))


def _bytes_message(body: bytes, wanted: int) -> str:
    found = b""
    for number, value in fields(body):
        if number == wanted and isinstance(value, bytes):
            found = value
    return _text(found.decode("utf-8", "replace"))


def fields(message: bytes) -> "Iterator[tuple[int, Union[int, bytes]]]":
    """The fields of a protobuf message as (number, value): an int for a varint, else bytes.
    ``ValueError`` where it is cut off or no message.
    """
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _varint(message, position)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            length, position = _varint(message, position)
        elif kind in (_FIXED64, _FIXED32):
            length = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError("an unknown wire type")
        position += length
        if position > len(message):
            raise ValueError("cut off")
        yield tag >> 3, message[position - length : position]


def _varint(message: bytes, position: int) -> "tuple[int, int]":
    value = 0
    for index, byte in enumerate(message[position : position + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    raise ValueError("cut off")
