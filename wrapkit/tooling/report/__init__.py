"""What people and programs read of a run."""

from __future__ import annotations

from ._run_record import InvocationRecord, RunRecord
from ._run_report import RunReport

__all__ = ["InvocationRecord", "RunRecord", "RunReport"]
