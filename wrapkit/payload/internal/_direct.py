"""Mode internal: the hook makes the span itself and exports it before the response is posted.

After the response Lambda may freeze the process, and with it an export that has begun.
"""

import os
import time

from .._env import OTLP_ENDPOINT
from .._env_export import export_settings, exporters, flush_timeout_ms
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

    from .._env_export import ExportSettings
    from .._export import Exporter
    from .._limits import SpanLimits
    from .._span import Span
    from ._hook import Invocation
    from .libraries._library_span import LibrarySpan

# What is left to the runtime for posting the response, when the deadline is near.
RESPONSE_MARGIN_MS = 200
# After an export that failed: a dead endpoint costs one bounded attempt, then the function is left
# alone for a while, longer each time.
FIRST_PAUSE_MS = 30_000
# Of the libraries' spans, as many as OpenTelemetry's batch processor queues.
MAX_SPANS = 2048
LONGEST_PAUSE_MS = 300_000


def direct_export(environ: "Mapping[str, str]") -> "Optional[DirectExport]":
    """The sink of mode internal, None when the user configured no endpoint or wants no traces."""
    wanted = exporters(environ, "traces")
    settings = export_settings(environ, "traces")
    if "otlp" in wanted and settings is None:
        report_once("no endpoint", f"{OTLP_ENDPOINT} is not set, so invocations are not recorded")
    prints = "console" in wanted
    return DirectExport(environ, settings, prints=prints) if settings or prints else None


class DirectExport:
    """Exports each invocation's span when it ends; all that it needs is loaded at the first one."""

    __slots__ = (
        "_environ",
        "_exporter",
        "_limits",
        "_pause_ms",
        "_prints",
        "_process_id",
        "_resource",
        "_resume_ms",
        "_settings",
        "_spans",
    )

    before_response = True

    def __init__(
        self,
        environ: "Mapping[str, str]",
        settings: "Optional[ExportSettings]",
        *,
        prints: bool = False,
    ) -> None:
        self._environ = environ
        self._settings = settings
        self._prints = prints
        self._limits: Optional[SpanLimits] = None
        self._exporter: Optional[Exporter] = None
        self._process_id = 0
        self._resource: Optional[dict[str, Any]] = None
        self._pause_ms = FIRST_PAUSE_MS
        self._resume_ms = 0
        self._spans: list[Span] = []

    def start(self, invocation: "Invocation") -> None:
        """Nothing is exported before the outcome is known."""

    def end(
        self, invocation: "Invocation", time_ns: int, error: "Optional[dict[str, str]]"
    ) -> None:
        """Exports the span, within the time that the function can spare."""
        within, self._spans = self._spans, []
        settings = self._settings if _now_ms() >= self._resume_ms else None
        if not invocation.context.flags & 1 or not (self._prints or settings):
            return
        spans = [self._span(invocation, time_ns, error), *within]
        resource = self._own_resource(invocation)
        self._limit(spans)
        if self._prints:
            from .._console import print_span

            for span in spans:
                print_span(span, resource)
        if settings is not None:
            spare_ms = min(flush_timeout_ms(self._environ), _spare_ms(invocation))
            self._export(settings, spans, resource, min(settings.timeout_ms, spare_ms))

    def _limit(self, spans: "list[Span]") -> None:
        if self._limits is None:
            from .._limits import SpanLimits

            self._limits = SpanLimits(self._environ)
        for span in spans:
            self._limits.apply(span)

    def span_started(self, span: "LibrarySpan", request_id: str) -> None:
        """Nobody could end a span that this process does not."""

    def span_ended(self, span: "LibrarySpan", time_ns: int) -> None:
        """Keeps a span for the export at the end of the invocation."""
        if len(self._spans) < MAX_SPANS:
            self._spans.append(_finished(span, time_ns))
        else:
            report_once("too many spans", f"of more than {MAX_SPANS} spans the rest is dropped")

    def close(self) -> None:
        """Closes the connection, where there is one."""
        if self._exporter is not None:
            self._exporter.close()

    def _export(
        self,
        settings: "ExportSettings",
        spans: "list[Span]",
        resource: "dict[str, Any]",
        timeout_ms: int,
    ) -> None:
        if timeout_ms <= 0:
            report_once("no time", "no time is left to export before the function's deadline")
            return
        from .._export import ExportError
        from .._invocation import wrapkit_version
        from .._otlp import encode_traces

        body = encode_traces(resource, spans, scope_version=wrapkit_version())
        try:
            self._own_exporter(settings).export(body, timeout_ms)
        except ExportError as error:
            self._pause(str(error))
        else:
            self._pause_ms = FIRST_PAUSE_MS

    def _own_exporter(self, settings: "ExportSettings") -> "Exporter":
        """The exporter of this process: a fork must not speak on its parent's connection."""
        from .._export import Exporter

        if self._exporter is None or self._process_id != os.getpid():
            self._exporter = Exporter(settings)
            self._process_id = os.getpid()
        return self._exporter

    def _pause(self, reason: str) -> None:
        from .._report import report

        report(f"a span was not exported, {reason}; trying again in {self._pause_ms // 1000} s")
        self._resume_ms = _now_ms() + self._pause_ms
        self._pause_ms = min(2 * self._pause_ms, LONGEST_PAUSE_MS)

    def _own_resource(self, invocation: "Invocation") -> "dict[str, Any]":
        from .. import _invocation

        if self._resource is None:
            account = _invocation.account_id(_arn(invocation))
            self._resource = _invocation.resource_attributes(self._environ, account=account)
        return self._resource

    def _span(
        self, invocation: "Invocation", time_ns: int, error: "Optional[dict[str, str]]"
    ) -> "Span":
        from .. import _invocation
        from .._gathered import gather

        attributes = _invocation.invocation_attributes(
            request_id=invocation.request_id,
            cold_start=invocation.cold_start,
            invoked_function_arn=_arn(invocation),
        )
        attributes.update(invocation.attributes)
        attributes.update(invocation.response_attributes)
        resource = self._own_resource(invocation)
        span = _invocation.invocation_span(
            invocation.context,
            span_id=invocation.span_id,
            name=resource.get("faas.name") or resource["service.name"],
            start_time_unix_nano=invocation.start_time_unix_nano,
            end_time_unix_nano=time_ns,
            attributes=attributes,
            links=invocation.links,
            error=error,
        )
        if invocation.record is not None:
            gather(span, invocation.record.gathered())
        return span


def _arn(invocation: "Invocation") -> str:
    return str(getattr(invocation.request, "invoked_function_arn", None) or "")


def _finished(told: "LibrarySpan", end_ns: int) -> "Span":
    from .._gathered import gather
    from .._span import FLAG_HAS_IS_REMOTE, Span

    span = Span(
        trace_id=told.trace_id,
        span_id=told.span_id,
        parent_span_id=told.parent_span_id,
        trace_state=told.trace_state,
        flags=told.flags | FLAG_HAS_IS_REMOTE,
        name=told.name,
        kind=told.kind,
        start_time_unix_nano=told.start_time_unix_nano,
        end_time_unix_nano=max(told.start_time_unix_nano, end_ns),
        attributes=told.attributes,
        scope=told.scope,
        resource=told.resource,
    )
    gather(span, told.gathered())
    return span


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _spare_ms(invocation: "Invocation") -> int:
    """The time until the function's deadline, less what the response needs."""
    deadline_ms = int(invocation.request.deadline_time_in_ms)
    return deadline_ms - time.time_ns() // 1_000_000 - RESPONSE_MARGIN_MS
