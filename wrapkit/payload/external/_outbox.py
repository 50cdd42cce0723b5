"""What waits to be exported, as finished request bodies: bounded, oldest dropped first and
counted.
"""

from .._otlp_http import PROTOBUF
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable

# Half of the 16 MB that an idle runner may have: what is queued must not make the function fail.
MAX_QUEUED_BYTES = 8 * 1024 * 1024
# Backends take 4 MiB and more (the OpenTelemetry Collector 20 MiB); intake services less than 10.
MAX_REQUEST_BYTES = 4 * 1024 * 1024


class Batch:
    """The body of one export request: ``size`` bodies as they were taken in, put together."""

    __slots__ = ("body", "content_type", "signal", "size")

    def __init__(self, *, signal: str, content_type: str, body: bytes, size: int = 1) -> None:
        self.signal = signal
        self.content_type = content_type
        self.body = body
        self.size = size

    def __repr__(self) -> str:
        return f"<Batch of {self.size} {self.signal}, {len(self.body)} bytes>"


class Outbox:
    """The batches that wait, by signal. ``dropped`` counts bodies that were given up.

    ``spill`` is offered the oldest before it is dropped, and says whether it could be kept.
    """

    __slots__ = ("_spill", "_waiting", "dropped", "queued_bytes")

    def __init__(self, spill: "Callable[[Batch], bool]" = lambda _: False) -> None:
        self._spill = spill
        self._waiting: dict[str, list[Batch]] = {}
        self.queued_bytes = 0
        self.dropped = 0

    def add(self, batch: Batch) -> None:
        """Queues ``batch`` behind what is there."""
        self._waiting.setdefault(batch.signal, []).append(batch)
        self._grow(batch)

    def put_back(self, batch: Batch) -> None:
        """Queues a batch whose export failed, in front of what has come since."""
        self._waiting.setdefault(batch.signal, []).insert(0, batch)
        self._grow(batch)

    def take(self, signal: str) -> "Batch | None":
        """The next batch of ``signal``; None when nothing waits.

        Protobuf bodies are put together without decoding: concatenated messages of one type are
        that message with its repeated fields appended (protobuf's encoding guide, "Last One Wins").
        """
        waiting = self._waiting.get(signal)
        if not waiting:
            return None
        count, total = 1, len(waiting[0].body)
        if waiting[0].content_type == PROTOBUF:
            while count < len(waiting) and waiting[count].content_type == PROTOBUF:
                total += len(waiting[count].body)
                if total > MAX_REQUEST_BYTES:
                    break
                count += 1
        taken = waiting[:count]
        del waiting[:count]
        batch = taken[0] if count == 1 else _joined(taken)
        self.queued_bytes -= len(batch.body)
        return batch

    def waits(self, signal: str) -> bool:
        """Whether there is a batch of ``signal``."""
        return bool(self._waiting.get(signal))

    def drop(self, batch: Batch) -> None:
        """Gives up a batch that was taken."""
        self.dropped += batch.size

    def __len__(self) -> int:
        return sum([batch.size for waiting in self._waiting.values() for batch in waiting])

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def _grow(self, batch: Batch) -> None:
        self.queued_bytes += len(batch.body)
        while self.queued_bytes > MAX_QUEUED_BYTES:
            longest = max(self._waiting.values(), key=_total_bytes)
            oldest = longest.pop(0)
            self.queued_bytes -= len(oldest.body)
            if not self._spill(oldest):
                self.drop(oldest)
                said = f"more than {MAX_QUEUED_BYTES} bytes wait, dropping the oldest"
                report_once("outbox", said)


def _total_bytes(batches: "list[Batch]") -> int:
    return sum([len(batch.body) for batch in batches])


def _joined(batches: "list[Batch]") -> Batch:
    return Batch(
        signal=batches[0].signal,
        content_type=PROTOBUF,
        body=b"".join([batch.body for batch in batches]),
        size=sum([batch.size for batch in batches]),
    )
