"""OTLP trace requests as protobuf, written by hand, and what the other signals' are written with.

``opentelemetry-proto`` with protobuf's runtime costs some 60 ms to import and 95 us a span; writing
the few messages directly costs nothing to import and about 14 us a span. The field numbers are
those of opentelemetry/proto/{trace,resource,common}/v1 (1.x, stable); an invalid string never
reaches the wire, since a decoder would refuse the whole request for it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ._span import Scope, Span, SpanEvent, SpanLink

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_INT64_MIN, _INT64_MAX = -(1 << 63), (1 << 63) - 1


def encode_traces(
    resource_attributes: "Mapping[str, Any]",
    spans: "Iterable[Span]",
    *,
    scope_name: str = "wrapkit",
    scope_version: str = "",
) -> bytes:
    """An ``ExportTraceServiceRequest`` of spans by their resource, the one given with what they add
    to it, and by instrumentation scope: their own, else the one given.

    Attribute values may be str, bool, int, float, bytes, lists and string-keyed dicts of these;
    None is left out.
    """
    own = (scope_name, scope_version, "")
    # Of nearly every span the same dict, an empty one: a representation tells the others apart.
    resources: dict[str, tuple[Mapping[str, Any], dict[Scope, list[Span]]]] = {}
    for span in spans:
        key = repr(span.resource) if span.resource else ""
        _, scopes = resources.setdefault(key, (span.resource, {}))
        scopes.setdefault(span.scope or own, []).append(span)
    return b"".join(
        [
            _resource_spans({**resource_attributes, **added}, scopes)
            for added, scopes in resources.values()
        ]
    )


def _resource_spans(attributes: "Mapping[str, Any]", scopes: "Mapping[Scope, list[Span]]") -> bytes:
    return message_field(
        1,
        message_field(1, attribute_fields(1, attributes))
        + b"".join([message_field(2, _scope_spans(scope, scopes[scope])) for scope in scopes]),
    )


def _scope_spans(scope: "Scope", spans: "list[Span]") -> bytes:
    name, version, schema_url = scope
    return (
        message_field(1, text_field(1, name) + text_field(2, version))
        + b"".join([message_field(2, _span(span)) for span in spans])
        + text_field(3, schema_url)
    )


def export_request(
    resource_attributes: "Mapping[str, Any]",
    items: "Iterable[bytes]",
    scope_name: str,
    scope_version: str,
) -> bytes:
    """An ``Export*ServiceRequest`` of encoded spans, metrics or log records.

    The three are the same down to the item: the resource has the number 1 and its scopes 2, a scope
    has 1 and its items 2.
    """
    scope = text_field(1, scope_name) + text_field(2, scope_version)
    scope_items = message_field(1, scope) + b"".join([message_field(2, item) for item in items])
    resource = attribute_fields(1, resource_attributes)
    return message_field(1, message_field(1, resource) + message_field(2, scope_items))


def _span(span: "Span") -> bytes:
    parts = [
        bytes_field(1, bytes.fromhex(span.trace_id)),
        bytes_field(2, bytes.fromhex(span.span_id)),
        text_field(3, span.trace_state),
        bytes_field(4, bytes.fromhex(span.parent_span_id)),
        text_field(5, span.name),
        unsigned_field(6, span.kind),
        fixed64_field(7, span.start_time_unix_nano),
        fixed64_field(8, span.end_time_unix_nano),
        attribute_fields(9, span.attributes),
        unsigned_field(10, span.dropped_attributes),
    ]
    parts.extend([message_field(11, _event(event)) for event in span.events])
    parts.append(unsigned_field(12, span.dropped_events))
    parts.extend([message_field(13, _link(link)) for link in span.links])
    parts.append(unsigned_field(14, span.dropped_links))
    status = text_field(2, span.status_message) + unsigned_field(3, span.status_code)
    if status:
        parts.append(message_field(15, status))
    parts.append(fixed32_field(16, span.flags))
    return b"".join(parts)


def _event(event: "SpanEvent") -> bytes:
    return (
        fixed64_field(1, event.time_unix_nano)
        + text_field(2, event.name)
        + attribute_fields(3, event.attributes)
        + unsigned_field(4, event.dropped_attributes)
    )


def _link(link: "SpanLink") -> bytes:
    return (
        bytes_field(1, bytes.fromhex(link.trace_id))
        + bytes_field(2, bytes.fromhex(link.span_id))
        + text_field(3, link.trace_state)
        + attribute_fields(4, link.attributes)
        + unsigned_field(5, link.dropped_attributes)
        + fixed32_field(6, link.flags)
    )


def attribute_fields(number: int, attributes: "Mapping[str, Any]") -> bytes:
    """``KeyValue`` fields; None is left out."""
    return b"".join(
        [
            message_field(number, text_field(1, key) + message_field(2, any_value(value)))
            for key, value in attributes.items()
            if value is not None
        ]
    )


def any_value(value: "Any") -> bytes:  # noqa: PLR0911 - one kind of value, one way out
    # The members of a oneof are written even when they are zero: else 0, False and "" would read as
    # "no value".
    if isinstance(value, str):
        data = value.encode("utf-8", "replace")
        return b"\x0a" + varint(len(data)) + data
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int) and _INT64_MIN <= value <= _INT64_MAX:
        return b"\x18" + varint(value & 0xFFFFFFFFFFFFFFFF)
    if isinstance(value, float):
        from struct import pack  # only where a float occurs: not loaded by the runtime client

        return b"\x21" + pack("<d", value)
    if isinstance(value, (list, tuple)):
        return message_field(5, b"".join([message_field(1, any_value(item)) for item in value]))
    if isinstance(value, dict):
        return message_field(6, attribute_fields(1, value))
    if isinstance(value, bytes):
        return b"\x3a" + varint(len(value)) + value
    # None within a list is an empty AnyValue; an int beyond 64 bits, and what else a caller may
    # hold, becomes text.
    return b"" if value is None else any_value(str(value))


def message_field(number: int, data: bytes) -> bytes:
    """A field that is a message (or bytes, or a string), even an empty one."""
    return varint(number << 3 | _LENGTH) + varint(len(data)) + data


def bytes_field(number: int, data: bytes) -> bytes:
    """The field, nothing where it is empty."""
    return message_field(number, data) if data else b""


def text_field(number: int, text: str) -> bytes:
    """The field, nothing where it is empty."""
    # Lone surrogates are legal in Python and not in protobuf.
    return message_field(number, text.encode("utf-8", "replace")) if text else b""


def unsigned_field(number: int, value: int) -> bytes:
    """A varint, nothing where it is 0."""
    return varint(number << 3 | _VARINT) + varint(value) if value else b""


def fixed64_field(number: int, value: int) -> bytes:
    """A fixed64, nothing where it is 0."""
    return varint(number << 3 | _FIXED64) + value.to_bytes(8, "little") if value else b""


def fixed32_field(number: int, value: int) -> bytes:
    """A fixed32, nothing where it is 0."""
    return varint(number << 3 | _FIXED32) + value.to_bytes(4, "little") if value else b""


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    if value < 0x80:
        return bytes((value,))
    data = bytearray()
    while value >= 0x80:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)
