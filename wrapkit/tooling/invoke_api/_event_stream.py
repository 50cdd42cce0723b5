"""Messages of ``application/vnd.amazon.eventstream``, as InvokeWithResponseStream answers with.

A message: total length, length of the headers, CRC of these eight bytes; headers; payload; CRC of
all before it. A header: length and text of its name, the type 7 (string), length and text of its
value. Source: Smithy, "Amazon event stream specification".
"""

from __future__ import annotations

import json
import struct
import zlib

CONTENT_TYPE = "application/vnd.amazon.eventstream"
_PRELUDE = struct.Struct(">II")
_CRC = struct.Struct(">I")
_STRING = 7
# The specification allows 16 MB a message; the pieces stay well below, as the service's do.
_MAX_CHUNK_BYTES = 1024 * 1024


def payload_chunks(payload: bytes) -> bytes:
    """``PayloadChunk`` messages with the payload; none for an empty one."""
    return b"".join(
        event_message(
            "PayloadChunk", "application/octet-stream", payload[at : at + _MAX_CHUNK_BYTES]
        )
        for at in range(0, len(payload), _MAX_CHUNK_BYTES)
    )


def invoke_complete(*, error_code: str, error_details: str, log_result: str) -> bytes:
    """The ``InvokeComplete`` message, which ends the stream; what is empty is left out."""
    members = {"ErrorCode": error_code, "ErrorDetails": error_details, "LogResult": log_result}
    document = {name: value for name, value in members.items() if value}
    return event_message("InvokeComplete", "application/json", json.dumps(document).encode())


def event_message(event_type: str, content_type: str, payload: bytes) -> bytes:
    """One message with the three headers of an event."""
    headers = b"".join(
        _header(name, value)
        for name, value in (
            (":event-type", event_type),
            (":content-type", content_type),
            (":message-type", "event"),
        )
    )
    total = _PRELUDE.size + _CRC.size + len(headers) + len(payload) + _CRC.size
    prelude = _PRELUDE.pack(total, len(headers))
    message = prelude + _CRC.pack(zlib.crc32(prelude)) + headers + payload
    return message + _CRC.pack(zlib.crc32(message))


def _header(name: str, value: str) -> bytes:
    name_bytes, value_bytes = name.encode(), value.encode()
    return b"".join(
        (
            bytes([len(name_bytes)]),
            name_bytes,
            bytes([_STRING]),
            struct.pack(">H", len(value_bytes)),
            value_bytes,
        )
    )
