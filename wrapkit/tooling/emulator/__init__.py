"""Lambda's execution environment on one machine: the Runtime, Extensions and Telemetry APIs around
real processes.

``ExecutionEnvironment`` is for code that awaits, ``LambdaEnvironment`` for code that does not; in
pytest the fixture ``lambda_environment`` makes the latter. docs/guides/test-your-extension.md shows
it, docs/reference/emulator.md lists what is here.
"""

from pathlib import Path

from ._clock import Clock, ManualClock, SystemClock
from ._environment import ExecutionEnvironment, ProfileName
from ._function import Function
from ._invocation import Invocation
from ._lambda_environment import LambdaEnvironment, SentInvocation
from ._layers import merge_layers
from ._parties import PlayedExtension, PlayedRuntime, RefusedCallError
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
    "LambdaEnvironment",
    "ManualClock",
    "PlayedExtension",
    "PlayedRuntime",
    "ProcessUsage",
    "ProfileName",
    "Record",
    "RefusedCallError",
    "RuntimeInit",
    "SentInvocation",
    "ShutdownResult",
    "SystemClock",
    "echo_task_root",
    "merge_layers",
]


def echo_task_root() -> Path:
    """The code of a function that returns its event: the handler ``app.handler``."""
    return Path(__file__).with_name("_echo")
