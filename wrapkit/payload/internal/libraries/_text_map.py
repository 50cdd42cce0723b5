"""OpenTelemetry's global propagator, where the user names none: with X-Ray's header, as in other
layers.
"""

from ... import _env
from ..._invocation import parse_x_ray_header
from . import _current
from ._propagation import X_RAY_HEADER, x_ray

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def extend(propagate: "Any") -> None:
    """Sets the propagator of ``opentelemetry.propagate``, which has just been loaded."""
    bridge = _current.bridge
    if bridge is not None and not _env.text(_env.variables(), _env.PROPAGATORS):
        propagate.set_global_textmap(WithXRay(propagate.get_global_textmap(), bridge.api))


class WithXRay:
    """A propagator, and X-Ray's behind it."""

    def __init__(self, original: "Any", api: "Any") -> None:
        self._original = original
        self._api = api

    @property
    def fields(self) -> "set[str]":
        """The headers that it may set."""
        return {*self._original.fields, X_RAY_HEADER}

    def inject(self, carrier: "Any", context: "Any" = None, setter: "Any" = None) -> None:
        """Sets the headers of the current span, or of that in ``context``."""
        chosen = {} if setter is None else {"setter": setter}
        self._original.inject(carrier, context=context, **chosen)
        current = self._api.span_context(self._api.trace.get_current_span(context))
        if current is None:
            return
        if setter is None:
            x_ray(current, carrier.__setitem__)
        else:
            x_ray(current, lambda name, value: setter.set(carrier, name, value))

    def extract(self, carrier: "Any", context: "Any" = None, getter: "Any" = None) -> "Any":
        """The context that the headers tell of: X-Ray's where the others tell of none."""
        chosen = {} if getter is None else {"getter": getter}
        found = self._original.extract(carrier, context=context, **chosen)
        trace = self._api.trace
        if trace.get_current_span(found).get_span_context().is_valid:
            return found
        values = getter.get(carrier, X_RAY_HEADER) if getter else [carrier.get(X_RAY_HEADER)]
        told = parse_x_ray_header((values or [None])[0])
        if told is None or not told.parent_span_id:
            return found
        remote = trace.SpanContext(
            int(told.trace_id, 16),
            int(told.parent_span_id, 16),
            is_remote=True,
            trace_flags=trace.TraceFlags(told.flags & 1),
        )
        return trace.set_span_in_context(trace.NonRecordingSpan(remote), found)
