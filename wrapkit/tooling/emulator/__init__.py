"""Lambda's execution environment on one machine: the Runtime, Extensions and Telemetry APIs around
real processes.
"""

from ._clock import Clock, ManualClock, SystemClock
from ._environment import ExecutionEnvironment
from ._function import Function
from ._invocation import Invocation
from ._layers import merge_layers
from ._records import Record
from ._results import (
    Answer,
    ExtensionInit,
    InitResult,
    InvocationResult,
    RuntimeInit,
    ShutdownResult,
)
from ._sandbox import Isolation
from ._usage import ProcessUsage

__all__ = [
    "Answer",
    "Clock",
    "ExecutionEnvironment",
    "ExtensionInit",
    "Function",
    "InitResult",
    "Invocation",
    "InvocationResult",
    "Isolation",
    "ManualClock",
    "ProcessUsage",
    "Record",
    "RuntimeInit",
    "ShutdownResult",
    "SystemClock",
    "merge_layers",
]
