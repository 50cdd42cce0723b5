"""A clock that a test sets by hand, for a runner that is a process of its own."""

from __future__ import annotations

import struct
import time

SCRIPT = """
import posix, sys
sys.path.insert(0, __file__.rpartition("/")[0])
from _wrapkit.payload.external import _runner, main
clock = posix.open(posix.environ[b"TEST_CLOCK"], posix.O_RDONLY)
_runner.now_ms = lambda: float(int.from_bytes(posix.pread(clock, 8, 0), "little"))
main(sys.argv)
"""


class ManualClock:
    """Starts at the present; the runner sees a change when its next socket becomes ready."""

    def __init__(self, layer, folder):
        (layer / "by_hand.py").write_text(SCRIPT)
        self._file = folder / "clock"
        self.ms = int(time.time() * 1000)
        self._write()

    def _write(self):
        # In place, and eight bytes at once: the runner never reads half of it.
        with self._file.open("r+b" if self._file.exists() else "wb", buffering=0) as file:
            file.write(struct.pack("<Q", self.ms))

    def advance(self, ms):
        self.ms += ms
        self._write()

    def settings(self):
        """What ``Scene.start`` needs for a runner with this clock."""
        return {"script": "by_hand.py", "TEST_CLOCK": str(self._file)}
