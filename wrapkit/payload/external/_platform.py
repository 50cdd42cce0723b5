"""What is made of the platform's telemetry beside the invocations' spans: the phases' spans,
metrics, and logs. The latter two are loaded only where they are wanted.
"""

from .. import _env, _env_export
from ._invocations import REPORT, RUNTIME_DONE, START
from ._phases import SNAP_START, Phases
from ._time import unix_nano

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any, Callable, Optional

    from .._span import Span, SpanLink
    from ._faas_metrics import FaasMetrics
    from ._invocations import Invocations
    from ._logs import LogBuffer
    from ._outbox import Outbox
    from ._spans import SpanBuffer


class PlatformTelemetry:
    """Takes every record of the platform's telemetry, and every invocation's span as it is made.

    Args:
        signals: those that have an endpoint.
        makes_spans: whether the invocations' spans are the runner's, and not the hook's.
        is_subscribed: whether the platform has promised its telemetry.
    """

    def __init__(
        self,
        environ: "Mapping[str, str]",
        outbox: "Outbox",
        *,
        spans: "SpanBuffer",
        invocations: "Invocations",
        signals: "Collection[str]",
        makes_spans: bool,
        is_subscribed: bool,
        now_ns: int,
    ) -> None:
        self._outbox = outbox
        self._spans = spans
        self._invocations = invocations
        # What is restored from a snapshot has a Restore of its own, and would share an Init's ids.
        is_restored = _env.text(environ, _env.INITIALIZATION_TYPE) == SNAP_START
        self._phases = Phases(expects_init=is_subscribed and not is_restored)
        self._metrics = _metrics(environ, now_ns) if "metrics" in signals else None
        # In internal mode the span's ids are known to the hook alone.
        span_of = invocations.identified if makes_spans else _nobody
        self._logs = None
        if "logs" in signals and _env_export.log_types(environ):
            self._logs = _log_buffer(outbox, self._resource, span_of)
        self._makes_spans = makes_spans
        invocations.phase_links = self._phases.links
        invocations.span_made = self._invocation_ended

    @property
    def is_waiting(self) -> bool:
        """Whether logs wait for an export. Metrics go along with one, and never cause it."""
        return bool(self._logs)

    @property
    def expects_more(self) -> bool:
        """Whether the platform still owes something that is wanted: the report of a phase, or of
        the last invocation, behind which its last lines come as well.
        """
        if self._phases:
            return True
        wanted = self._metrics is not None or self._logs is not None
        return wanted and self._invocations.owes_report

    def in_order(self, records: "list[Any]") -> "list[Any]":
        """A batch in the order of its times, where that matters: the platform's records and the
        lines that belong to them come from different sources.
        """
        return records if self._logs is None else sorted(records, key=_time)

    def take(self, record: "dict[str, Any]") -> None:
        """Any record, as it was delivered; ``ValueError`` when it is not what AWS's schema says."""
        kind, content = record.get("type"), record.get("record")
        if kind in ("function", "extension"):
            if self._logs is not None:
                time_ns = unix_nano(str(record.get("time")))
                self._logs.take(kind, content, time_ns, self._phases.current)
        elif isinstance(kind, str) and isinstance(content, dict):
            self._take_platform(kind, content, str(record.get("time")))

    def _take_platform(self, kind: str, content: "dict[str, Any]", time: str) -> None:
        if kind in ("platform.initStart", "platform.restoreStart"):
            self._spans.instance = str(content.get("instanceId") or self._spans.instance)
        if kind.startswith(("platform.init", "platform.restore")):
            self._phase_ended(self._phases.take(kind, content, unix_nano(time)))
        if self._metrics is not None:
            if kind == REPORT:
                self._metrics.reported(content)
            elif kind == "platform.logsDropped":
                self._metrics.logs_dropped(content)
        if self._logs is not None:
            request_id = str(content.get("requestId") or "")
            if kind == START:
                self._logs.began(request_id, unix_nano(time))
            elif kind in (RUNTIME_DONE, REPORT):
                self._logs.ended(request_id, unix_nano(time))

    def _phase_ended(self, span: "Optional[Span]") -> None:
        self._spans.add(span)
        if span is not None and self._metrics is not None:
            self._metrics.phase_ended(span)

    def _invocation_ended(self, span: "Span") -> None:
        if self._metrics is not None:
            self._metrics.invocation_ended(span)
        if self._logs is not None and self._makes_spans:
            self._logs.invocation_ended(span)

    def shut_down(self, reason: str, now_ns: int) -> None:
        """SHUTDOWN has come, and no more telemetry is waited for."""
        self._phase_ended(self._phases.shut_down(reason, now_ns))

    def _resource(self) -> "dict[str, Any]":
        return self._spans.resource(self._invocations.account_id)

    def encode(self, counters: "Mapping[str, int]", now_ns: int, *, last: bool) -> None:
        """Moves what goes along with an export to the outbox; ``last``: there will be no other.

        ``counters``: the totals of the runner's own, by the names that FaasMetrics has for them.
        """
        if self._logs is not None:
            self._logs.encode()
        if self._metrics is None or not (last or self._metrics.is_due(now_ns)):
            return
        for name, total in counters.items():
            self._metrics.observe(name, total)
        batch = self._metrics.collect(self._resource(), now_ns)
        if batch is not None:
            self._outbox.add(batch)


def _metrics(environ: "Mapping[str, str]", now_ns: int) -> "Optional[FaasMetrics]":
    if not _env_export.makes_metrics(environ):
        return None
    from ._faas_metrics import FaasMetrics

    return FaasMetrics(environ, now_ns)


def _log_buffer(
    outbox: "Outbox",
    resource: "Callable[[], dict[str, Any]]",
    span_of: "Callable[[str], Optional[SpanLink]]",
) -> "LogBuffer":
    from ._logs import LogBuffer

    return LogBuffer(outbox, resource, span_of)


def _nobody(_request_id: str) -> None:
    return None


def _time(record: "Any") -> str:
    return str(record.get("time")) if isinstance(record, dict) else ""
