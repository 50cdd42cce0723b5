"""What waits to be exported, as finished request bodies: bounded, oldest dropped first and
counted.
"""

from .._otlp_http import PROTOBUF
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Callable, Union

    Route = tuple[str, str]

# Half of the 16 MB that an idle runner may have: what is queued must not make the function fail.
MAX_QUEUED_BYTES = 8 * 1024 * 1024
# Backends take 4 MiB and more (the OpenTelemetry Collector 20 MiB); intake services less than 10.
MAX_REQUEST_BYTES = 4 * 1024 * 1024
# Parts that are shorter on average are put together before they are sent: one copy of little is
# cheaper than what the kernel does for each.
_SHORT_BYTES = 8 * 1024


class Batch:
    """The body of one export request: ``size`` bodies as they were taken in, put together.

    ``parts``, of ``length`` bytes in all, are those that came: of megabytes each copy would count.
    ``destination`` is the name of the endpoint it is for, empty for OTEL_EXPORTER_OTLP_ENDPOINT's.
    """

    __slots__ = ("content_type", "destination", "length", "parts", "signal", "size")

    def __init__(
        self,
        *,
        signal: str,
        content_type: str,
        body: "Union[bytes, Sequence[bytes]]",
        size: int = 1,
        destination: str = "",
    ) -> None:
        self.signal = signal
        self.destination = destination
        self.content_type = content_type
        self.parts = [body] if isinstance(body, bytes) else list(body)
        self.length = sum([len(part) for part in self.parts])
        self.size = size

    @property
    def body(self) -> bytes:
        """All of it in one piece."""
        return self.parts[0] if len(self.parts) == 1 else b"".join(self.parts)

    @property
    def route(self) -> "Route":
        """What the batches of one queue have in common."""
        return self.signal, self.destination

    def to(self, destination: str) -> "Batch":
        """The same bytes, for another destination."""
        return Batch(
            signal=self.signal,
            content_type=self.content_type,
            body=self.parts,
            size=self.size,
            destination=destination,
        )

    def __repr__(self) -> str:
        return f"<Batch of {self.size} {self.signal}, {self.length} bytes>"


class Outbox:
    """The batches that wait, by signal and destination. ``dropped`` counts bodies that were given
    up.

    ``spill`` is offered the oldest before it is dropped, and says whether it could be kept.
    """

    __slots__ = ("_destinations", "_spill", "_waiting", "dropped", "queued_bytes")

    def __init__(self, spill: "Callable[[Batch], bool]" = lambda _: False) -> None:
        self._spill = spill
        self._waiting: dict[Route, list[Batch]] = {}
        self._destinations: dict[str, list[str]] = {}
        self.queued_bytes = 0
        self.dropped = 0

    def send_to(self, signal: str, destination: str) -> None:
        """From now on batches of ``signal`` are for this destination, too."""
        self._destinations.setdefault(signal, []).append(destination)

    def add(self, batch: Batch) -> None:
        """Queues ``batch`` behind what is there, once for each destination of its signal."""
        for destination in self._destinations.get(batch.signal, ("",)):
            self._queue(batch if destination == batch.destination else batch.to(destination))

    def _queue(self, batch: Batch) -> None:
        self._waiting.setdefault(batch.route, []).append(batch)
        self._grow(batch)

    def put_back(self, batch: Batch) -> None:
        """Queues a batch whose export failed, in front of what has come since."""
        self._waiting.setdefault(batch.route, []).insert(0, batch)
        self._grow(batch)

    def take(self, signal: str, destination: str = "") -> "Batch | None":
        """The next batch of ``signal``; None when nothing waits.

        Protobuf bodies are put together without decoding: concatenated messages of one type are
        that message with its repeated fields appended (protobuf's encoding guide, "Last One Wins").
        """
        waiting = self._waiting.get((signal, destination))
        if not waiting:
            return None
        count, total = 1, waiting[0].length
        if waiting[0].content_type == PROTOBUF:
            while count < len(waiting) and waiting[count].content_type == PROTOBUF:
                total += waiting[count].length
                if total > MAX_REQUEST_BYTES:
                    break
                count += 1
        taken = waiting[:count]
        del waiting[:count]
        batch = taken[0] if count == 1 else _joined(taken)
        self.queued_bytes -= batch.length
        return batch

    def waiting_bytes(self, signal: str, destination: str = "") -> int:
        """How much of ``signal`` waits."""
        return _total_bytes(self._waiting.get((signal, destination), []))

    def drop(self, batch: Batch) -> None:
        """Gives up a batch that was taken."""
        self.dropped += batch.size

    def __len__(self) -> int:
        return sum([batch.size for waiting in self._waiting.values() for batch in waiting])

    def __bool__(self) -> bool:
        return any(self._waiting.values())

    def _grow(self, batch: Batch) -> None:
        # What goes to several destinations counts for each: bounded is what can be waiting.
        self.queued_bytes += batch.length
        while self.queued_bytes > MAX_QUEUED_BYTES:
            longest = max(self._waiting.values(), key=_total_bytes)
            oldest = longest.pop(0)
            self.queued_bytes -= oldest.length
            if not self._spill(oldest):
                self.drop(oldest)
                said = f"more than {MAX_QUEUED_BYTES} bytes wait, dropping the oldest"
                report_once("outbox", said)


def _total_bytes(batches: "list[Batch]") -> int:
    return sum([batch.length for batch in batches])


def _joined(batches: "list[Batch]") -> Batch:
    parts = [part for batch in batches for part in batch.parts]
    total = sum([batch.length for batch in batches])
    return Batch(
        signal=batches[0].signal,
        destination=batches[0].destination,
        content_type=PROTOBUF,
        body=b"".join(parts) if total < _SHORT_BYTES * len(parts) else parts,
        size=sum([batch.size for batch in batches]),
    )
