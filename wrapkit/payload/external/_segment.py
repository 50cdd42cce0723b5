"""One file of the spool: records one after the other, each with its length and its checksums.

A record: ``wk``, its state (one byte), its kind (one byte), four numbers of four bytes each (little
endian): how many bodies it stands for, the length of its body, the body's CRC-32 and the header's
without the state; then the body.
"""

import posix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional

HEADER_BYTES = 20

_MAGIC = b"wk"
_WAITING, _DONE = 0, 1
_STATE_AT = 2
_SUFFIX = ".otlp"
_FLAGS = posix.O_RDWR | posix.O_NOFOLLOW | posix.O_CLOEXEC | posix.O_NONBLOCK
_REGULAR, _FORMAT = 0o100000, 0o170000


class SegmentError(Exception):
    """Bytes that are not what was written."""


class Record:
    """Where a body stands in its segment, and whether somebody has taken it."""

    __slots__ = ("crc", "done", "kind", "length", "offset", "size", "taken")

    def __init__(self, *, offset: int, kind: int, size: int, length: int, crc: int) -> None:
        self.offset = offset
        self.kind = kind
        self.size = size
        self.length = length
        self.crc = crc
        self.taken = False
        self.done = False

    @property
    def end(self) -> int:
        """Where the next record begins."""
        return self.offset + HEADER_BYTES + self.length


class Segment:
    """A file of the spool, open. ``damaged``: it holds bytes that are no record."""

    __slots__ = ("_fd", "_folder_fd", "_records", "damaged", "file_bytes", "number")

    def __init__(self, folder_fd: int, number: int, fd: int) -> None:
        self._folder_fd = folder_fd
        self._fd: Optional[int] = fd
        self._records: list[Record] = []
        self.number = number
        self.file_bytes = 0
        self.damaged = False

    @classmethod
    def create(cls, folder_fd: int, number: int) -> "Segment":
        """A new, empty file; ``OSError``."""
        flags = _FLAGS | posix.O_CREAT | posix.O_EXCL
        return cls(folder_fd, number, posix.open(_name(number), flags, 0o600, dir_fd=folder_fd))

    @classmethod
    def recover(cls, folder_fd: int, number: int, kinds: int, max_records: int) -> "Segment":
        """A file of an earlier life, without its torn tail; ``OSError`` where it is no such
        file.
        """
        segment = cls(folder_fd, number, posix.open(_name(number), _FLAGS, dir_fd=folder_fd))
        try:
            segment._scan(kinds, max_records)
        except BaseException:
            segment.close()
            raise
        return segment

    def _scan(self, kinds: int, max_records: int) -> None:
        """Reads the headers only: a body is checked when it is read, one at a time."""
        status = posix.fstat(self._open_fd)
        if status.st_mode & _FORMAT != _REGULAR or status.st_uid != posix.geteuid():
            raise PermissionError(1, "not a file of this user")
        while len(self._records) < max_records:
            record = self._header_at(self.file_bytes)
            if record is None or record.end > status.st_size or record.kind >= kinds:
                break
            self._records.append(record)
            self.file_bytes = record.end
        if self.file_bytes < status.st_size:
            # A torn tail is what a killed process leaves; headers that cannot be read look the
            # same, and without them nothing behind them can be found.
            self.damaged = True
            posix.ftruncate(self._open_fd, self.file_bytes)

    def _header_at(self, offset: int) -> "Optional[Record]":
        header = posix.pread(self._open_fd, HEADER_BYTES, offset)
        if len(header) < HEADER_BYTES or header[:2] != _MAGIC:
            return None
        size, length, crc, header_crc = [_number(header, at) for at in (4, 8, 12, 16)]
        if header_crc != _crc(_checked(header)):
            return None
        record = Record(offset=offset, kind=header[3], size=size, length=length, crc=crc)
        record.done = header[_STATE_AT] != _WAITING
        return record

    @property
    def _open_fd(self) -> int:
        if self._fd is None:
            raise OSError(9, "the file has been let go")
        return self._fd

    def takes_more(self, max_bytes: int, max_records: int) -> bool:
        """Whether a record may be written behind the last one, in a file that is still there."""
        if self.file_bytes >= max_bytes or len(self._records) >= max_records:
            return False
        return self._fd is not None and posix.fstat(self._fd).st_nlink > 0

    def append(self, kind: int, size: int, body: bytes) -> None:
        """Writes a record. ``OSError``, after which the file is as it was."""
        crc = _crc(body)
        record = Record(offset=self.file_bytes, kind=kind, size=size, length=len(body), crc=crc)
        header = bytearray(_MAGIC + bytes([_WAITING, kind]))
        for number in (size, len(body), crc):
            header += number.to_bytes(4, "little")
        header += _crc(_checked(header)).to_bytes(4, "little")
        try:
            written = posix.pwritev(self._open_fd, [header, body], self.file_bytes)
            if written < len(header) + len(body):  # the disk is full, or a limit is reached
                raise OSError(28, "no space left")
        except OSError:
            self._cut_back()
            raise
        self._records.append(record)
        self.file_bytes = record.end

    def _cut_back(self) -> None:
        try:
            posix.ftruncate(self._open_fd, self.file_bytes)
        except OSError:
            pass  # a torn tail, which the next record overwrites or the next life cuts off

    def waiting(self) -> "list[Record]":
        """The records that nobody has taken, oldest first."""
        return [record for record in self._records if not record.taken and not record.done]

    @property
    def waiting_size(self) -> int:
        """How many bodies these records stand for."""
        return sum([record.size for record in self.waiting()])

    @property
    def is_finished(self) -> bool:
        """Whether no record is left, taken or not."""
        return all(record.done for record in self._records)

    def read(self, record: Record) -> bytes:
        """The body; ``SegmentError`` when it is not what was written."""
        body = posix.pread(self._open_fd, record.length, record.offset + HEADER_BYTES)
        if len(body) != record.length or _crc(body) != record.crc:
            raise SegmentError
        return body

    def finish(self, record: Record) -> None:
        """Marks the record as done, for this life and the next."""
        if record.done:
            return
        record.done = True
        if self._fd is not None:
            posix.pwrite(self._fd, bytes([_DONE]), record.offset + _STATE_AT)

    def remove(self) -> None:
        """Deletes the file."""
        self.close()
        posix.unlink(_name(self.number), dir_fd=self._folder_fd)

    def close(self) -> None:
        """Lets the file go."""
        fd, self._fd = self._fd, None
        if fd is not None:
            posix.close(fd)


def segment_number(name: str) -> "Optional[int]":
    """The number in the name of a segment file; None for other files."""
    digits = name[: -len(_SUFFIX)]
    if name.endswith(_SUFFIX) and len(digits) == 8 and digits.isascii() and digits.isdigit():
        return int(digits)
    return None


def _name(number: int) -> str:
    return f"{number:08}{_SUFFIX}"


def _checked(header: "bytes | bytearray") -> bytes:
    """What the header's checksum covers: all before it but the state."""
    return bytes(header[:_STATE_AT] + header[_STATE_AT + 1 : 16])


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "little")


def _crc(data: bytes) -> int:
    import zlib

    return zlib.crc32(data)
