"""Which invocations are open, and the one span of each, whichever source speaks first.

Rule 1. Four sources speak of an invocation, in any order: INVOKE, the hook's datagrams, the
        platform's telemetry, and SHUTDOWN. What they say is collected by request id.
Rule 2. The hook's word goes before the platform's: its ids are the parents of other spans, and its
        times are of the handler alone.
Rule 3. The first that says how it ended makes the span: the hook's ``end``, else
        ``platform.runtimeDone`` (a runtime that died, or no hook), else ``platform.report``
        (managed instances have no runtimeDone), else SHUTDOWN.
        Where INVOKE is subscribed to, the span waits for it: the hook may be faster, and the ARN is
        in INVOKE alone.
Rule 4. An invocation that has its span is remembered for a while, so that no later word makes a
        second one.
Rule 5. A retry of an asynchronous invocation comes under the same request id: INVOKE or the hook's
        ``start`` opens it anew. What the platform still owes of the first try (telemetry stays
        behind in a freeze) comes first then, and is passed over.
"""

from .. import _invocation
from .._span import FLAG_HAS_IS_REMOTE, SpanLink
from ._figures import duration_ns, metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

    from .._span import Span

    # (time in nanoseconds, error, further attributes)
    _Ending = tuple[int, Optional[dict[str, Any]], dict[str, Any]]
    # (trace id, span id, flags, tracestate)
    _Link = tuple[str, str, int, str]

# What the platform says of each invocation, once.
START, RUNTIME_DONE, REPORT = "platform.start", "platform.runtimeDone", "platform.report"
_KINDS = frozenset((START, RUNTIME_DONE, REPORT))
# Managed instances run up to some hundred invocations side by side; classic environments one.
MAX_REMEMBERED = 4096


class Invocation:
    """What is known of one invocation so far. Times in nanoseconds since the epoch, 0 for
    unknown.
    """

    __slots__ = (
        "arn",
        "attributes",
        "cold_start",
        "context",
        "ending",
        "gathered",
        "heard",
        "hook_spoke",
        "is_first",
        "links",
        "place",
        "request_id",
        "seen_ns",
        "span_id",
        "stale",
        "start_ns",
        "x_ray_header",
    )

    def __init__(
        self,
        request_id: str,
        *,
        cold_start: bool,
        place: "_invocation.Place" = _invocation.trace_context,
    ) -> None:
        self.request_id = request_id
        self.place = place
        self.cold_start = cold_start
        self.arn = ""
        self.x_ray_header = ""
        self.context: Optional[_invocation.TraceContext] = None
        self.span_id = ""
        self.attributes: dict[str, Any] = {}  # of the hook's start
        self.links: list[_Link] = []
        self.hook_spoke = False
        self.is_first = cold_start  # of this process; whether it is cold the hook may know better
        self.start_ns = 0  # as the hook or the platform says
        self.seen_ns = 0  # when INVOKE came
        self.ending: Optional[_Ending] = None
        self.gathered: dict[str, Any] = {}  # from the function's own code
        self.heard: set[str] = set()  # of _KINDS
        self.stale: set[str] = set()  # of _KINDS: those that belong to an earlier try

    def identify(self) -> "_invocation.TraceContext":
        """Fixes the ids of the span, unless something has, and its place in a trace."""
        self.context = self.context or self.place(None, self.x_ray_header)
        self.span_id = self.span_id or _invocation.new_span_id()
        return self.context

    def span(self, name: str) -> "Span":
        """The span of an invocation that has ended."""
        assert self.ending is not None  # noqa: S101 - what has not ended has no span
        end_ns, error, attributes = self.ending
        known = _invocation.invocation_attributes(
            request_id=self.request_id,
            cold_start=self.cold_start,
            invoked_function_arn=self.arn,
        )
        known.update(self.attributes)
        known.update(attributes)
        span = _invocation.invocation_span(
            self.identify(),
            span_id=self.span_id,
            name=name,
            start_time_unix_nano=self.start_ns or self.seen_ns or end_ns,
            end_time_unix_nano=end_ns,
            attributes=known,
            links=self.links,
            error=error,
        )
        if self.gathered:
            from .._gathered import gather

            gather(span, self.gathered)
        return span

    def __repr__(self) -> str:
        return f"<Invocation {self.request_id}{', with a hook' if self.hook_spoke else ''}>"


