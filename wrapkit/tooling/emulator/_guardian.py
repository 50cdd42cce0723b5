"""What ends with a sandbox however it ends: processes that left their group, and its folder.

Rule 1. The kernel kills the runtime and the extensions with their host (PR_SET_PDEATHSIG), but not
    what they have started themselves. A child of the host, the guardian, outlives a kill -9 of it,
    sees its end at a pipe, and kills the rest.
Rule 2. What belongs to a sandbox is found by what a process cannot easily shed: its mount
    namespace, else the sandbox's folder in the variables that it was started with.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from ._fork import fork_child

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# A process may fork while others are being killed, so it is looked again until nothing is found; a
# killed one needs a moment to go.
_PASSES = 100
_PAUSE_S = 0.002


def kill_all(find: Callable[[], Iterable[int]]) -> None:
    """Kills the processes that ``find`` lists, until it lists none."""
    for _ in range(_PASSES):
        pids = [pid for pid in find() if pid != os.getpid()]
        if not pids:
            return
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_PAUSE_S)


def in_mount_namespace(identity: int) -> Iterator[int]:
    """The pids of the processes in a mount namespace, which has the inode number ``identity``."""
    for pid in _pids():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}/ns/mnt").st_ino == identity:
                yield pid


def with_variable_about(folder: str) -> Iterator[int]:
    """The pids of the processes that were started with ``folder`` in one of their variables."""
    sought = os.fsencode(folder)
    for pid in _pids():
        with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
            if sought in file.read():
                yield pid


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


class Guardian:
    """The child process; ``body`` runs in it, with the descriptors in ``keep`` and no others open.

    ``body`` gets the descriptor whose end of file is the host's end.
    """

    def __init__(self, body: Callable[[int], None], keep: Iterable[int] = ()) -> None:
        end_of_host, self._host = os.pipe()
        kept = (end_of_host, *keep)

        def run() -> None:
            _close_all_but(kept)
            body(end_of_host)

        self.pid = fork_child(run)
        os.close(end_of_host)

    def close(self) -> None:
        """Ends the guardian: the host does its work."""
        if self._host < 0:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self._host)
        self._host = -1


def wait_for_end(end_of_host: int) -> None:
    """Returns when the host is gone."""
    os.read(end_of_host, 1)


def _close_all_but(kept: Iterable[int]) -> None:
    """What the host had open is not held open by a process that outlives it."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):  # the one that lists the folder
                os.close(int(name))
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        if standard not in kept:
            os.dup2(null, standard)
