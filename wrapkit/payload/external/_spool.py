"""Export requests kept in /tmp for the next life of the execution environment: Lambda resets an
environment after a timeout or a crash, but does not clear its /tmp.

Rule 1. A record is written once, behind those before it, with its length and checksums. A process
        that is killed at any byte leaves whole records and at most one torn tail, which the next
        life cuts off. No fsync: the kernel keeps what a killed process wrote, and a lost machine
        takes /tmp along.
Rule 2. A record is marked as done in place, by one byte, as soon as it is delivered; a segment file
        is deleted when all its records are done. So a record is delivered twice only where the
        runner dies between the endpoint's answer and that byte.
Rule 3. One process owns the folder, by a lock that dies with it. Another one spools nothing.
Rule 4. Nothing is followed, trusted or raised: a folder that is a symbolic link or somebody else's,
        a full disk, a read-only /tmp, damaged bytes mean 'not spooled' or 'dropped', counted, and
        one line. A header that cannot be read hides what stands behind it in its segment, which
        then cannot be counted.
Rule 5. Bounded in bytes, files and records; the oldest segment goes first.
"""

import posix

from .. import _env
from .._otlp_http import JSON, PROTOBUF
from .._report import report_once
from ._outbox import Batch
from ._segment import HEADER_BYTES, Segment, SegmentError, segment_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Optional

    from ._segment import Record

# A thirty-second of the smallest /tmp (512 MB), which belongs to the function; twice what the
# outbox holds.
MAX_SPOOL_BYTES = 16 * 1024 * 1024
# Dropping the oldest drops a segment: the more of them, the less is lost at once.
MAX_SEGMENTS = 16
SEGMENT_BYTES = 1024 * 1024
# Bounds what is known of the records in memory: 16 segments of 256 are 1 MB.
SEGMENT_RECORDS = 256

_FOLDER = "wrapkit-spool"
_LOCK = "lock"
_KINDS = [(signal, content_type) for signal in _env.SIGNALS for content_type in (PROTOBUF, JSON)]
# A record's kind is one byte, and with it its destination.
MAX_DESTINATIONS = 256 // len(_KINDS)


class SpooledBatch(Batch):
    """A batch that came from the spool, and has to be answered for there."""

    __slots__ = ("record", "segment")

    def __init__(self, segment: "Segment", record: "Record", body: bytes, destination: str) -> None:
        signal, content_type = _KINDS[record.kind % len(_KINDS)]
        super().__init__(
            signal=signal,
            content_type=content_type,
            body=body,
            size=record.size,
            destination=destination,
        )
        self.segment = segment
        self.record = record


