"""What each process of an environment has used so far."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._memory import high_water_bytes, resident_bytes

if TYPE_CHECKING:
    from ._launch import Process


@dataclass(frozen=True)
class ProcessUsage:
    """A process since its program was executed.

    ``cpu_ms`` is its own CPU time. ``tree_cpu_ms`` and ``instructions`` include the processes that
    it started, as the kernel counts them; None where it does not. ``proportional_bytes`` shares
    the pages that several processes map among them; ``max_resident_bytes`` is the peak.
    """

    cpu_ms: float
    tree_cpu_ms: float | None
    instructions: int | None
    resident_bytes: int
    max_resident_bytes: int
    proportional_bytes: int | None


def process_usage(process: Process) -> ProcessUsage:
    """Reads what the kernel knows of a running process."""
    tree_cpu_ns = process.counters.cpu_ns()
    return ProcessUsage(
        cpu_ms=process.cpu_ns() / 1e6,
        tree_cpu_ms=None if tree_cpu_ns is None else tree_cpu_ns / 1e6,
        instructions=process.counters.instructions(),
        resident_bytes=resident_bytes(process.pid),
        max_resident_bytes=high_water_bytes(process.pid),
        proportional_bytes=_proportional_bytes(process.pid),
    )


def _proportional_bytes(pid: int) -> int | None:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return None
