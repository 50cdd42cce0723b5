"""The context of a span as it goes along with a request, in the formats of OTEL_PROPAGATORS.

https://opentelemetry.io/docs/specs/otel/context/api-propagators/, and the formats' own pages.
"""

from ... import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._current import SpanContext

    # Sets one header.
    Setter = Callable[[str, str], None]

X_RAY_HEADER = "X-Amzn-Trace-Id"
# What opentelemetry-lambda's wrapper sets.
_DEFAULT = "tracecontext,baggage,xray"


def _trace_context(context: "SpanContext", set_header: "Setter") -> None:
    trace_id, span_id, flags, trace_state = context
    set_header("traceparent", f"00-{trace_id}-{span_id}-{flags:02x}")
    if trace_state:
        set_header("tracestate", trace_state)


def x_ray(context: "SpanContext", set_header: "Setter") -> None:
    """X-Ray's header, which is all that AWS's services pass on."""
    trace_id, span_id, flags, _ = context
    root = f"Root=1-{trace_id[:8]}-{trace_id[8:]}"
    set_header(X_RAY_HEADER, f"{root};Parent={span_id};Sampled={flags & 1}")


def _b3(context: "SpanContext", set_header: "Setter") -> None:
    trace_id, span_id, flags, _ = context
    set_header("b3", f"{trace_id}-{span_id}-{flags & 1}")


def _b3_multi(context: "SpanContext", set_header: "Setter") -> None:
    trace_id, span_id, flags, _ = context
    set_header("x-b3-traceid", trace_id)
    set_header("x-b3-spanid", span_id)
    set_header("x-b3-sampled", str(flags & 1))


def _baggage(_context: "SpanContext", set_header: "Setter") -> None:
    from . import _current

    baggage = _current.baggage()
    if baggage:
        set_header("baggage", baggage)


# Of each format: what writes it, and how many headers it may take.
_FORMATS: "dict[str, tuple[Callable[[SpanContext, Setter], None], int]]" = {
    "tracecontext": (_trace_context, 2),
    "baggage": (_baggage, 1),
    "xray": (x_ray, 1),
    "xray-lambda": (x_ray, 1),
    "b3": (_b3, 1),
    "b3multi": (_b3_multi, 3),
}
_known: "dict[str, list[Any]]" = {}


def _chosen() -> "list[Any]":
    """The formats that the user lists, read once; ``_placement`` says where one is unknown."""
    if "formats" not in _known:
        listed = _env.text(_env.variables(), _env.PROPAGATORS) or _DEFAULT
        names = [name.strip().lower() for name in listed.split(",")]
        _known["formats"] = (
            []
            if "none" in names
            else [_FORMATS[name] for name in dict.fromkeys(names) if name in _FORMATS]
        )
    return _known["formats"]


def inject(context: "SpanContext", set_header: "Setter") -> None:
    """Sets the headers of ``context``."""
    for write, _ in _chosen():
        write(context, set_header)


def field_count() -> int:
    """How many headers ``inject`` may set."""
    return sum(count for _, count in _chosen())
