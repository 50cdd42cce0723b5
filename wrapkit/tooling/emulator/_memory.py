"""Max Memory Used: the high-water mark of the processes' resident memory."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 1024 * 1024
# The lines up to VmHWM have half of it.
_STATUS_BYTES = 4096
_HIGH_WATER = b"VmHWM:"


class MemoryMeter:
    """Takes samples of a set of process trees and keeps the highest.

    The kernel keeps each process's own high-water mark (VmHWM): of one process alone it is exact.
    The sum of several marks would count peaks that were not at the same time, so a sample is the
    highest of: one process at its mark, the others as they are now.
    """

    def __init__(self) -> None:
        self.max_bytes = 0

    def sample(
        self, pids: Iterable[int], *, descendants: bool = False, ended_peak_bytes: int = 0
    ) -> None:
        """Takes one sample; looking for descendants walks the whole process table, so not on the
        hot path. ``ended_peak_bytes`` is the mark of a process that has just ended.
        """
        tree = list(pids)
        if descendants:
            tree.extend(child for pid in tuple(tree) for child in descendants_of(pid))
        if len(tree) == 1 and not ended_peak_bytes:  # most environments; exact, see above
            self.max_bytes = max(self.max_bytes, high_water_bytes(tree[0]))
            return
        marks = [(high_water_bytes(pid), resident_bytes(pid)) for pid in tree]
        now_bytes = sum(resident for _, resident in marks)
        self.max_bytes = max(self.max_bytes, now_bytes + ended_peak_bytes)
        for mark, resident in marks:
            self.max_bytes = max(self.max_bytes, now_bytes - resident + mark)

    @property
    def max_mb(self) -> int:
        """In whole megabytes, rounded up as REPORT does."""
        return -(-self.max_bytes // MEGABYTE)


def resident_bytes(pid: int) -> int:
    """The resident memory of a process now; 0 for one that is gone."""
    try:
        with open(f"/proc/{pid}/statm", "rb", 0) as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def high_water_bytes(pid: int) -> int:
    """The most resident memory that a process has had; 0 for one that is gone."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status", "rb", 0) as file:
        status = file.read(_STATUS_BYTES)
        return int(status[status.index(_HIGH_WATER) :].split(None, 2)[1]) * 1024
    return 0


def descendants_of(pid: int) -> list[int]:
    """The pids of all that a process has started, and they in turn."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return []
