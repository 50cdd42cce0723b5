"""An initialisation or a restore that is under way: its instants, and its telemetry records."""

from ._deadlines import RESTORE_TIMEOUT_MS, deadline_ms, elapsed_ms
from ._failure import status_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._failure import Failure


class Initialization:
    """One attempt to initialise; ``phase`` is ``init``, ``snap-start``, or ``invoke`` if repeated.

    An attempt inside an invocation is on the invocation's time: its own deadline does not count.
    """

    __slots__ = ("_common", "begun_ms", "deadline_ms", "is_runtime_done")

    def __init__(
        self, initialization_type: str, phase: str, begun_ms: float, timeout_ms: "int | None"
    ) -> None:
        self._common = {"initializationType": initialization_type, "phase": phase}
        self.begun_ms = begun_ms
        self.deadline_ms = None if timeout_ms is None else deadline_ms(begun_ms, timeout_ms)
        self.is_runtime_done = False

    def start_record(self) -> "dict[str, Any]":
        """``platform.initStart``."""
        return dict(self._common)

    def runtime_done_record(self, failure: "Failure | None") -> "dict[str, Any]":
        """``platform.initRuntimeDone``."""
        return {**self._common, **status_fields(failure)}

    def report_record(self, now_ms: float, failure: "Failure | None") -> "dict[str, Any]":
        """``platform.initReport``."""
        metrics = {"durationMs": elapsed_ms(self.begun_ms, now_ms)}
        return {**self._common, **status_fields(failure), "metrics": metrics}


class Restoration:
    """One restore of a snapshot."""

    __slots__ = ("begun_ms", "deadline_ms")

    def __init__(self, begun_ms: float) -> None:
        self.begun_ms = begun_ms
        self.deadline_ms = deadline_ms(begun_ms, RESTORE_TIMEOUT_MS)

    def report_record(self, now_ms: float, failure: "Failure | None") -> "dict[str, Any]":
        """``platform.restoreReport``."""
        metrics = {"durationMs": elapsed_ms(self.begun_ms, now_ms)}
        return {**status_fields(failure), "metrics": metrics}