class Invocations:
    """The open invocations by request id, and the ids of those that are over."""

    def __init__(
        self,
        function_name: str,
        *,
        invoked: bool = True,
        place: "_invocation.Place" = _invocation.trace_context,
    ) -> None:
        self._name = function_name
        self._place = place
        self._invoked = invoked  # whether INVOKE is subscribed to
        self._open: dict[str, Invocation] = {}
        self._over: dict[str, set[str]] = {}  # what of _KINDS has been heard
        self._cold = True
        self.account_id = ""
        # What the first invocation's span links to, and who else is told of each span.
        self.phase_links: Callable[[], list[SpanLink]] = list
        self.span_made: Callable[[Span], object] = _nobody_is_told

    def __len__(self) -> int:
        return len(self._open)

    @property
    def owes_report(self) -> bool:
        """Whether ``platform.report`` of the invocation that was over last is still to come."""
        heard = next(reversed(self._over.values()), None)
        return heard is not None and REPORT not in heard

    def invoked(self, event: "dict[str, Any]", now_ns: int) -> "Optional[Span]":
        """INVOKE has come: the span, if it was waiting for that only."""
        invocation = self._begin(_text(event, "requestId"))
        if invocation is None:
            return None
        invocation.arn = _text(event, "invokedFunctionArn")
        invocation.x_ray_header = _x_ray_header(event)
        invocation.seen_ns = now_ns
        self.account_id = self.account_id or _invocation.account_id(invocation.arn)
        return self._close(invocation) if invocation.ending is not None else None

    def hook_started(self, datagram: "dict[str, Any]") -> None:
        """The hook's ``start`` has come; ``ValueError`` when it is not what the contract says."""
        context = _context(datagram)
        span_id = _hex(datagram, "span", 16)
        start_ns = _nanoseconds(datagram)
        attributes, links = datagram.get("attributes"), _links(datagram)
        invocation = self._begin(_text(datagram, "id"))
        if invocation is None:
            return
        invocation.hook_spoke = True
        invocation.context, invocation.span_id = context, span_id
        invocation.attributes = attributes if isinstance(attributes, dict) else {}
        invocation.links = links
        invocation.start_ns = start_ns
        invocation.cold_start = datagram.get("cold") is True

    def hook_ended(self, datagram: "dict[str, Any]") -> "Optional[Span]":
        """The hook's ``end`` has come: the span, unless there was one; ``ValueError`` as above."""
        end_ns = _nanoseconds(datagram)
        error, attributes = datagram.get("error"), datagram.get("attributes")
        invocation = self._unended(_text(datagram, "id"))
        if invocation is None:
            return None
        invocation.gathered = datagram.get("gathered") or {}
        return self._end(
            invocation,
            end_ns,
            error if isinstance(error, dict) else None,
            attributes if isinstance(attributes, dict) else {},
        )

    def is_news(self, kind: str, record: "dict[str, Any]") -> bool:
        """Whether a record is about an open invocation, not one that is over or an earlier try."""
        request_id = _text(record, "requestId")
        heard = self._over.get(request_id)
        if heard is not None:
            heard.add(kind)
            return False
        invocation = self._find(request_id)
        if invocation is None:
            return False
        if kind in invocation.stale:
            invocation.stale.discard(kind)
            return False
        invocation.heard.add(kind)
        return True

    def platform_started(self, record: "dict[str, Any]", time_ns: int) -> None:
        """``platform.start`` has come."""
        invocation = self._find(_text(record, "requestId"))
        if invocation is None or invocation.hook_spoke:
            return
        invocation.start_ns = time_ns
        invocation.x_ray_header = invocation.x_ray_header or _x_ray_header(record)

    def platform_ended(self, record: "dict[str, Any]", time_ns: int) -> "Optional[Span]":
        """``platform.runtimeDone`` or ``platform.report`` has come: the span, unless there was
        one.
        """
        invocation = self._unended(_text(record, "requestId"))
        if invocation is None:
            return None
        invocation.x_ray_header = invocation.x_ray_header or _x_ray_header(record)
        lasted_ns = duration_ns(record)
        if not invocation.start_ns:
            invocation.start_ns = time_ns - lasted_ns
        elif lasted_ns and not invocation.hook_spoke:
            # More exact than the records' times, which are in milliseconds.
            time_ns = invocation.start_ns + lasted_ns
        return self._end(invocation, time_ns, _platform_error(record), _figures(record))

    def identified(self, request_id: str) -> "Optional[SpanLink]":
        """The span that an open invocation is going to have; None while too little is known."""
        invocation = self._open.get(request_id)
        if invocation is None:
            return None
        where_from = invocation.seen_ns if self._invoked else invocation.start_ns
        if invocation.context is None and not where_from:
            return None
        context = invocation.identify()
        return SpanLink(
            trace_id=context.trace_id,
            span_id=invocation.span_id,
            flags=context.flags & 0xFF | FLAG_HAS_IS_REMOTE,
        )

    def shut_down(self, reason: str, now_ns: int) -> "list[Span]":
        """SHUTDOWN has come: what is still open has been cut off, for ``reason``.

        An invocation of which nothing but INVOKE is known has ended long ago when the reason is
        ``spindown``: without hook and telemetry nobody knows when, so there is no span to make.
        """
        spans = []
        error = {"type": reason, "message": _CUT_OFF.get(reason, _CUT_OFF_OTHERWISE)}
        for invocation in list(self._open.values()):
            if invocation.ending is None and (invocation.start_ns or reason in _CUT_OFF):
                invocation.ending = (now_ns, error, {})
            if invocation.ending is not None:
                spans.append(self._close(invocation))
        return spans

    def _find(self, request_id: str) -> "Optional[Invocation]":
        """The open invocation, new if need be; None when it is over."""
        if not request_id or request_id in self._over:
            return None
        invocation = self._open.get(request_id)
        if invocation is None:
            invocation = self._open[request_id] = Invocation(
                request_id, cold_start=self._cold, place=self._place
            )
            self._cold = False
            _forget_oldest(self._open)
        return invocation

    def _begin(self, request_id: str) -> "Optional[Invocation]":
        """The same, of a source that speaks at the start: what is over begins anew."""
        heard = self._over.pop(request_id, None)
        invocation = self._find(request_id)
        if heard is not None and invocation is not None:
            invocation.stale = set(_KINDS - heard)
        return invocation

    def _unended(self, request_id: str) -> "Optional[Invocation]":
        """The same; None as well when it is only INVOKE that is missing."""
        invocation = self._find(request_id)
        return invocation if invocation is not None and invocation.ending is None else None

    def _end(
        self,
        invocation: Invocation,
        end_ns: int,
        error: "Optional[dict[str, Any]]",
        attributes: "dict[str, Any]",
    ) -> "Optional[Span]":
        invocation.ending = (end_ns, error, attributes)
        waits = self._invoked and not invocation.seen_ns
        return None if waits else self._close(invocation)

    def _close(self, invocation: Invocation) -> "Span":
        del self._open[invocation.request_id]
        self._over[invocation.request_id] = invocation.heard
        _forget_oldest(self._over)
        span = invocation.span(self._name)
        if invocation.is_first:
            span.links.extend(self.phase_links())
        self.span_made(span)
        return span


