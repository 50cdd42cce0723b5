"""What a span has gathered between its start and its end, as the messages between hook and runner
have it (docs/concepts/architecture.md, "The spans within invocations").
"""

from ._span import FLAG_HAS_IS_REMOTE, STATUS_UNSET, Span, SpanEvent, SpanLink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def gather(span: Span, message: "Mapping[str, Any]") -> None:
    """Adds to ``span`` what ``message`` has; ``ValueError``, ``TypeError`` or ``KeyError`` when it
    is not what the contract says.

    A status that the span has goes before the message's.
    """
    span.name = str(message.get("name") or span.name)
    span.attributes.update(message.get("attributes") or {})
    span.events = [_event(event) for event in message.get("events") or ()] + span.events
    span.links = span.links + links(message)
    code, text = message.get("status") or (STATUS_UNSET, "")
    if span.status_code == STATUS_UNSET:
        span.status_code, span.status_message = int(code), str(text)


def links(message: "Mapping[str, Any]") -> "list[SpanLink]":
    """The links that ``message`` has."""
    return [_link(link) for link in message.get("links") or ()]


def hexadecimal(message: "Mapping[str, Any]", key: str, length: int) -> str:
    """An id; ``ValueError`` when it is none."""
    value = message[key]
    if len(value) != length or len(bytes.fromhex(value)) * 2 != length:
        raise ValueError(f"{key} is not {length} hexadecimal digits")
    return str(value)


def _event(event: "Mapping[str, Any]") -> SpanEvent:
    return SpanEvent(
        name=str(event["name"]),
        time_unix_nano=int(event["time"]),
        attributes=dict(event.get("attributes") or {}),
    )


def _link(link: "Mapping[str, Any]") -> SpanLink:
    return SpanLink(
        trace_id=hexadecimal(link, "trace", 32),
        span_id=hexadecimal(link, "span", 16),
        trace_state=str(link.get("state") or ""),
        flags=int(link.get("flags") or 0) & 0xFF | FLAG_HAS_IS_REMOTE,
        attributes=dict(link.get("attributes") or {}),
    )
