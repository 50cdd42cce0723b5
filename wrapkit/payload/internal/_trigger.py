"""What a trigger is, and how the context that a sender attached is read, whatever the service.

An event may come from anybody, so every value is checked before it is used, and bounded.
"""

from .._invocation import parse_traceparent, parse_tracestate, parse_x_ray_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Optional

    Link = tuple[str, str, int, str]

# As many links as a span keeps by default (OpenTelemetry specification, "Span limits").
MAX_RECORDS = 128
# The longest of the headers and names that API Gateway and the queues let through is near 10 KB.
MAX_TEXT = 4096
# A traceparent of version 00 has 55 characters; a later version may have more.
_MAX_TRACEPARENT = 256
_MAX_HEADER_NAME = 64


class Trigger:
    """What invoked the function.

    ``trigger`` is the value of ``faas.trigger``; ``source`` names the shape of the event (``sqs``);
    ``attributes`` are the span's, ``faas.trigger`` among them; ``carrier`` holds the headers to
    take the parent from, names in lower case, None where the event has none; ``links`` are
    distinct ``(trace_id, span_id, flags, tracestate)``.
    """

    __slots__ = ("attributes", "carrier", "links", "source", "trigger")

    def __init__(
        self,
        trigger: str,
        source: str,
        attributes: "Optional[dict[str, Any]]" = None,
        *,
        carrier: "Optional[dict[str, str]]" = None,
        links: "Optional[list[Link]]" = None,
    ) -> None:
        self.trigger = trigger
        self.source = source
        self.attributes: dict[str, Any] = {"faas.trigger": trigger}
        for name, value in (attributes or {}).items():
            if value is not None and value != "":
                self.attributes[name] = value
        self.carrier = carrier or None
        self.links = links or []

    def __repr__(self) -> str:
        return f"<Trigger {self.trigger} {self.source}>"


def text(value: "Any") -> str:
    """``value`` cut to MAX_TEXT characters, empty when it is no string."""
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def header_fields(headers: "Any") -> "dict[str, str]":
    """The first MAX_RECORDS header fields, names in lower case; the values of a field that came
    more than once are joined, which makes a repeated traceparent as invalid as it has to be
    (https://www.w3.org/TR/trace-context/#traceparent-header).
    """
    fields: dict[str, str] = {}
    if not isinstance(headers, dict):
        return fields
    for name, value in _first_items(headers):
        if not isinstance(name, str) or len(name) > _MAX_HEADER_NAME:
            continue
        if isinstance(value, str):
            fields[name.lower()] = value
        elif isinstance(value, list):
            fields[name.lower()] = ",".join([text(item) for item in value[:MAX_RECORDS]])
    return fields


def _first_items(mapping: "dict[Any, Any]") -> "Iterator[tuple[Any, Any]]":
    for count, item in enumerate(mapping.items()):
        if count == MAX_RECORDS:
            return
        yield item


def messaging_attributes(system: str, destination: str = "") -> "dict[str, Any]":
    """The attributes that every message-processing span has (docs/messaging/messaging-spans.md)."""
    return {
        "messaging.system": system,
        "messaging.destination.name": destination,
        "messaging.operation.type": "process",
        "messaging.operation.name": "process",
    }


def carried_link(carrier: "Any") -> "Optional[Link]":
    """The link to the context that a JSON object carries as ``traceparent`` or ``_traceparent``."""
    if not isinstance(carrier, dict):
        return None
    for prefix in ("", "_"):
        traceparent = carrier.get(prefix + "traceparent")
        if traceparent is not None:
            return w3c_link(traceparent, carrier.get(prefix + "tracestate"))
    return None


def w3c_link(traceparent: "Any", tracestate: "Any" = None) -> "Optional[Link]":
    """The link to the context of W3C fields, None when they are not valid."""
    if not isinstance(traceparent, str) or len(traceparent) > _MAX_TRACEPARENT:
        return None
    context = parse_traceparent(traceparent)
    if context is None:
        return None
    state = parse_tracestate(tracestate) if tracestate == text(tracestate) else ""
    return (context.trace_id, context.parent_span_id, context.flags, state)


def x_ray_link(header: "Any") -> "Optional[Link]":
    """The link to the context of an X-Ray trace header, None when it names no span.

    Of a link the sampling decision is kept: it says whether there is a span to be found.
    """
    context = parse_x_ray_header(text(header))
    if context is None or not context.parent_span_id:
        return None
    return (context.trace_id, context.parent_span_id, int("Sampled=1" in header), "")


def distinct_links(
    carriers: "Iterable[Any]", read: "Callable[[Any], Optional[Link]]"
) -> "list[Link]":
    """The links that ``read`` finds, without repeated ones, in order."""
    links: dict[Link, None] = {}
    for carrier in carriers:
        try:
            link = read(carrier)
        except Exception:  # noqa: BLE001, S112 - one sender's mistake must not hide the rest
            continue
        if link is not None:
            links[link] = None
    return list(links)
