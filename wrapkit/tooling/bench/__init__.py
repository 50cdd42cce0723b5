"""What instrumentation costs: the same function bare and in each variant, side by side."""

from __future__ import annotations

from ._compare import Change, changes, check_comparable
from ._condition import Condition, parse_condition
from ._findings import Finding, findings
from ._judgement import Judged, judge
from ._measures import MEASURES, Measure, measure_of
from ._measuring import BenchRequest, Observer, measure
from ._noise import check_noise
from ._plan import Cell, PlannedStart, cells, round_of
from ._price import ARCHITECTURES, PRICES, Price, Traffic, find_price
from ._record import BenchRecord, load_record
from ._report_lines import Report, read_reports
from ._start import Start
from ._statistics import Estimate, difference, estimate, quantile
from ._stopping import Progress, StopRule
from ._unfinished import UnfinishedRun
from ._variant import BARE, MODES, Variant, mode_variant, parse_variants

__all__ = [
    "ARCHITECTURES",
    "BARE",
    "MEASURES",
    "MODES",
    "PRICES",
    "BenchRecord",
    "BenchRequest",
    "Cell",
    "Change",
    "Condition",
    "Estimate",
    "Finding",
    "Judged",
    "Measure",
    "Observer",
    "PlannedStart",
    "Price",
    "Progress",
    "Report",
    "Start",
    "StopRule",
    "Traffic",
    "UnfinishedRun",
    "Variant",
    "cells",
    "changes",
    "check_comparable",
    "check_noise",
    "difference",
    "estimate",
    "find_price",
    "findings",
    "judge",
    "load_record",
    "measure",
    "measure_of",
    "mode_variant",
    "parse_condition",
    "parse_variants",
    "quantile",
    "read_reports",
    "round_of",
]
