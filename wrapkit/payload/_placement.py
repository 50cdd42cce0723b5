"""The place of an invocation in a trace, where the user says how it is found: OTEL_PROPAGATORS,
OTEL_TRACES_SAMPLER, OTEL_PYTHON_ID_GENERATOR.

Loaded only where one of these is set; without them ``trace_context`` alone decides. They mean what
they mean in opentelemetry-python:

Rule 1. Propagators are asked in the order of their list, and one that finds a context replaces what
        those before it have found. ``xray-lambda`` looks at the environment only where nothing has
        been found so far.
Rule 2. ``b3`` and ``b3multi`` read either form, the single header first. A decision that was
        deferred is "yes" in that one, and "no" in the others.
Rule 3. Ratios are of the trace id's lower 64 bits, so that all parts of a trace decide alike.
"""

import time

from . import _env
from ._invocation import (
    TraceContext,
    new_trace_id,
    parse_traceparent,
    parse_tracestate,
    parse_x_ray_header,
    trace_context,
)
from ._span import FLAG_SAMPLED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Optional

    from ._invocation import Place

_PROPAGATORS = ("tracecontext", "baggage", "b3", "b3multi", "xray", "xray-lambda", "none")
VARIABLES = (_env.PROPAGATORS, _env.SAMPLER, _env.SAMPLER_ARGUMENT, _env.ID_GENERATOR)
_ROOT_SAMPLERS = ("always_on", "always_off", "traceidratio")
_SAMPLERS = _ROOT_SAMPLERS + tuple(["parentbased_" + name for name in _ROOT_SAMPLERS])
_ID_BITS = 64
# https://github.com/openzipkin/b3-propagation: what counts as sampled.
_B3_SAMPLED = ("1", "true", "True", "d")
_HEX = frozenset("0123456789abcdef")


def choose_place(environ: "Mapping[str, str]") -> "Place":
    """What finds the trace context of an invocation: called as ``trace_context`` is."""
    sampler = choose_sampler(environ)
    propagators = chosen_propagators(environ)
    new_id = x_ray_trace_id if _id_generator(environ) == "xray" else new_trace_id

    def place(headers: "Any", x_ray_header: "Optional[str]") -> TraceContext:
        if propagators is None:
            context, decided = _by_default(headers, x_ray_header)
        else:
            context = _extracted(propagators, headers, x_ray_header)
            decided = context is not None
        context = context or TraceContext(trace_id=new_id())
        parent = bool(context.flags & FLAG_SAMPLED) if decided else None
        context.flags = context.flags & ~FLAG_SAMPLED | sampler(context.trace_id, parent)
        return context

    return place


def _by_default(
    headers: "Any", x_ray_header: "Optional[str]"
) -> "tuple[Optional[TraceContext], bool]":
    """The context, and whether it says anything about sampling: ``Sampled=0`` is what Lambda says
    wherever X-Ray is not active.
    """
    header = x_ray_header or ""
    context = trace_context(headers, header)
    if not context.parent_span_id:
        return (context if parse_x_ray_header(header) else None), False
    in_x_ray = parse_x_ray_header(header)
    from_x_ray = in_x_ray is not None and in_x_ray.parent_span_id == context.parent_span_id
    return context, not from_x_ray or "Sampled=1" in header


# Samplers


