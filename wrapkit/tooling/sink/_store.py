"""Keeps the telemetry that a sink accepted, in the order of arrival."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ._decoding import decode_request
from ._model import LogRecord, Metric, ReceivedRequest, Span

if TYPE_CHECKING:
    from collections.abc import Iterable

# A sink lives as long as one run; beyond this an endless loop of spans would take the developer's
# memory.
MAX_ITEMS = 200_000


class TelemetryStore:
    """What has come in: `spans`, `log_records`, `metrics`, and the `requests` they came in.

    A span whose trace and span id came before is in `duplicate_spans`, not in `spans`: to a backend
    it would be the same span twice. What came after `MAX_ITEMS` is counted in `dropped`.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.duplicate_spans: list[Span] = []
        self.log_records: list[LogRecord] = []
        self.metrics: list[Metric] = []
        self.requests: list[ReceivedRequest] = []
        self.dropped = 0
        self._undecoded: list[tuple[ReceivedRequest, bytes]] = []
        self._span_ids: set[tuple[str, str]] = set()
        self._arrived = asyncio.Condition()

    def add_undecoded(self, request: ReceivedRequest, body: bytes) -> None:
        """Keep one request's body for `decode_pending`."""
        self.requests.append(request)
        self._undecoded.append((request, body))

    def decode_pending(self) -> None:
        """Decode what was kept undecoded; raises `MalformedExportError`."""
        undecoded, self._undecoded = self._undecoded, []
        for request, body in undecoded:
            for item in decode_request(request.signal, body, is_json=request.is_json):
                self._keep(item)

    async def add(
        self, request: ReceivedRequest, items: Iterable[Span | LogRecord | Metric]
    ) -> None:
        """Keep one accepted request and wake those who wait for spans."""
        self.requests.append(request)
        for item in items:
            self._keep(item)
        async with self._arrived:
            self._arrived.notify_all()

    def _keep(self, item: Span | LogRecord | Metric) -> None:
        kept = (
            len(self.spans) + len(self.duplicate_spans) + len(self.log_records) + len(self.metrics)
        )
        if kept >= MAX_ITEMS:
            self.dropped += 1
        elif isinstance(item, LogRecord):
            self.log_records.append(item)
        elif isinstance(item, Metric):
            self.metrics.append(item)
        else:
            self._keep_span(item)

    def _keep_span(self, span: Span) -> None:
        identity = (span.trace_id, span.span_id)
        (self.duplicate_spans if identity in self._span_ids else self.spans).append(span)
        self._span_ids.add(identity)

    async def wait_for_spans(self, count: int, timeout_s: float) -> list[Span]:
        """The spans once there are `count` of them; raises `TimeoutError` after `timeout_s`, which
        may be infinite.
        """
        async with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.spans) >= count)
            try:
                await asyncio.wait_for(enough, None if timeout_s == math.inf else timeout_s)
            except asyncio.TimeoutError as error:  # the built-in one since Python 3.11 only
                raise TimeoutError(f"{len(self.spans)} of {count} spans came") from error
        return self.spans

    def take_spans(self) -> list[Span]:
        """The spans so far; everything is forgotten, so that a sink may run for long."""
        taken, self.spans = self.spans, []
        for kept in (self.duplicate_spans, self.log_records, self.metrics, self.requests):
            kept.clear()
        self._span_ids.clear()
        return taken
