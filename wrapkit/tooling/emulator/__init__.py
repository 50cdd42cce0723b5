"""Lambda's execution environment on one machine: the Runtime, Extensions and Telemetry APIs around
real processes.
"""

from ._clock import Clock, ManualClock, SystemClock
from ._environment import ExecutionEnvironment
from ._function import Function
from ._records import Record
from ._results import ExtensionInit, InitResult, InvocationResult, RuntimeInit, ShutdownResult

__all__ = [
    "Clock",
    "ExecutionEnvironment",
    "ExtensionInit",
    "Function",
    "InitResult",
    "InvocationResult",
    "ManualClock",
    "Record",
    "RuntimeInit",
    "ShutdownResult",
    "SystemClock",
]
