"""The machine that a record was made on; figures of two machines are not for comparing."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from ._start import BYTES_PER_MB

if TYPE_CHECKING:
    from collections.abc import Mapping

# What has to be equal for two records to be compared.
IDENTITY = ("system", "kernel", "architecture", "cpu_model", "cpu_count", "memory_mb")


def machine_document() -> dict[str, Any]:
    """What bears on the figures and names nobody's machine."""
    return {
        "system": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu_model": _cpu_model(),
        "cpu_count": os.cpu_count(),
        "memory_mb": psutil.virtual_memory().total // BYTES_PER_MB,
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def unlike(machine: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """What differs between two machines, in words; empty if figures may be compared."""
    return [
        f"{name} {machine.get(name)} and {other.get(name)}"
        for name in IDENTITY
        if machine.get(name) != other.get(name)
    ]


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


@dataclass(frozen=True)
class CpuClock:
    """How the processors spent their time so far, in seconds over all of them."""

    total_s: float
    busy_s: float
    stolen_s: float
    own_s: float

    @classmethod
    def read(cls) -> CpuClock:
        """Now; `own_s` is this process and the children that it has waited for."""
        times = psutil.cpu_times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        stolen = getattr(times, "steal", 0.0)
        own = os.times()
        # The guests' time is in user's already.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        return cls(total, total - idle - stolen, stolen, sum(own[:4]))

    def shares_since(self, before: CpuClock) -> dict[str, float]:
        """Which share of the machine others used meanwhile, and its host withheld."""
        total = self.total_s - before.total_s
        if total <= 0:
            return {"others_share": 0.0, "stolen_share": 0.0}
        others = (self.busy_s - before.busy_s) - (self.own_s - before.own_s)
        return {
            "others_share": round(max(0.0, others / total), 4),
            "stolen_share": round((self.stolen_s - before.stolen_s) / total, 4),
        }
