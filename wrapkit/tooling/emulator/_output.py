"""What a process writes: lines to its standard output and error, frames to its log descriptor.

Both go through one pipe, so that they keep the order in which they were written. A frame, of the
descriptor that ``_LAMBDA_TELEMETRY_LOG_FD`` names, is a type, a length, the time in microseconds,
and a message that may have several lines; big-endian. The type's last five bits are the message's
level and format. Source: awslambdaric, ``FramedTelemetryLogSink``.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# The number that the descriptor has on the platform.
LOG_DESCRIPTOR = 62
LOG_DESCRIPTOR_VARIABLE = "_LAMBDA_TELEMETRY_LOG_FD"
# CloudWatch's limit of one event; a longer line is cut into several records.
_MAX_LINE_BYTES = 256 * 1024
_MAX_MESSAGE_BYTES = 4 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
# A write that finds room is never torn apart by another: room for the threads of a process.
_PIPE_BYTES = 256 * 1024
_HEADER = struct.Struct(">HHIQ")
# Not the begin of any character in UTF-8, and no text holds the NUL.
_MAGIC = b"\xa5\x5a\x00"
_LEVELS = {1: "TRACE", 2: "DEBUG", 3: "INFO", 4: "WARN", 5: "ERROR", 6: "FATAL"}


class Output:
    """A pipe that a process writes to.

    ``on_text(text, level, time_ms)`` gets each line, without its line end, and each message; level
    and time only of a message that says them, else "" and None. ``drain`` takes what has been
    written so far: called before the platform's own records, it keeps the log in order.
    """

    def __init__(self, on_text: Callable[[str, str, float | None], None]) -> None:
        self._on_text = on_text
        self._unread = b""
        self._line = b""
        self._read, self.write_end = os.pipe()
        os.set_blocking(self._read, False)
        with contextlib.suppress(OSError):  # an ordinary user's pipes have a limit together
            fcntl.fcntl(self._read, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
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
        data = self._unread + piece if self._unread else piece
        while (start := data.find(_MAGIC)) >= 0:
            self._take_lines(data[:start])
            data = data[start:]
            length = self._take_frame(data)
            if length == 0:
                break
            data = data[length:]
        else:
            start = len(data) - _begun_magic(data)
            self._take_lines(data[:start])
            data = data[start:]
        self._unread = data
        return True

    def _take_frame(self, data: bytes) -> int:
        """Gives the message at the begin of the data; how much of them that was, 0 if not all."""
        if len(data) < _HEADER.size:
            return 0
        kind: int
        length: int
        _, kind, length, time_us = _HEADER.unpack_from(data)
        if kind >> 5 or length > _MAX_MESSAGE_BYTES:  # it only looks like one
            self._take_lines(_MAGIC)
            return len(_MAGIC)
        end = _HEADER.size + length
        if len(data) < end:
            return 0
        text = _text(data[_HEADER.size : end]).removesuffix("\n")
        self._on_text(text, _LEVELS.get(kind >> 2 & 7, ""), time_us / 1000)
        return end

    def _take_lines(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._on_text(_text(line), "", None)
        while len(self._line) > _MAX_LINE_BYTES:
            self._on_text(_text(self._line[:_MAX_LINE_BYTES]), "", None)
            self._line = self._line[_MAX_LINE_BYTES:]

    def drain(self) -> None:
        """Takes all that had been written when it was called: no more than a pipe holds."""
        for _ in range(_PIPE_BYTES // _PIECE_BYTES):
            if self._read < 0 or not self._take():
                return

    def finish(self) -> None:
        """Takes the rest, a last line without a line end included, and closes."""
        self.drain()
        self.close()

    def close(self) -> None:
        """Gives what is unfinished and closes the pipe."""
        self.close_write_end()
        if self._read < 0:
            return
        self._loop.remove_reader(self._read)
        os.close(self._read)
        self._read = -1
        rest, self._line, self._unread = self._line + self._unread, b"", b""
        if rest:
            self._on_text(_text(rest), "", None)


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _begun_magic(data: bytes) -> int:
    """How many of the last bytes may be the begin of a frame that has not come yet."""
    return next((n for n in (2, 1) if data.endswith(_MAGIC[:n])), 0)
