"""All that waits to be exported: in memory, and behind that in the spool."""

from ._spool import SpooledBatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Optional

    from ._outbox import Batch, Outbox
    from ._spool import Spool


class Backlog:
    """Gives out batches of both, and takes the outcome of each to where it came from.

    ``rejected`` counts the items (spans, points, records) that endpoints did not take of batches
    that they took, ``recovered`` the bodies that were delivered out of the spool.
    """

    __slots__ = ("_outbox", "_spool", "recovered", "rejected")

    def __init__(self, outbox: "Outbox", spool: "Spool") -> None:
        self._outbox = outbox
        self._spool = spool
        self.rejected = 0
        self.recovered = 0

    def take(self, signal: str, *, spooled: bool = True) -> "Optional[Batch]":
        """The next batch of ``signal``, what is in memory first; None when there is none.

        ``spooled``: whether to look into the spool as well.
        """
        batch = self._outbox.take(signal)
        return batch if batch is not None or not spooled else self._spool.take(signal)

    def waits(self, signal: str) -> bool:
        """Whether there is a batch of ``signal`` in memory."""
        return self._outbox.waits(signal)

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

    def leave(self, signals: "Iterable[str]") -> int:
        """Moves what is in memory to the spool, for the environment's next life; how many bodies
        wait there then.
        """
        for signal in signals:
            batch = self._outbox.take(signal)
            while batch is not None:
                if not self._spool.add(batch):
                    self._outbox.drop(batch)
                batch = self._outbox.take(signal)
        waiting = len(self._spool)
        self._spool.close()
        return waiting
