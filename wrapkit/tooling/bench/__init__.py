"""What instrumentation costs: the same function bare and in each mode, side by side."""

from __future__ import annotations

from ._measuring import BenchRequest, measure
from ._metrics import BARE, MODES
from ._record import BenchRecord
from ._table import table

__all__ = ["BARE", "MODES", "BenchRecord", "BenchRequest", "measure", "table"]
