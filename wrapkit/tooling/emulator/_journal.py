"""What is recorded: every record once, to the telemetry subscribers, to the caller, and as lines to
the log.
"""

from __future__ import annotations

import hashlib
import json
from collections import deque
from typing import TYPE_CHECKING, Any

from wrapkit.lifecycle import (
    TRACING_TYPE,
)

from ._levels import is_below
from ._log import log_lines
from ._records import Record, iso_time
from ._telemetry import Telemetry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._clock import Clock
    from ._function import Function
    from ._invocation import Invocation

# The invocation's answer carries the last 4 KB of the log (Lambda API reference, Invoke, X-Amz-Log-
# Result).
_TAIL_BYTES = 4096


class Journal:
    """Completes the platform's records with what the lifecycle core cannot know, and passes all
    records on.
    """

    def __init__(
        self,
        function: Function,
        *,
        runtime_version: str,
        log_stream: str,
        clock: Clock,
        on_record: Callable[[Record], None] | None,
        on_log_line: Callable[[str], None] | None,
    ) -> None:
        self._function = function
        self._runtime_version = runtime_version
        self._log_stream = log_stream
        self._clock = clock
        self._on_record, self._on_log_line = on_record, on_log_line
        self._tail: deque[str] = deque(maxlen=1000)
        self._dropping = False
        self._last_ms = 0.0
        self.telemetry = Telemetry(clock, self._dropped)
        self.invocations: dict[str, Invocation] = {}

    def platform(self, kind: str, content: dict[str, Any], *, max_memory_used_mb: int) -> None:
        """Completes, in place, what the lifecycle core emitted, and records it."""
        self._complete(kind, content, max_memory_used_mb)
        record = Record(self._clock.now_ms(), kind, content)
        if kind == "platform.start":
            self._tail.clear()
        self._write(record)
        for line in log_lines(record, self._function.log_format, self._function.system_log_level):
            self._write_line(line)

    def text(self, kind: str, text: str, level: str, time_ms: float | None) -> None:
        """Records what the function or an extension wrote; ``kind`` is function or extension.

        ``level`` and ``time_ms`` as its writer gave them, if it did.
        """
        content: Mapping[str, Any] | str = text
        if self._function.log_format == "JSON":
            content = _parse(text)
        # A message has its writer's time, a line that of its reading; together they stay ordered.
        now_ms = self._clock.now_ms() if time_ms is None else max(time_ms, self._last_ms)
        self._write(Record(now_ms, kind, content))
        # Levels thin out the log only, not the telemetry.
        if kind == "function" and self._is_hidden(content, level):
            return
        # The runtime client joins the parts of an error with carriage returns, to make one event of
        # them.
        self._write_line(text.replace("\r", "\n"))

    def _is_hidden(self, content: Mapping[str, Any] | str, level: str) -> bool:
        if self._function.log_format != "JSON":
            return False
        if not isinstance(content, str):
            level = str(content.get("level") or content.get("log_level") or level)
        return is_below(level, self._function.application_log_level)

    @property
    def tail(self) -> str:
        """The last 4 KB of the log of the invocation."""
        text = "\n".join(self._tail).encode()[-_TAIL_BYTES:]
        return text.decode(errors="ignore")

    def _write(self, record: Record) -> None:
        self._last_ms = record.time_ms
        self.telemetry.publish(record)
        if self._on_record is not None:
            self._on_record(record)

    def _write_line(self, line: str) -> None:
        self._tail.append(line[-_TAIL_BYTES:])
        if self._on_log_line is not None:
            self._on_log_line(line)

    def _complete(self, kind: str, content: dict[str, Any], max_memory_used_mb: int) -> None:
        if kind in ("platform.initStart", "platform.restoreStart"):
            content |= self._origin()
        elif kind == "platform.start":
            content["version"] = self._function.version
        elif kind == "platform.report" and not self._function.is_managed:
            content["metrics"] |= {
                "memorySizeMB": self._function.memory_mb,
                "maxMemoryUsedMB": max_memory_used_mb,
            }
        invocation = self.invocations.get(content.get("requestId", ""))
        if invocation is not None and invocation.trace_header:
            content["tracing"] = {"type": TRACING_TYPE, "value": invocation.trace_header}
        if invocation is not None and invocation.tenant_id:
            content["tenantId"] = invocation.tenant_id
        if self._on_record is not None or self.telemetry.is_heard:
            for span in content.get("spans", ()):
                span["start"] = iso_time(span["start"])

    def _origin(self) -> dict[str, Any]:
        version = f"{self._runtime_version}.v0"
        digest = hashlib.sha256(version.encode()).hexdigest()
        return {
            "functionName": self._function.name,
            "functionVersion": self._function.version,
            "instanceId": self._log_stream,
            "instanceMaxMemory": self._function.memory_mb,
            "runtimeVersion": version,
            "runtimeVersionArn": f"arn:aws:lambda:{self._function.region}::runtime:{digest}",
        }

    def _dropped(self, records: int, size_bytes: int, reason: str) -> None:
        if self._dropping:
            return  # the subscriber that takes nothing does not take this record, either
        self._dropping = True
        content = {"droppedBytes": size_bytes, "droppedRecords": records, "reason": reason}
        self._write(Record(self._clock.now_ms(), "platform.logsDropped", content))
        self._dropping = False


def _parse(text: str) -> Mapping[str, Any] | str:
    try:
        document = json.loads(text)
    except ValueError:
        return text
    return document if isinstance(document, dict) else text
