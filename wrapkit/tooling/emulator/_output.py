"""What a process writes to its standard output and error, as log lines."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# CloudWatch's limit of one event; a longer line is cut into several records.
_MAX_LINE_BYTES = 256 * 1024
_PIECE_BYTES = 64 * 1024
# pipe(7): a pipe holds 64 KiB. A process that never stops writing must not keep the host reading.
_PIPE_PIECES = 4


class Output:
    """A pipe that a process writes to; ``on_line(text)`` gets each line, without its line end.

    ``drain`` takes what has been written so far: called before the platform's own records, it keeps
    the log in order.
    """

    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._partial = b""
        self._read, self.write_end = os.pipe()
        os.set_blocking(self._read, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read, self._take)

    def close_write_end(self) -> None:
        """Lets go of the host's copy of the writing end, once the process has its own."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def _take(self) -> bool:
        """Reads one piece; False when there is nothing (more) to read."""
        try:
            piece = os.read(self._read, _PIECE_BYTES)
        except BlockingIOError:
            return False
        if not piece:
            self.close()
            return False
        *lines, self._partial = (self._partial + piece).split(b"\n")
        for line in lines:
            self._on_line(line.decode(errors="replace"))
        while len(self._partial) > _MAX_LINE_BYTES:
            self._on_line(self._partial[:_MAX_LINE_BYTES].decode(errors="replace"))
            self._partial = self._partial[_MAX_LINE_BYTES:]
        return True

    def drain(self) -> None:
        """Takes all that had been written when it was called: no more than a pipe holds."""
        for _ in range(_PIPE_PIECES):
            if self._read < 0 or not self._take():
                return

    def finish(self) -> None:
        """Takes the rest, a last line without a line end included, and closes."""
        self.drain()
        self.close()

    def close(self) -> None:
        """Gives the unfinished line and closes the pipe."""
        self.close_write_end()
        if self._read < 0:
            return
        self._loop.remove_reader(self._read)
        os.close(self._read)
        self._read = -1
        if self._partial:
            partial, self._partial = self._partial, b""
            self._on_line(partial.decode(errors="replace"))
