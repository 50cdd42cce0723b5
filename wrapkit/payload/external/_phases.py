"""The Init and Restore phases as spans, from the platform's telemetry.

Rule 1. A phase begins with its Start record, and has its ids from then on: the first invocation is
        often over, and its span made, before the phase's report has been delivered. Where telemetry
        was promised, Init has its ids before that: a short invocation is over before the platform
        delivers anything.
Rule 2. Its Report makes the span, with the platform's duration and status. Where it does not come,
        the next phase or SHUTDOWN makes the span with what is known, so that a link leads
        somewhere.
Rule 3. A report of a phase that has not begun here makes none: it belongs to an earlier life of
        this environment, which has made its span at its SHUTDOWN.
Rule 4. An Init for SnapStart is copied into each environment that is restored from the snapshot,
        and its span would be exported by each. It has a span only when it failed: then there are no
        copies.
"""

from .. import _invocation
from .._span import (
    FLAG_HAS_IS_REMOTE,
    FLAG_SAMPLED,
    KIND_INTERNAL,
    Span,
    SpanEvent,
    SpanLink,
)
from ._figures import duration_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# By the name of the platform's records: the phase, and what of it a record tells.
_START, _RUNTIME_DONE, _REPORT = range(3)
_RECORDS = {
    "platform.initStart": ("init", _START),
    "platform.initRuntimeDone": ("init", _RUNTIME_DONE),
    "platform.initReport": ("init", _REPORT),
    "platform.restoreStart": ("restore", _START),
    "platform.restoreRuntimeDone": ("restore", _RUNTIME_DONE),
    "platform.restoreReport": ("restore", _REPORT),
}
_ATTRIBUTES = {
    "initializationType": "aws.lambda.initialization_type",
    "phase": "aws.lambda.phase",
    "runtimeVersion": "aws.lambda.runtime_version",
    "runtimeVersionArn": "aws.lambda.runtime_version_arn",
}
SNAP_START = "snap-start"
# Of a phase that the environment's repeated attempt, within an invocation, goes through.
_REPEATED = "invoke"


class Phase:
    """One Init or Restore. Times in nanoseconds since the epoch."""

    __slots__ = ("attributes", "event", "failure", "link", "name", "start_ns")

    def __init__(self, name: str, record: "dict[str, Any]", start_ns: int) -> None:
        self.name = name
        self.start_ns = start_ns
        self.link = _new_link()
        self.attributes: dict[str, Any] = {"faas.coldstart": True}
        for key, attribute in _ATTRIBUTES.items():
            if isinstance(record.get(key), str):
                self.attributes[attribute] = record[key]
        self.event: Optional[SpanEvent] = None
        self.failure: Optional[dict[str, Any]] = None

    @property
    def phase(self) -> str:
        """The platform's word for the occasion: ``init``, ``invoke`` or ``snap-start``."""
        return str(self.attributes.get("aws.lambda.phase", ""))

    @property
    def is_copied(self) -> bool:
        """Whether a snapshot is taken after it (rule 4)."""
        kind = self.attributes.get("aws.lambda.initialization_type")
        return self.name == "init" and kind == SNAP_START and self.phase != _REPEATED

    def runtime_done(self, record: "dict[str, Any]", time_ns: int) -> None:
        """The runtime's part is over; that of the extensions may go on."""
        self.failure = self.failure or _failure(record)
        status = record.get("status")
        self.event = SpanEvent(
            name=f"platform.{self.name}RuntimeDone",
            time_unix_nano=time_ns,
            attributes={"aws.lambda.status": status} if isinstance(status, str) else None,
        )

    def span(self, end_ns: int) -> Span:
        """The span of a phase that is over."""
        span = Span(
            trace_id=self.link.trace_id,
            span_id=self.link.span_id,
            name=self.name,
            kind=KIND_INTERNAL,
            flags=FLAG_SAMPLED | FLAG_HAS_IS_REMOTE,
            start_time_unix_nano=self.start_ns,
            end_time_unix_nano=max(self.start_ns, end_ns),
            attributes=self.attributes,
            events=[self.event] if self.event is not None else None,
        )
        if self.failure is not None:
            _invocation.set_error(span, self.failure)
        return span

    def __repr__(self) -> str:
        return f"<Phase {self.name} {self.phase}>"


class Phases:
    """The phase that is under way, and what the first invocation links to.

    ``expects_init``: the platform will tell of this environment's Init, if it has not yet.
    """

    __slots__ = ("_expected", "_links", "_open")

    def __init__(self, *, expects_init: bool) -> None:
        self._open: Optional[Phase] = None
        self._links: list[SpanLink] = []
        self._expected = _new_link() if expects_init else None

    def __bool__(self) -> bool:
        """Whether a phase is under way, as far as the platform has told."""
        return self._open is not None

    @property
    def current(self) -> "Optional[SpanLink]":
        """The span of the phase that is under way."""
        return self._open.link if self._open is not None and not self._open.is_copied else None

    def links(self) -> "list[SpanLink]":
        """What the first invocation's span links to: its environment's Init or Restore."""
        return [self._expected] if self._expected is not None else list(self._links)

    def take(self, kind: str, record: "dict[str, Any]", time_ns: int) -> "Optional[Span]":
        """A record of the platform's telemetry: the span that it makes, if any."""
        name, part = _RECORDS.get(kind, ("", None))
        if part is None:
            return None
        if part == _START:
            return self._begin(Phase(name, record, time_ns))
        phase = self._open
        if phase is None or phase.name != name or record.get("phase", phase.phase) != phase.phase:
            return None
        if part == _RUNTIME_DONE:
            phase.runtime_done(record, time_ns)
            return None
        phase.failure = _failure(record) or phase.failure
        duration = duration_ns(record)
        return self._close(phase.start_ns + duration if duration else time_ns)

    def shut_down(self, reason: str, now_ns: int) -> "Optional[Span]":
        """SHUTDOWN has come: the span of a phase of which no report came."""
        phase = self._open
        if phase is not None and phase.event is None:
            phase.failure = {
                "type": reason,
                "message": f"the environment ended in its {phase.name}",
            }
        return self._cut_off(now_ns)

    def _begin(self, phase: Phase) -> "Optional[Span]":
        span = self._cut_off(phase.start_ns)
        expected, self._expected = self._expected, None
        if expected is not None and phase.name == "init":
            phase.link = expected
        self._open = phase
        if not phase.is_copied:
            self._links.append(phase.link)
            # A repeated Init follows a failed one; more than these two the environment has not had.
            del self._links[:-2]
        return span

    def _cut_off(self, end_ns: int) -> "Optional[Span]":
        if self._open is None:
            return None
        event = self._open.event
        return self._close(event.time_unix_nano if event is not None else end_ns)

    def _close(self, end_ns: int) -> "Optional[Span]":
        phase, self._open = self._open, None
        assert phase is not None  # noqa: S101 - the callers have looked
        return None if phase.is_copied and phase.failure is None else phase.span(end_ns)


def _new_link() -> SpanLink:
    return SpanLink(
        trace_id=_invocation.new_trace_id(),
        span_id=_invocation.new_span_id(),
        flags=FLAG_SAMPLED | FLAG_HAS_IS_REMOTE,
    )


def _failure(record: "dict[str, Any]") -> "Optional[dict[str, Any]]":
    """What the platform says of a phase that did not succeed."""
    status = str(record.get("status") or "").lower()
    if status in ("", "success"):
        return None
    error_type = record.get("errorType")
    return {"type": str(error_type or status), "message": f"the phase ended with {status}"}
