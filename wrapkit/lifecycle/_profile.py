"""Where AWS's documentation, its platform and its own emulator disagree: which of them to be."""

from ._deadlines import EXTERNAL_RUNTIME_SHARE_MS
from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict


class Profile(Record):
    """One host's policy; what all hosts do alike is not in it.

    Attributes:
        name: ``aws`` or ``rie``.
        shutdown_reasons: what SHUTDOWN says for ``spindown``, ``timeout`` and ``failure``.
        runtime_share_ms: the runtime's part of a shutdown with external extensions.
        limits_init: whether the Init phase has a time limit of its own.
        freezes: whether the processes stand still between invocations.
        has_limits: whether memory size and package size are limits.
        has_log_descriptor: whether the runtime can write its log as framed messages.
        has_telemetry: whether there is a Telemetry API (and a Logs API), or only a stub of it.
        traces: whether the caller's trace header reaches the runtime, and not the extensions only.
        measures_memory: whether Max Memory Used is measured, or is the memory size.
        explains_timeout: whether a timeout is an error with a type, or a line of text that looks
            like a response.
    """

    __slots__ = (
        "explains_timeout",
        "freezes",
        "has_limits",
        "has_log_descriptor",
        "has_telemetry",
        "limits_init",
        "measures_memory",
        "name",
        "runtime_share_ms",
        "shutdown_reasons",
        "traces",
    )

    def __init__(
        self,
        *,
        name: str,
        shutdown_reasons: "Dict[str, str]",
        runtime_share_ms: int,
        is_complete: bool,
    ) -> None:
        self.name = name
        self.shutdown_reasons = shutdown_reasons
        self.runtime_share_ms = runtime_share_ms
        self.limits_init = is_complete
        self.freezes = is_complete
        self.has_limits = is_complete
        self.has_log_descriptor = is_complete
        self.has_telemetry = is_complete
        self.traces = is_complete
        self.measures_memory = is_complete
        self.explains_timeout = is_complete


# The observed platform. Its documentation writes the reasons in upper case; on the wire they are
# lower (New Relic's extension compares with these three).
AWS_PROFILE = Profile(
    name="aws",
    shutdown_reasons={"spindown": "spindown", "timeout": "timeout", "failure": "failure"},
    runtime_share_ms=EXTERNAL_RUNTIME_SHARE_MS,
    is_complete=True,
)
# AWS's runtime interface emulator, its stack for functions without managed instances:
# internal/lambda/rapidcore (reasons), internal/lambda/rapid/shutdown.go (30 % of 2000 ms),
# internal/lambda/rapi/handler/runtimelogs_stub.go, internal/lambda/rie.
RIE_PROFILE = Profile(
    name="rie",
    shutdown_reasons={
        "spindown": "SandboxTerminated",
        "timeout": "Timeout",
        "failure": "ReleaseFail",
    },
    runtime_share_ms=600,
    is_complete=False,
)
