"""A command's own process adopts what its descendants leave behind, and leaves nothing behind.

An orphan goes to the nearest ancestor that has asked for it (PR_SET_CHILD_SUBREAPER, prctl(2)), so
not even a daemon that left its session and cleared its variables gets away. For a process that is
wrapkit's alone: whatever descends from it is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36
# Something may fork while others are being killed, and a killed process needs a moment to go.
_PASSES = 100
_PAUSE_S = 0.002


@contextlib.contextmanager
def no_orphans() -> Iterator[None]:
    """Adopts orphans, and kills every descendant of this process at the end."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        _kill_descendants()


def _kill_descendants() -> None:
    for _ in range(_PASSES):
        if not _has_children():
            return
        import psutil  # only where something was left

        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.Error):
                process.kill()
        time.sleep(_PAUSE_S)


def _has_children() -> bool:
    """Whether there are any; those that have ended are waited for."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
