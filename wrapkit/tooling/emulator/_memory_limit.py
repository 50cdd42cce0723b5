"""The function's memory size as a limit: whoever takes most is killed when all take more than that.

Not a control group's limit: that would count the files in /tmp, which lie in memory here and on a
disk on Lambda. What is counted is what the kernel could not take back: anonymous and shared pages,
not those of files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_COUNTED = (b"RssAnon:", b"RssShmem:")
_PROPORTIONAL = (b"Pss_Anon:", b"Pss_Shmem:")


class MemoryLimit:
    """Tells who is to be killed, from samples of the processes.

    Between two samples a process may take memory and give it back: its own high-water mark, which
    the kernel keeps, counts as well. Pages that several processes share (after a fork) are counted
    in full at first, and by their share only when it matters, since that takes the kernel longer.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._file_bytes: dict[int, int] = {}  # the most that each has had of files' pages

    def exceeded_by(self, trees: Mapping[str, Iterable[int]]) -> str | None:
        """The tree of processes that takes most, when all together take too much."""
        sizes = {name: {pid: self._sizes(pid) for pid in pids} for name, pids in trees.items()}
        single = [size for tree in sizes.values() for size in tree.values()]
        total = sum(now for now, _ in single)
        extra = max((peak - now for now, peak in single), default=0)
        if total + extra <= self._limit_bytes or not self._is_confirmed(sizes):
            return None
        return max(sizes, key=lambda name: sum(peak for _, peak in sizes[name].values()))

    def _is_confirmed(self, sizes: Mapping[str, Mapping[int, tuple[int, int]]]) -> bool:
        if any(peak > self._limit_bytes for tree in sizes.values() for _, peak in tree.values()):
            return True
        shares = [_read_kb(f"{pid}/smaps_rollup") for tree in sizes.values() for pid in tree]
        total_kb = sum(share.get(name, 0) for share in shares for name in _PROPORTIONAL)
        return total_kb * 1024 > self._limit_bytes

    def _sizes(self, pid: int) -> tuple[int, int]:
        """What the process takes now, and the most that it has taken, in bytes."""
        status = _read_kb(f"{pid}/status")
        now = sum(status.get(name, 0) for name in _COUNTED) * 1024
        file_bytes = max(status.get(b"RssFile:", 0) * 1024, self._file_bytes.get(pid, 0))
        self._file_bytes[pid] = file_bytes
        return now, max(now, status.get(b"VmHWM:", 0) * 1024 - file_bytes)


def _read_kb(path: str) -> dict[bytes, int]:
    """The sizes in a file of /proc, by their names; none for a process that is gone."""
    try:
        with open(f"/proc/{path}", "rb") as file:
            lines = [line.split() for line in file]
    except OSError:
        return {}
    return {words[0]: int(words[1]) for words in lines if len(words) == 3 and words[2] == b"kB"}
