"""A control group (cgroup v1 or v2) that gives an environment its share of the CPU.

Source: AWS Lambda developer guide, "Configure Lambda function memory": at 1,769 MB a function has
one CPU, and in proportion below and above.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from dataclasses import dataclass

MB_PER_CORE = 1769
# The platform's own period; a longer one would let a short handler run at full speed.
_PERIOD_US = 20_000


@dataclass(frozen=True)
class _Place:
    """Where the control groups of this process lie, and which version they are."""

    folder: str
    version: int


class ControlGroup:
    """A control group of its own below that of this process.

    Raises ``OSError`` where the kernel, or whoever manages the machine, does not allow one.
    """

    def __init__(self, memory_mb: int) -> None:
        place = _find_place()
        self._version = place.version
        self._quota_us = round(memory_mb / MB_PER_CORE * _PERIOD_US)
        self._folder = os.path.join(place.folder, f"wrapkit-{uuid.uuid4().hex[:12]}")
        if place.version == 2:
            _write(os.path.join(place.folder, "cgroup.subtree_control"), "+cpu")
        os.mkdir(self._folder)
        try:
            self.limit()
            self.lift()
            self.members = os.open(os.path.join(self._folder, "cgroup.procs"), os.O_WRONLY)
        except OSError:
            os.rmdir(self._folder)
            raise

    def enter(self) -> None:
        """Moves the calling process into the group; called in a forked child."""
        os.write(self.members, b"0")

    def limit(self) -> None:
        """From now on the group has its share only."""
        self._set(str(self._quota_us))

    def lift(self) -> None:
        """From now on the group has what there is: Lambda does not throttle Init."""
        self._set("max" if self._version == 2 else "-1")

    def _set(self, quota: str) -> None:
        if self._version == 2:
            _write(os.path.join(self._folder, "cpu.max"), f"{quota} {_PERIOD_US}")
        else:
            _write(os.path.join(self._folder, "cpu.cfs_period_us"), str(_PERIOD_US))
            _write(os.path.join(self._folder, "cpu.cfs_quota_us"), quota)

    def close(self) -> None:
        """Removes the group, whose processes are gone."""
        os.close(self.members)
        with contextlib.suppress(OSError):  # a process that cannot be killed holds it
            os.rmdir(self._folder)


def _find_place() -> _Place:
    paths = {}
    with open("/proc/self/cgroup") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            paths.update(dict.fromkeys(controllers.split(","), path))
    with open("/proc/self/mountinfo") as file:
        mounts = [line.split() for line in file]
    for fields in mounts:
        after = fields.index("-") + 1
        kind, options = fields[after], fields[after + 2].split(",")
        is_first = kind == "cgroup" and "cpu" in options and "cpu" in paths
        if is_first or (kind == "cgroup2" and "cpu" not in paths and "" in paths):
            path = os.path.relpath(paths["cpu" if is_first else ""], fields[3])
            folder = os.path.normpath(os.path.join(fields[4], path))
            return _Place(folder, 1 if is_first else 2)
    raise OSError("this machine has no control groups for the CPU")


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
