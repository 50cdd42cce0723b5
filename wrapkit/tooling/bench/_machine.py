"""The machine that a record was made on; figures of two machines are not for comparing."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil

from ._metrics import BYTES_PER_MB


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


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