def _nobody_is_told(_span: "Span") -> None:
    pass


_CUT_OFF = {
    "timeout": "the function timed out",
    "failure": "the execution environment failed before the invocation ended",
}
_CUT_OFF_OTHERWISE = "the execution environment was shut down before the invocation ended"


def _forget_oldest(known: "dict[str, Any]") -> None:
    if len(known) > MAX_REMEMBERED:
        del known[next(iter(known))]


def _platform_error(record: "dict[str, Any]") -> "Optional[dict[str, Any]]":
    """What the platform says of an invocation that did not succeed (``error``, ``failure``,
    ``timeout``).
    """
    status = _text(record, "status").lower()
    if status in ("", "success"):
        return None
    message = _CUT_OFF["timeout"] if status == "timeout" else f"the runtime ended with {status}"
    return {"type": _text(record, "errorType") or status, "message": message}


# What the platform measures of an invocation, by its own names.
_FIGURES = {
    "producedBytes": "aws.lambda.produced_bytes",
    "billedDurationMs": "aws.lambda.billed_duration_ms",
    "maxMemoryUsedMB": "aws.lambda.max_memory_used_mb",
    "initDurationMs": "aws.lambda.init_duration_ms",
    "restoreDurationMs": "aws.lambda.restore_duration_ms",
}


def _figures(record: "dict[str, Any]") -> "dict[str, Any]":
    known = {attribute: metric(record, name) for name, attribute in _FIGURES.items()}
    return {attribute: value for attribute, value in known.items() if value is not None}


def _x_ray_header(record: "dict[str, Any]") -> str:
    tracing = record.get("tracing")
    return _text(tracing, "value") if isinstance(tracing, dict) else ""


def _text(record: "dict[str, Any]", key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""


def _context(datagram: "dict[str, Any]") -> "_invocation.TraceContext":
    return _invocation.TraceContext(
        trace_id=_hex(datagram, "trace", 32),
        parent_span_id=_hex(datagram, "parent", 16) if datagram.get("parent") else "",
        flags=_flags(datagram),
        trace_state=_text(datagram, "state"),
    )


def _links(datagram: "dict[str, Any]") -> "list[_Link]":
    links = datagram.get("links")
    return [_link(link) for link in links] if isinstance(links, list) else []


def _link(link: "Any") -> "_Link":
    names = ("trace", "span", "flags", "state")
    named = dict(zip(names, link)) if isinstance(link, list) else {}
    trace_id, span_id = _hex(named, "trace", 32), _hex(named, "span", 16)
    return trace_id, span_id, _flags(named), _text(named, "state")


def _flags(datagram: "dict[str, Any]") -> int:
    flags = datagram.get("flags")
    return flags if isinstance(flags, int) and 0 <= flags <= 255 else 1


def _hex(datagram: "dict[str, Any]", key: str, length: int) -> str:
    value = _text(datagram, key)
    if len(value) != length or len(bytes.fromhex(value)) * 2 != length:
        raise ValueError(f"{key} is not {length} hexadecimal digits")
    return value


def _nanoseconds(datagram: "dict[str, Any]") -> int:
    value = datagram.get("time")
    if not isinstance(value, int) or not 0 < value < 1 << 63:
        raise ValueError("time is not in nanoseconds since the epoch")
    return value
