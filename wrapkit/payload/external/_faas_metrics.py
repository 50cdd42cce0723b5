"""What is counted and measured of the function and of the runner itself.

Names, units and bounds are those of OpenTelemetry's semantic conventions for FaaS metrics where
these have any (https://opentelemetry.io/docs/specs/semconv/faas/faas-metrics/).
"""

from .. import _env_export, _invocation
from .._otlp_http import PROTOBUF
from .._span import STATUS_ERROR
from ._figures import metric, span_duration_ms
from ._instruments import Counter, Histogram
from ._otlp_metrics import CUMULATIVE, DELTA, encode_metrics
from ._outbox import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .._span import Span
    from ._instruments import Instrument

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# The conventions name no bounds for memory; functions have 128 MB to 10240 MB.
_BYTES = tuple([mb * 1024 * 1024 for mb in (32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)])
_MB = 1024 * 1024
_MAX_COUNT = 1 << 31


class FaasMetrics:
    """The instruments, and the interval that they stand for."""

    def __init__(self, environ: "Mapping[str, str]", now_ns: int) -> None:
        self._environ = environ
        self._interval_ns = _env_export.metric_interval_ms(environ) * 1_000_000
        self._temporality = CUMULATIVE if _env_export.cumulative_metrics(environ) else DELTA
        self._start_ns = now_ns
        self._exported_ns = now_ns
        self._observed: dict[str, int] = {}
        self._instruments: list[Instrument] = []
        self._invocations = self._counter("faas.invocations", "{invocation}", "Successful ones")
        self._errors = self._counter("faas.errors", "{error}", "Invocations that failed")
        self._timeouts = self._counter("faas.timeouts", "{timeout}", "Invocations that timed out")
        self._cold_starts = self._counter("faas.coldstarts", "{coldstart}", "Cold starts")
        self._invoke = self._duration("faas.invoke_duration", "Of the function's own code")
        self._init = self._duration("faas.init_duration", "Of the Init or Restore phase")
        self._billed = self._duration("aws.lambda.billed_duration", "What Lambda bills")
        self._overhead = self._duration(
            "aws.lambda.extension_overhead", "From the function's end to that of all extensions"
        )
        self._memory = Histogram(
            "faas.mem_usage", "By", "The most used, extensions included", _BYTES
        )
        self._instruments.append(self._memory)
        self._logs_dropped = self._counter(
            "aws.lambda.logs_dropped", "{record}", "Telemetry that the platform dropped"
        )
        self._own = {
            name: self._counter(f"wrapkit.{name}", unit, description)
            for name, unit, description in _OWN
        }

    def _counter(self, name: str, unit: str, description: str) -> Counter:
        counter = Counter(name, unit, description)
        self._instruments.append(counter)
        return counter

    def _duration(self, name: str, description: str) -> Histogram:
        histogram = Histogram(name, "s", description, _SECONDS)
        self._instruments.append(histogram)
        return histogram

    def invocation_ended(self, span: "Span") -> None:
        """An invocation is over, whether its span is exported or not."""
        if span.status_code != STATUS_ERROR:
            self._invocations.add()
        elif span.attributes.get("error.type") in _TIMEOUTS:
            self._timeouts.add()
        else:
            self._errors.add()
        if span.attributes.get("faas.coldstart") is True:
            self._cold_starts.add()
        self._invoke.record(_seconds(span))

    def phase_ended(self, span: "Span") -> None:
        """An Init or Restore phase is over."""
        self._init.record(_seconds(span))

    def reported(self, record: "dict[str, Any]") -> None:
        """``platform.report`` has come, usually long after the invocation's span."""
        billed_ms = metric(record, "billedDurationMs")
        overhead_ms = span_duration_ms(record, "extensionOverhead")
        memory_mb = metric(record, "maxMemoryUsedMB")
        if billed_ms is not None:
            self._billed.record(billed_ms / 1000)
        if overhead_ms is not None:
            self._overhead.record(overhead_ms / 1000)
        if memory_mb is not None:
            self._memory.record(memory_mb * _MB)

    def logs_dropped(self, record: "dict[str, Any]") -> None:
        """``platform.logsDropped`` has come: the runner was too slow, or away."""
        count = record.get("droppedRecords")
        if isinstance(count, int) and 0 < count < _MAX_COUNT:
            self._logs_dropped.add(count)

    def observe(self, name: str, total: int) -> None:
        """What one of the runner's own counters (of _OWN) says by now."""
        self._own[name].add(max(0, total - self._observed.get(name, 0)))
        self._observed[name] = total

    def is_due(self, now_ns: int) -> bool:
        """Whether the interval is over; a clock that was set back ends it, too."""
        return not 0 <= now_ns - self._exported_ns < self._interval_ns

    def collect(self, resource: "Mapping[str, Any]", now_ns: int) -> "Batch | None":
        """What is to be exported, None when there is nothing; a delta begins anew."""
        used = [instrument for instrument in self._instruments if instrument]
        if not used:
            return None
        body = encode_metrics(
            resource,
            used,
            start_time_unix_nano=min(self._start_ns, now_ns),
            time_unix_nano=now_ns,
            temporality=self._temporality,
            scope_version=_invocation.wrapkit_version(),
        )
        self._exported_ns = now_ns
        if self._temporality == DELTA:
            self._start_ns = now_ns
            for instrument in used:
                instrument.reset()
        return Batch(signal="metrics", content_type=PROTOBUF, body=body)


# How a timeout is called: the platform's status, AWS's error types, and the reason of SHUTDOWN.
_TIMEOUTS = ("timeout", "Sandbox.Timedout", "Sandbox.Timeout")
# The runner's own: name after ``wrapkit.``, unit, description.
_OWN = (
    ("datagrams.dropped", "{datagram}", "Datagrams of the hook that found no room"),
    ("requests.refused", "{request}", "Requests to the OTLP listener that were not taken"),
    ("requests.dropped", "{request}", "Export requests that were given up"),
    ("requests.recovered", "{request}", "Export requests that were delivered out of the spool"),
    ("items.rejected", "{item}", "Spans, points and records that an endpoint rejected"),
)


def _seconds(span: "Span") -> float:
    return (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
