"""The records of the Telemetry API, which are also the source of the log."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Record:
    """One telemetry record: its time in epoch milliseconds, its type (``platform.start``,
    ``function`` ...), its content.

    The content of ``function`` and ``extension`` is a line of text, or with JSON logs the object
    that the line holds.
    """

    time_ms: float
    type: str
    record: Mapping[str, Any] | str

    @property
    def category(self) -> str:
        """What a subscriber asks for: ``platform``, ``function`` or ``extension``."""
        return self.type.partition(".")[0]

    def as_json(self, *, text_only: bool = False) -> bytes:
        """The object as the Telemetry API delivers it; ``text_only`` for the schema that knows log
        lines as text only.
        """
        content = self.record
        if text_only and self.category != "platform" and not isinstance(content, str):
            content = json.dumps(content)
        document = {"time": iso_time(self.time_ms), "type": self.type, "record": content}
        return json.dumps(document, separators=(",", ":")).encode()


def iso_time(time_ms: float) -> str:
    """Epoch milliseconds as the platform writes them: ``2022-10-12T00:00:15.064Z``."""
    seconds, milliseconds = divmod(int(time_ms), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03}Z"