def choose_sampler(environ: "Mapping[str, str]") -> "Callable[[str, Optional[bool]], int]":
    """Decides by trace id and the parent's decision (None without one): 1 for sampled, else 0."""
    name = _sampler_name(environ)
    parent_based = name.startswith("parentbased_")
    root = name[len("parentbased_") :] if parent_based else name
    ratio = {"always_on": 1.0, "always_off": 0.0}.get(root)
    if ratio is None:
        ratio = _sampler_ratio(environ)
    bound = round(ratio * (1 << _ID_BITS))

    def sample(trace_id: str, parent: "Optional[bool]") -> int:
        if parent_based and parent is not None:
            return int(parent)
        return int(int(trace_id[-_ID_BITS // 4 :], 16) < bound)

    return sample


def x_ray_trace_id() -> str:
    """A random trace id that begins with the time in seconds, as X-Ray asks."""
    return f"{int(time.time()):08x}"[-8:] + new_trace_id()[8:]


# Propagators


def _extracted(
    propagators: "tuple[str, ...]", headers: "Any", x_ray_header: "Optional[str]"
) -> "Optional[TraceContext]":
    fields = _text_fields(headers)
    context: Optional[TraceContext] = None
    for name in propagators:
        if name == "tracecontext":
            found = _w3c(fields)
        elif name in {"b3", "b3multi"}:
            found = _b3(fields)
        elif name in {"xray", "xray-lambda"}:
            found = _x_ray(fields.get("x-amzn-trace-id"))
            if name == "xray-lambda" and found is None and context is None:
                found = _x_ray(x_ray_header)
        else:  # baggage carries no context
            continue
        context = found or context
    return context


def _text_fields(headers: "Any") -> "dict[str, str]":
    if not isinstance(headers, dict):
        return {}
    return {
        name.lower(): value
        for name, value in headers.items()
        if isinstance(name, str) and isinstance(value, str)
    }


def _w3c(fields: "dict[str, str]") -> "Optional[TraceContext]":
    context = parse_traceparent(fields.get("traceparent"))
    if context is not None:
        context.trace_state = parse_tracestate(fields.get("tracestate"))
    return context


def _x_ray(header: "Optional[str]") -> "Optional[TraceContext]":
    fields = [field.split("=") for field in (header or "").split(";")]
    if any(len(field) != 2 for field in fields):
        return None
    sampled = {name.strip(): value.strip() for name, value in fields}.get("Sampled", "0")
    context = parse_x_ray_header(header)
    if context is None or not context.parent_span_id or sampled not in {"0", "1"}:
        return None
    context.flags = int(sampled)
    return context


def _b3(fields: "dict[str, str]") -> "Optional[TraceContext]":
    trace_id, span_id, sampled = _b3_fields(fields)
    trace_id, span_id = trace_id.lower(), span_id.lower()
    if not _is_b3_id(trace_id, 32, 16) or not _is_b3_id(span_id, 16):
        return None
    return TraceContext(
        trace_id=trace_id.rjust(32, "0"), parent_span_id=span_id, flags=int(sampled)
    )


def _b3_fields(fields: "dict[str, str]") -> "tuple[str, str, bool]":
    single = fields.get("b3")
    if single:
        parts = single.split("-", 4)
        if not 2 <= len(parts) <= 4:
            return "", "", False
        return parts[0], parts[1], len(parts) == 2 or parts[2] in _B3_SAMPLED
    sampled = fields.get("x-b3-sampled") in _B3_SAMPLED or fields.get("x-b3-flags") == "1"
    return fields.get("x-b3-traceid", ""), fields.get("x-b3-spanid", ""), sampled


def _is_b3_id(text: str, *lengths: int) -> bool:
    return len(text) in lengths and _HEX.issuperset(text) and text.strip("0") != ""


# Variables


def chosen_propagators(environ: "Mapping[str, str]") -> "Optional[tuple[str, ...]]":
    """What the user says about where a context comes from; None where nothing is said. Unknown ones
    are left out.
    """
    listed = _env.words(environ, _env.PROPAGATORS)
    if not listed:
        return None
    if has_unknown_propagators(environ):
        used = "those that are; an instrumentor that refuses it is off"
        _env.malformed(_env.PROPAGATORS, "not of " + ", ".join(_PROPAGATORS), used)
    return tuple([word for word in listed if word in _PROPAGATORS and word != "none"])


def has_unknown_propagators(environ: "Mapping[str, str]") -> bool:
    """Whether the user lists one that is unknown here, and most likely to OpenTelemetry's API."""
    return any(word not in _PROPAGATORS for word in _env.words(environ, _env.PROPAGATORS))


def _sampler_name(environ: "Mapping[str, str]") -> str:
    """The name of the sampler, as OpenTelemetry specifies them."""
    return _env.choice(environ, _env.SAMPLER, _SAMPLERS, "parentbased_always_on")


def _sampler_ratio(environ: "Mapping[str, str]") -> float:
    """What the samplers by ratio take as their argument, from 0 to 1."""
    value = _env.text(environ, _env.SAMPLER_ARGUMENT)
    if not value:
        return 1.0
    try:
        ratio = float(value)
    except ValueError:
        ratio = -1.0
    if 0 <= ratio <= 1:
        return ratio
    _env.malformed(_env.SAMPLER_ARGUMENT, "not a number from 0 to 1", "1")
    return 1.0


def _id_generator(environ: "Mapping[str, str]") -> str:
    """How new trace ids are made, ``random`` or ``xray``."""
    return _env.choice(environ, _env.ID_GENERATOR, ("random", "xray"), "random")
