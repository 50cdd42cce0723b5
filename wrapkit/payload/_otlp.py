"""OTLP trace requests as protobuf, written by hand.

``opentelemetry-proto`` with protobuf's runtime costs some 60 ms to import and 95 us a span; writing
the few messages directly costs nothing to import and about 14 us a span. The field numbers are
those of opentelemetry/proto/{trace,resource,common}/v1 (1.x, stable); an invalid string never
reaches the wire, since a decoder would refuse the whole request for it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ._span import Span, SpanEvent, SpanLink

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1


def encode_traces(
    resource_attributes: "Mapping[str, Any]",
    spans: "Iterable[Span]",
    *,
    scope_name: str = "wrapkit",
    scope_version: str = "",
) -> bytes:
    """An ``ExportTraceServiceRequest`` with one resource and one instrumentation scope.

    Attribute values may be str, bool, int, float, bytes, lists and string-keyed dicts of these;
    None is left out.
    """
    scope = _text(1, scope_name) + _text(2, scope_version)
    scope_spans = _message(1, scope) + b"".join([_message(2, _span(span)) for span in spans])
    resource = _attributes(1, resource_attributes)
    return _message(1, _message(1, resource) + _message(2, scope_spans))


def _span(span: "Span") -> bytes:
    parts = [
        _bytes(1, bytes.fromhex(span.trace_id)),
        _bytes(2, bytes.fromhex(span.span_id)),
        _text(3, span.trace_state),
        _bytes(4, bytes.fromhex(span.parent_span_id)),
        _text(5, span.name),
        _unsigned(6, span.kind),
        _fixed64(7, span.start_time_unix_nano),
        _fixed64(8, span.end_time_unix_nano),
        _attributes(9, span.attributes),
    ]
    parts.extend([_message(11, _event(event)) for event in span.events])
    parts.extend([_message(13, _link(link)) for link in span.links])
    status = _text(2, span.status_message) + _unsigned(3, span.status_code)
    if status:
        parts.append(_message(15, status))
    parts.append(_fixed32(16, span.flags))
    return b"".join(parts)


def _event(event: "SpanEvent") -> bytes:
    return (
        _fixed64(1, event.time_unix_nano) + _text(2, event.name) + _attributes(3, event.attributes)
    )


def _link(link: "SpanLink") -> bytes:
    return (
        _bytes(1, bytes.fromhex(link.trace_id))
        + _bytes(2, bytes.fromhex(link.span_id))
        + _text(3, link.trace_state)
        + _attributes(4, link.attributes)
        + _fixed32(6, link.flags)
    )


def _attributes(number: int, attributes: "Mapping[str, Any]") -> bytes:
    return b"".join(
        [
            _message(number, _text(1, key) + _message(2, _any_value(value)))
            for key, value in attributes.items()
            if value is not None
        ]
    )


def _any_value(value: "Any") -> bytes:  # noqa: PLR0911 - one kind of value, one way out
    # The members of a oneof are written even when they are zero: else 0, False and "" would read as
    # "no value".
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
        return b"\x0a" + _varint(len(data)) + data
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int) and _INT64_MIN <= value <= _INT64_MAX:
        return b"\x18" + _varint(value & 0xFFFFFFFFFFFFFFFF)
    if isinstance(value, float):
        from struct import pack  # only where a float occurs: not loaded by the runtime client

        return b"\x21" + pack("<d", value)
    if isinstance(value, (list, tuple)):
        return _message(5, b"".join([_message(1, _any_value(item)) for item in value]))
    if isinstance(value, dict):
        return _message(6, _attributes(1, value))
    if isinstance(value, bytes):
        return b"\x3a" + _varint(len(value)) + value
    # None within a list is an empty AnyValue; an int beyond 64 bits, and what else a caller may
    # hold, becomes text.
    return b"" if value is None else _any_value(str(value))


def _message(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(data)) + data


def _bytes(number: int, data: bytes) -> bytes:
    return _message(number, data) if data else b""


def _text(number: int, text: str) -> bytes:
    # Lone surrogates are legal in Python and not in protobuf.
    return _message(number, text.encode("utf-8", "replace")) if text else b""


def _unsigned(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value) if value else b""


def _fixed64(number: int, value: int) -> bytes:
    return _varint(number << 3 | _FIXED64) + value.to_bytes(8, "little") if value else b""


def _fixed32(number: int, value: int) -> bytes:
    return _varint(number << 3 | _FIXED32) + value.to_bytes(4, "little") if value else b""


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
