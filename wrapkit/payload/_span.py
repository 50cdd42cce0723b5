"""A finished span, as plain data."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # The instrumentation scope: name, version, URL of the schema.
    Scope = tuple[str, str, str]

# opentelemetry/proto/trace/v1/trace.proto: SpanKind, Status.StatusCode, SpanFlags.
KIND_INTERNAL = 1
KIND_SERVER = 2
KIND_CLIENT = 3
KIND_PRODUCER = 4
STATUS_UNSET = 0
STATUS_OK = 1
STATUS_ERROR = 2
FLAG_SAMPLED = 0x001
FLAG_HAS_IS_REMOTE = 0x100
FLAG_IS_REMOTE = 0x200


class SpanEvent:
    """Something that happened at one moment of a span."""

    __slots__ = ("attributes", "dropped_attributes", "name", "time_unix_nano")

    def __init__(
        self, *, name: str, time_unix_nano: int, attributes: "dict[str, Any] | None" = None
    ) -> None:
        self.name = name
        self.time_unix_nano = time_unix_nano
        self.attributes = attributes or {}
        self.dropped_attributes = 0


class SpanLink:
    """A reference to another span; ids in lower-case hex."""

    __slots__ = (
        "attributes",
        "dropped_attributes",
        "flags",
        "span_id",
        "trace_id",
        "trace_state",
    )

    def __init__(
        self,
        *,
        trace_id: str,
        span_id: str,
        trace_state: str = "",
        flags: int = 0,
        attributes: "dict[str, Any] | None" = None,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.trace_state = trace_state
        self.flags = flags
        self.attributes = attributes or {}
        self.dropped_attributes = 0


class Span:
    """One span; ids in lower-case hex, times in nanoseconds since the epoch, ``parent_span_id``
    empty for a root.

    ``flags`` is the OTLP field: the W3C trace flags in the low byte, FLAG_HAS_IS_REMOTE and
    FLAG_IS_REMOTE above. Without a ``scope`` it is of wrapkit's own;
    ``resource`` is what it says of its resource beyond what all spans do.
    """

    __slots__ = (
        "attributes",
        "dropped_attributes",
        "dropped_events",
        "dropped_links",
        "end_time_unix_nano",
        "events",
        "flags",
        "kind",
        "links",
        "name",
        "parent_span_id",
        "resource",
        "scope",
        "span_id",
        "start_time_unix_nano",
        "status_code",
        "status_message",
        "trace_id",
        "trace_state",
    )

    def __init__(
        self,
        *,
        trace_id: str,
        span_id: str,
        name: str,
        start_time_unix_nano: int,
        end_time_unix_nano: int,
        parent_span_id: str = "",
        trace_state: str = "",
        flags: int = FLAG_SAMPLED,
        kind: int = KIND_INTERNAL,
        attributes: "dict[str, Any] | None" = None,
        events: "list[SpanEvent] | None" = None,
        links: "list[SpanLink] | None" = None,
        status_code: int = STATUS_UNSET,
        status_message: str = "",
        scope: "Scope | None" = None,
        resource: "dict[str, Any] | None" = None,
    ) -> None:
        self.trace_id = trace_id
        self.span_id = span_id
        self.name = name
        self.start_time_unix_nano = start_time_unix_nano
        self.end_time_unix_nano = end_time_unix_nano
        self.parent_span_id = parent_span_id
        self.trace_state = trace_state
        self.flags = flags
        self.kind = kind
        self.attributes = attributes or {}
        self.events = events or []
        self.links = links or []
        self.dropped_attributes = self.dropped_events = self.dropped_links = 0
        self.status_code = status_code
        self.status_message = status_message
        self.scope = scope
        self.resource = resource or {}

    @property
    def sampled(self) -> bool:
        """Whether the W3C sampled flag is set: only then is the span exported."""
        return bool(self.flags & FLAG_SAMPLED)

    def __repr__(self) -> str:
        return f"<Span {self.name} {self.trace_id}-{self.span_id}>"
