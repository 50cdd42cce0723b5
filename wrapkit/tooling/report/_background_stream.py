"""A stream that never holds its writer up: another thread does the writing."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

# What comes within this time is written at once: a thread that is woken for each line takes turns
# with the one that produces them.
_GATHER_S = 0.01
# Who was interrupted does not wait for a terminal that takes nothing any more.
_LAST_WORDS_S = 1.0


class BackgroundStream(io.TextIOBase):
    """Writes to ``stream`` what it is given, in order; leaving ``async with`` waits until it has.

    For the emulator's loop: a terminal takes milliseconds for a screenful, in which a function that
    prints would find its pipe full, and the times of the run would be the terminal's. What waits is
    unbounded, as the run's log is, which holds the same lines.

    An error of the stream (the reader went away) is raised by the next ``write``, or at the end.
    """

    def __init__(self, stream: TextIO) -> None:
        stream.flush()
        self._stream = stream
        self._queue: queue.SimpleQueue[str | Callable[[], object]] = queue.SimpleQueue()
        self._error: OSError | ValueError | None = None
        # A daemon: a terminal that takes nothing any more does not keep the process from ending.
        threading.Thread(target=self._write_all, daemon=True, name="wrapkit report").start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._error is not None:
            raise self._error
        self._queue.put(text)
        return len(text)

    async def __aenter__(self) -> TextIO:
        return cast("TextIO", self)

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            await self._finish()
            return
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            await asyncio.wait_for(self._finish(), _LAST_WORDS_S)

    async def _finish(self) -> None:
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._queue.put(lambda: loop.call_soon_threadsafe(_set_done, done))
        await done
        if self._error is not None:
            raise self._error

    def _write_all(self) -> None:
        while True:
            items = [self._queue.get()]
            if self._queue.empty():
                time.sleep(_GATHER_S)
            # No more than there is now: who never pauses is heard all the same.
            items += [self._queue.get() for _ in range(self._queue.qsize())]
            self._write("".join(item for item in items if isinstance(item, str)))
            ends = [item for item in items if not isinstance(item, str)]
            for end in ends:
                with contextlib.suppress(RuntimeError):  # nobody waits any more: no loop is left
                    end()
            if ends:
                return

    def _write(self, text: str) -> None:
        if self._error is not None:
            return
        # Past the stream's buffer: its lock, held in a write that never ends, would not let the
        # interpreter end.
        data = text.encode(self._stream.encoding, self._stream.errors or "strict")
        try:
            while data:
                data = data[os.write(self._stream.fileno(), data) :]
        except OSError as error:
            # Of the kind that belongs to the number, with the place besides.
            self._error = OSError(error.errno, error.strerror, self._stream.name)
        except ValueError as error:  # it has been closed
            self._error = error


def _set_done(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
