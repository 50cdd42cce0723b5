"""Counts the files that a tree of processes opens, as fanotify(7) tells; root only."""

from __future__ import annotations

import contextlib
import ctypes
import os
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# include/uapi/linux/fanotify.h
_CLOSE_ON_EXEC, _UNLIMITED_QUEUE = 0x1, 0x10
_MARK_ADD, _MARK_FILESYSTEM = 0x1, 0x100
_OPEN = 0x20
_AT_FDCWD = -100
# event_len, vers, reserved, metadata_len, mask, fd, pid
_EVENT = struct.Struct("=IBBHQii")
_BUFFER_BYTES = 65536
_POLL_S = 0.05

_libc = ctypes.CDLL(None, use_errno=True)


class OpenedFiles:
    """A context within which the files that our descendants open are counted.

    Each file counts once for each process: the kernel merges what comes again before it is read.
    ``count`` is None, and ``problem`` says why, where the kernel does not tell.
    """

    def __init__(self, places: Iterable[Path]) -> None:
        self.count: int | None = None
        self.problem = ""
        self._places = {os.stat(place).st_dev: place for place in places}
        self._seen: set[tuple[int, int, int]] = set()
        self._is_ours: dict[int, bool] = {os.getpid(): True}
        self._descriptor = -1
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> OpenedFiles:
        flags = _CLOSE_ON_EXEC | _UNLIMITED_QUEUE
        self._descriptor = _libc.fanotify_init(flags, os.O_RDONLY | os.O_CLOEXEC)
        if self._descriptor < 0:
            self.problem = f"fanotify: {os.strerror(ctypes.get_errno())}"
            return self
        os.set_blocking(self._descriptor, False)
        for place in self._places.values():
            self._watch(place)
        if not self.problem:  # else it would be a part of the files only
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor < 0:
            return
        if self._thread.is_alive():
            self._ended.set()
            self._thread.join()
            self.count = len(self._seen)
        os.close(self._descriptor)

    def _watch(self, place: Path) -> None:
        result = _libc.fanotify_mark(
            self._descriptor,
            _MARK_ADD | _MARK_FILESYSTEM,
            ctypes.c_uint64(_OPEN),
            _AT_FDCWD,
            os.fsencode(place),
        )
        if result:
            self.problem = f"fanotify of {place}: {os.strerror(ctypes.get_errno())}"

    def _read(self) -> None:
        """Until told to end, and then until nothing is left."""
        while True:
            is_last = self._ended.wait(0)
            try:
                data = os.read(self._descriptor, _BUFFER_BYTES)
            except BlockingIOError:
                if is_last:
                    return
                self._ended.wait(_POLL_S / 50)
                continue
            self._take(data)

    def _take(self, data: bytes) -> None:
        offset = 0
        while offset < len(data):
            length, *_, descriptor, pid = _EVENT.unpack_from(data, offset)
            offset += length
            if descriptor < 0:
                continue
            opened = os.fstat(descriptor)
            os.close(descriptor)
            if pid != os.getpid() and self._descends(pid):
                self._seen.add((pid, opened.st_dev, opened.st_ino))

    def _descends(self, pid: int) -> bool:
        known = self._is_ours.get(pid)
        if known is None:
            parent = _parent(pid)
            known = parent > 1 and self._descends(parent)
            self._is_ours[pid] = known
        return known


def _parent(pid: int) -> int:
    """0 for a process that is gone."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0
