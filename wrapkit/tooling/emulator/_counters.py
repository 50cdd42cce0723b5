"""The kernel's counters of one process and all that it starts: CPU time and instructions.

perf_event_open(2). Many a virtual machine has no counter of instructions, and many a container
refuses the call: what cannot be counted is None.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import struct

_SYSCALL_NUMBERS = {"x86_64": 298, "aarch64": 241}
# include/uapi/linux/perf_event.h
_ATTRIBUTES_BYTES = 112  # PERF_ATTR_SIZE_VER5
_ATTRIBUTES = struct.Struct("=IIQQQQQ")
# (type, config): PERF_COUNT_SW_TASK_CLOCK and PERF_COUNT_HW_INSTRUCTIONS.
_EVENTS = {"cpu": (1, 1), "instructions": (0, 1)}
_DISABLED, _INHERIT, _EXCLUDE_KERNEL, _ENABLE_ON_EXEC = 1 << 0, 1 << 1, 1 << 5, 1 << 12
_FLAG_CLOSE_ON_EXEC = 8
_IOCTL_ENABLE = 0x2400
_COUNT = struct.Struct("=Q")

_libc = ctypes.CDLL(None, use_errno=True)


class ProcessCounters:
    """Counts from the exec of a process on; processes that it starts are included, ended or not."""

    def __init__(self, pid: int) -> None:
        self._descriptors = {}
        for name, event in _EVENTS.items():
            descriptor = _open(event, pid)
            if descriptor is not None:
                self._descriptors[name] = descriptor

    def enable(self) -> None:
        """Counts from now on at the latest: the program may have run before we asked."""
        for descriptor in self._descriptors.values():
            with contextlib.suppress(OSError):
                fcntl.ioctl(descriptor, _IOCTL_ENABLE, 0)

    def cpu_ns(self) -> int | None:
        """CPU time of the process and its children; None where the kernel does not tell."""
        return self._read("cpu")

    def instructions(self) -> int | None:
        """Instructions of the process and its children; None where the kernel does not tell."""
        return self._read("instructions")

    def _read(self, name: str) -> int | None:
        descriptor = self._descriptors.get(name)
        if descriptor is None:
            return None
        count: int = _COUNT.unpack(os.read(descriptor, _COUNT.size))[0]
        return count

    def close(self) -> None:
        """Lets go of the counters."""
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()


def _open(event: tuple[int, int], pid: int) -> int | None:
    """A descriptor; with the kernel's part of the work if that may be seen, else without it."""
    for extra in (0, _EXCLUDE_KERNEL):
        flags = _DISABLED | _INHERIT | _ENABLE_ON_EXEC | extra
        kind, config = event
        packed = _ATTRIBUTES.pack(kind, _ATTRIBUTES_BYTES, config, 0, 0, 0, flags)
        attributes = ctypes.create_string_buffer(packed, _ATTRIBUTES_BYTES)
        number = _SYSCALL_NUMBERS.get(platform.machine())
        if number is None:
            return None
        descriptor: int = _libc.syscall(number, attributes, pid, -1, -1, _FLAG_CLOSE_ON_EXEC)
        if descriptor >= 0:
            return descriptor
    return None
