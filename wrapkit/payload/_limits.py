"""How much a span may hold: OpenTelemetry's span limits, which count what they leave out.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#span-limits
"""

from . import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

    from ._span import Span

# Of attributes, events, links, and of the attributes of an event and of a link.
DEFAULT_COUNT = 128
_MAX_COUNT = 1 << 20


class SpanLimits:
    """The limits as variables say them."""

    __slots__ = (
        "_attributes",
        "_event_attributes",
        "_events",
        "_length",
        "_link_attributes",
        "_links",
    )

    def __init__(self, environ: "Mapping[str, str]") -> None:
        every = _count(environ, "OTEL_ATTRIBUTE_COUNT_LIMIT", DEFAULT_COUNT)
        length = _length(environ, "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")
        own = _length(environ, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")
        self._length = length if own is None else own
        self._attributes = _count(environ, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", every)
        self._events = _count(environ, "OTEL_SPAN_EVENT_COUNT_LIMIT", DEFAULT_COUNT)
        self._links = _count(environ, "OTEL_SPAN_LINK_COUNT_LIMIT", DEFAULT_COUNT)
        self._event_attributes = _count(environ, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", every)
        self._link_attributes = _count(environ, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", every)

    def apply(self, span: "Span") -> None:
        """Cuts ``span`` down to the limits: its first attributes, events and links stay."""
        span.dropped_attributes += self._keep(span.attributes, self._attributes)
        span.dropped_events += _keep_first(span.events, self._events)
        span.dropped_links += _keep_first(span.links, self._links)
        for event in span.events:
            event.dropped_attributes += self._keep(event.attributes, self._event_attributes)
        for link in span.links:
            link.dropped_attributes += self._keep(link.attributes, self._link_attributes)

    def _keep(self, attributes: "dict[str, Any]", count: int) -> int:
        dropped = max(0, len(attributes) - count)
        if dropped:
            for name in list(attributes)[count:]:
                del attributes[name]
        if self._length is not None:
            for name, value in attributes.items():
                attributes[name] = _cut(value, self._length)
        return dropped


def _keep_first(items: "list[Any]", count: int) -> int:
    dropped = max(0, len(items) - count)
    if dropped:
        del items[count:]
    return dropped


def _cut(value: "Any", length: int) -> "Any":
    if isinstance(value, str):
        return value[:length]
    if isinstance(value, (list, tuple)):
        return [_cut(item, length) for item in value]
    return value


def _count(environ: "Mapping[str, str]", name: str, default: int) -> int:
    if _env.text(environ, name) == "0":
        return 0
    return _env.number(environ, name, default, _MAX_COUNT)


def _length(environ: "Mapping[str, str]", name: str) -> "Optional[int]":
    count = _count(environ, name, -1)
    return None if count < 0 else count
