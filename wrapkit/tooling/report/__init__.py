"""What people and programs read of a run or of a service."""

from __future__ import annotations

from ._background_stream import BackgroundStream
from ._bench_markdown import bench_markdown
from ._bench_page import bench_page
from ._bench_table import bench_table
from ._change_table import change_table
from ._log_groups import LogRow, group_reports, log_rows, log_table
from ._run_record import InvocationRecord, RunRecord
from ._run_report import RunReport
from ._serve_report import JsonServeReport, ServeReport
from ._wording import bytes_as_hex

__all__ = [
    "BackgroundStream",
    "InvocationRecord",
    "JsonServeReport",
    "LogRow",
    "RunRecord",
    "RunReport",
    "ServeReport",
    "bench_markdown",
    "bench_page",
    "bench_table",
    "bytes_as_hex",
    "change_table",
    "group_reports",
    "log_rows",
    "log_table",
]
