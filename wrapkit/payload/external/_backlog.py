"""All that waits to be exported: in memory, and behind that in the spool."""

from ._spool import SpooledBatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

    from ._outbox import Batch, Outbox, Route
    from ._spool import Spool


class Backlog:
    """Gives out batches of both, and takes the outcome of each to where it came from.

    ``rejected`` counts the items (spans, points, records) that endpoints did not take of batches
    that they took, ``recovered`` the bodies that were delivered out of the spool.
    """

    __slots__ = ("_outbox", "_routes", "_spool", "recovered", "rejected")

    def __init__(self, outbox: "Outbox", spool: "Spool") -> None:
        self._outbox = outbox
        self._spool = spool
        self._routes: list[Route] = []
        self.rejected = 0
        self.recovered = 0

    def send_to(self, signal: str, destination: str) -> None:
        """From now on what comes of ``signal`` is for this destination, too."""
        self._outbox.send_to(signal, destination)
        self._routes.append((signal, destination))

    def take(
        self, signal: str, destination: str = "", *, queued: bool = True, spooled: bool = True
    ) -> "Optional[Batch]":
        """The next batch of ``signal``, what is in memory first; None when there is none.

        ``queued``, ``spooled``: whether to look into memory, and into the spool.
        """
        batch = self._outbox.take(signal, destination) if queued else None
        if batch is not None or not spooled:
            return batch
        return self._spool.take(signal, destination)

    def waiting_bytes(self, signal: str, destination: str = "") -> int:
        """How much of ``signal`` is in memory."""
        return self._outbox.waiting_bytes(signal, destination)

    def delivered(self, batch: "Batch") -> None:
        """The endpoint has it."""
        if isinstance(batch, SpooledBatch):
            self._spool.delivered(batch)
            self.recovered += batch.size

    def drop(self, batch: "Batch") -> None:
        """The endpoint refused it for good."""
        if isinstance(batch, SpooledBatch):
            self._spool.drop(batch)
        else:
            self._outbox.drop(batch)

    def put_back(self, batch: "Batch") -> None:
        """It could not be sent now."""
        if isinstance(batch, SpooledBatch):
            self._spool.put_back(batch)
        else:
            self._outbox.put_back(batch)

    @property
    def dropped(self) -> int:
        """How many bodies were given up."""
        return self._outbox.dropped + self._spool.dropped

    def leave(self) -> int:
        """Moves what is in memory to the spool, for the environment's next life; how many bodies
        wait there then.
        """
        for signal, destination in self._routes:
            batch = self._outbox.take(signal, destination)
            while batch is not None:
                if not self._spool.add(batch):
                    self._outbox.drop(batch)
                batch = self._outbox.take(signal, destination)
        waiting = len(self._spool)
        self._spool.close()
        return waiting
