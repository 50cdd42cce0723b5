"""The system calls that Python 3.10 has no name for (``os.unshare`` and ``os.setns`` came with
3.12).
"""

from __future__ import annotations

import ctypes
import os
import signal

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_NOATIME, MS_NODIRATIME = 32, 1024, 2048
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_RELATIME = 4096, 8192, 16384, 1 << 18, 1 << 21
_PR_SET_PDEATHSIG = 1
# statvfs(3) gives the flags of a mount under other numbers for this one only.
_ST_RELATIME = 4096
_KEPT_FLAGS = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, call: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Gives the calling process namespaces of its own."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(descriptor: int, kind: int) -> None:
    """Moves the calling process into the namespace that the descriptor refers to."""
    _check(_libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kind)), "setns")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        os.fsencode(kind),
        ctypes.c_ulong(flags),
        os.fsencode(options),
    )
    _check(result, f"mount {target}")


def make_read_only(target: str) -> None:
    """Remounts a bind mount read-only; the flags it has are kept, since a user namespace may not
    drop them.
    """
    has = os.statvfs(target).f_flag
    kept = has & _KEPT_FLAGS | (MS_RELATIME if has & _ST_RELATIME else 0)
    mount("none", target, "none", MS_BIND | MS_REMOUNT | MS_RDONLY | kept)


def die_with_parent() -> None:
    """Asks the kernel for SIGKILL when the thread that forked us ends, so that even kill -9 of the
    host leaves nothing.
    """
    _check(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