class Spool:
    """What waits in the folder ``path``. Same shape as the outbox: ``add``, ``take``, then one of
    ``delivered``, ``drop`` and ``put_back``. Nothing is touched before the first of them.

    ``destinations`` are the names of those that a batch may be for, in the order that they have in
    every life. ``dropped`` counts bodies that were in the spool and are given up, ``not_spooled``
    those that could not be written.
    """

    __slots__ = (
        "_destinations",
        "_folder_fd",
        "_last_number",
        "_lock_fd",
        "_max_bytes",
        "_path",
        "_segments",
        "dropped",
        "not_spooled",
    )

    def __init__(
        self,
        path: str,
        max_bytes: int = MAX_SPOOL_BYTES,
        destinations: "Sequence[str]" = ("",),
    ) -> None:
        self._path = path
        self._destinations = list(destinations)[:MAX_DESTINATIONS]
        self._max_bytes = max_bytes
        self._segments: list[Segment] = []
        self._last_number = 0
        self._folder_fd: Optional[int] = None
        self._lock_fd: Optional[int] = None
        self.dropped = 0
        self.not_spooled = 0

    # Public: what the runner calls

    def add(self, batch: Batch) -> bool:
        """Writes ``batch`` behind what is there; False when it could not be kept."""
        try:
            kind = self._kind(batch)
            self._open(create=True)
            self._make_room(HEADER_BYTES + batch.length)
            self._tail().append(kind, batch.size, batch.body)
        except OSError as error:
            self.not_spooled += batch.size
            report_once("spool", f"telemetry could not be kept in {self._path}", error)
            return False
        return True

    def _kind(self, batch: Batch) -> int:
        kind = (batch.signal, batch.content_type)
        known = kind in _KINDS and batch.destination in self._destinations
        if not known or HEADER_BYTES + batch.length > self._max_bytes:
            raise OSError(0, "it is no export request, or too long")
        return self._destinations.index(batch.destination) * len(_KINDS) + _KINDS.index(kind)

    def take(self, signal: str, destination: str = "") -> "Optional[SpooledBatch]":
        """The oldest batch of ``signal`` that nobody has taken; None when there is none."""
        try:
            self._open(create=False)
        except OSError:
            return None  # nothing there to read, or nothing that is ours
        for segment in list(self._segments):
            for record in segment.waiting():
                if self._is_for(record, signal, destination):
                    body = self._read(segment, record)
                    if body is not None:
                        return SpooledBatch(segment, record, body, destination)
        return None

    def _is_for(self, record: "Record", signal: str, destination: str) -> bool:
        index, kind = divmod(record.kind, len(_KINDS))
        return _KINDS[kind][0] == signal and self._destinations[index] == destination

    def delivered(self, batch: SpooledBatch) -> None:
        """The endpoint has it, so that it is never read again."""
        self._finish(batch.segment, batch.record)

    def drop(self, batch: SpooledBatch) -> None:
        """The endpoint refused it for good."""
        self.dropped += batch.size
        self._finish(batch.segment, batch.record)

    def put_back(self, batch: SpooledBatch) -> None:
        """It could not be sent; ``take`` finds it again, unless its segment had to go meanwhile."""
        batch.record.taken = False
        if batch.segment not in self._segments:
            self.dropped += batch.size

    def __len__(self) -> int:
        """How many bodies wait and are not taken."""
        return sum([segment.waiting_size for segment in self._segments])

    @property
    def spooled_bytes(self) -> int:
        """What the segments take in /tmp."""
        return sum([segment.file_bytes for segment in self._segments])

    def close(self) -> None:
        """Lets the folder go, to the next process that wants it."""
        for segment in self._segments:
            segment.close()
        self._segments = []
        for fd in (self._folder_fd, self._lock_fd):
            if fd is not None:
                posix.close(fd)
        self._folder_fd = self._lock_fd = None

    # The folder

    def _open(self, *, create: bool) -> None:
        """Takes the folder into possession and reads what is there; ``OSError`` where that cannot
        be.
        """
        if self._folder_fd is not None:
            if posix.fstat(self._folder_fd).st_nlink:
                return
            # The function has emptied /tmp.
            self.dropped += len(self)
            self.close()
        if create:
            try:
                posix.mkdir(self._path, 0o700)
            except FileExistsError:
                pass
        self._folder_fd = _open_folder(self._path)
        try:
            self._lock_fd = _lock(self._folder_fd)
            self._recover(self._folder_fd)
        except OSError:
            self.close()
            raise

    def _recover(self, folder_fd: int) -> None:
        found = [segment_number(name) for name in posix.listdir(folder_fd)]
        numbers = sorted([number for number in found if number is not None])
        self._last_number = numbers[-1] if numbers else 0
        # No more than this process makes: each costs a file descriptor.
        for number in numbers[-MAX_SEGMENTS:]:
            try:
                kinds = len(_KINDS) * len(self._destinations)
                segment = Segment.recover(folder_fd, number, kinds, SEGMENT_RECORDS)
            except OSError as error:
                report_once("spool segment", "a file of the spool cannot be read", error)
                continue
            self._segments.append(segment)
            if segment.damaged:
                self._report_damage()
            if segment.is_finished:
                self._remove(segment)

    def _tail(self) -> Segment:
        """The segment to write to."""
        assert self._folder_fd is not None  # noqa: S101 - opened by the caller
        if self._segments and self._segments[-1].takes_more(SEGMENT_BYTES, SEGMENT_RECORDS):
            return self._segments[-1]
        self._last_number += 1
        segment = Segment.create(self._folder_fd, self._last_number)
        self._segments.append(segment)
        return segment

    def _make_room(self, needed: int) -> None:
        while self._segments and (
            self.spooled_bytes + needed > self._max_bytes or self._is_full_of_segments()
        ):
            oldest = self._segments[0]
            self.dropped += oldest.waiting_size
            report_once("spool full", f"{self._path} is full, dropping the oldest telemetry")
            self._remove(oldest)

    def _is_full_of_segments(self) -> bool:
        if len(self._segments) < MAX_SEGMENTS:
            return False
        full = not self._segments[-1].takes_more(SEGMENT_BYTES, SEGMENT_RECORDS)
        return full or len(self._segments) > MAX_SEGMENTS

    # One record

    def _read(self, segment: Segment, record: "Record") -> "Optional[bytes]":
        record.taken = True
        try:
            return segment.read(record)
        except SegmentError:
            self._report_damage()
        except OSError as error:
            report_once("spool read", "telemetry of an earlier life cannot be read", error)
        self.dropped += record.size
        self._finish(segment, record)
        return None

    def _finish(self, segment: Segment, record: "Record") -> None:
        try:
            segment.finish(record)
        except OSError as error:
            report_once("spool finish", "telemetry may be delivered twice", error)
        if segment.is_finished and segment in self._segments:
            self._remove(segment)

    def _remove(self, segment: Segment) -> None:
        self._segments.remove(segment)
        try:
            segment.remove()
        except FileNotFoundError:
            pass  # the function has tidied up
        except OSError as error:
            report_once("spool remove", "a file of the spool cannot be deleted", error)

    def _report_damage(self) -> None:
        report_once("spool damage", f"{self._path} holds damaged bytes; leaving them out")


def spool_path(environ: "Mapping[str, str]") -> str:
    """The folder of the spool: in TMPDIR, else in /tmp."""
    return _env.temporary_folder(environ) + "/" + _FOLDER


def _open_folder(path: str) -> int:
    """A descriptor of the folder itself: all else is opened relative to it, so that nobody can put
    another one in its place meanwhile.
    """
    flags = posix.O_RDONLY | posix.O_DIRECTORY | posix.O_NOFOLLOW | posix.O_CLOEXEC
    fd = posix.open(path, flags)
    status = posix.fstat(fd)
    if status.st_uid == posix.geteuid() and not status.st_mode & 0o022:
        return fd
    posix.close(fd)
    raise PermissionError(1, "others may write there")


def _lock(folder_fd: int) -> int:
    flags = posix.O_RDWR | posix.O_CREAT | posix.O_NOFOLLOW | posix.O_CLOEXEC
    fd = posix.open(_LOCK, flags, 0o600, dir_fd=folder_fd)
    try:
        posix.lockf(fd, posix.F_TLOCK, 0)
    except OSError:
        posix.close(fd)
        raise OSError(16, "another process uses it") from None
    return fd
