"""The function's and the extensions' logs on their way to the outbox, each with its span.

Rule 1. A record that names its request belongs to it. Another one belongs to the invocation that
        ran at its time, by the platform's word; to the Init, while that lasts; or to nobody.
Rule 2. The span's ids are looked up when the records are encoded: the hook's word has come by then,
        and an invocation that only the platform tells of is given its ids at the latest there.
Rule 3. The runner's own lines are extension records. They are left out: else what is said about an
        export that failed would be exported, and fail.
"""

import time

from .. import _invocation
from .._otlp_http import PROTOBUF
from .._span import SpanLink
from ._function_log import log_record
from ._otlp_logs import encode_logs
from ._outbox import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Callable, Optional

    from .._span import Span
    from ._log_record import LogRecord
    from ._outbox import Outbox

    # Each with its span, as far as that is known.
    _Records = list[tuple[LogRecord, Optional[SpanLink]]]

_OWN_PREFIX = "wrapkit: "
# As many as OpenTelemetry's batch processor puts into one request, and not much more than a batch
# of telemetry has.
_MAX_RECORDS = 512
_MAX_BYTES = 512 * 1024
# Of invocations that nothing but their lines is known of yet.
_MAX_UNKNOWN = 2 * _MAX_RECORDS
# Lines of an invocation come some 25 ms after it at most, or, after a freeze, with the next ones.
_MAX_REMEMBERED = 256


class LogBuffer:
    """Collects log records and encodes them in one go. The outbox bounds what waits: of a function
    that writes much it drops the logs before the spans, since theirs is the longest queue.

    ``resource`` gives the attributes of what the logs are of, ``span_of`` the span of an open
    invocation by its request id.
    """

    def __init__(
        self,
        outbox: "Outbox",
        resource: "Callable[[], Mapping[str, Any]]",
        span_of: "Callable[[str], Optional[SpanLink]]",
    ) -> None:
        self._outbox = outbox
        self._resource = resource
        self._span_of = span_of
        self._records: _Records = []
        self._bytes = 0
        self._unknown = 0  # how many of the records were looked at without finding their span
        self._running: dict[str, int] = {}  # since when, by request id
        self._last = ("", 0, 0)  # request id, start and end of the one that was over last
        self._over: dict[str, SpanLink] = {}

    def __bool__(self) -> bool:
        return bool(self._records)

    def began(self, request_id: str, time_ns: int) -> None:
        """``platform.start`` has come."""
        self._running[request_id] = time_ns
        if len(self._running) > _MAX_REMEMBERED:
            del self._running[next(iter(self._running))]

    def ended(self, request_id: str, time_ns: int) -> None:
        """``platform.runtimeDone`` or ``platform.report`` has come."""
        began_ns = self._running.pop(request_id, None)
        if began_ns is not None:
            self._last = (request_id, began_ns, time_ns)

    def invocation_ended(self, span: "Span") -> None:
        """An invocation has its span; lines of it may be still to come."""
        link = SpanLink(trace_id=span.trace_id, span_id=span.span_id, flags=span.flags)
        self._over[str(span.attributes.get("faas.invocation_id"))] = link
        if len(self._over) > _MAX_REMEMBERED:
            del self._over[next(iter(self._over))]

    def take(self, kind: str, content: "Any", time_ns: int, phase: "Optional[SpanLink]") -> None:
        """A ``function`` or ``extension`` record; ``phase`` is the Init that is under way."""
        if isinstance(content, str) and kind == "extension" and content.startswith(_OWN_PREFIX):
            return
        record = log_record(content, time_ns)
        record.attributes["aws.lambda.log.type"] = kind
        record.request_id = record.request_id or self._request_at(time_ns)
        if record.request_id:
            record.attributes["faas.invocation_id"] = record.request_id
        self._records.append((record, None if record.request_id else phase))
        self._bytes += _size_bytes(record)
        if len(self._records) - self._unknown >= _MAX_RECORDS or self._bytes >= _MAX_BYTES:
            self._encode_early()

    def _request_at(self, time_ns: int) -> str:
        begun = [request_id for request_id, ns in self._running.items() if ns <= time_ns]
        last, start_ns, end_ns = self._last
        if not begun:
            return last if start_ns <= time_ns <= end_ns else ""
        # Side by side, as on managed instances, nothing tells whose line it is.
        return begun[0] if len(begun) == 1 else ""

    def encode(self) -> None:
        """Moves what has been collected to the outbox, as one request body."""
        records, self._records, self._bytes, self._unknown = self._records, [], 0, 0
        if not records:
            return
        body = encode_logs(
            self._resource(),
            [(record, span or self._span(record.request_id)) for record, span in records],
            observed_time_unix_nano=time.time_ns(),
            scope_version=_invocation.wrapkit_version(),
        )
        self._outbox.add(Batch(signal="logs", content_type=PROTOBUF, body=body))

    def _encode_early(self) -> None:
        """Does so for want of room. INVOKE, or the platform's start, may be read just after the
        lines that belong to it, so these are kept for a while.
        """
        known: _Records = []
        unknown: _Records = []
        for record, span in self._records:
            found = span or self._span(record.request_id)
            (known if found or not record.request_id else unknown).append((record, found))
        size_bytes = self._bytes
        if len(unknown) > _MAX_UNKNOWN or size_bytes >= _MAX_BYTES:
            known, unknown, size_bytes = self._records, [], 0
        self._records = known
        self.encode()
        self._records, self._unknown, self._bytes = unknown, len(unknown), size_bytes

    def _span(self, request_id: str) -> "Optional[SpanLink]":
        if not request_id:
            return None
        return self._span_of(request_id) or self._over.get(request_id)


def _size_bytes(record: "LogRecord") -> int:
    body = record.body if isinstance(record.body, str) else str(record.body)
    return len(body) + len(str(record.attributes))
