"""Forking from the host: what a child must undo before it may do anything else."""

from __future__ import annotations

import gc
import os
import signal
import warnings
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

CHILD_FAILED = 125


def fork_child(body: Callable[[], None]) -> int:
    """Forks; the child leads its own process group, runs ``body`` and ends. Returns the child's
    pid.

    ``body`` reports through a pipe or executes another program: the child never returns into the
    host's code.
    """
    with warnings.catch_warnings():
        # Python 3.12 warns of fork beside threads: the child takes no lock that another thread
        # could hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _run_child(body)
    return pid


def _run_child(body: Callable[[], None]) -> NoReturn:
    try:
        gc.disable()
        os.setpgid(0, 0)
        # asyncio's wake-up socket is the host's: a signal to the child must not be told there.
        signal.set_wakeup_fd(-1)
        _restore_signals()
        body()
    finally:
        os._exit(CHILD_FAILED)


def _restore_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
