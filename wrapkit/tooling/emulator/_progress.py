"""How far each process came in Init, and when."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._memory import resident_bytes
from ._processes import RUNTIME, Processes
from ._results import ExtensionInit, InitResult, RuntimeInit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._clock import Clock
    from ._launch_problem import LaunchProblem

# What no process and no body tells.
_KNOWN = {"Extension.TooManyExtensions": "there are more extensions than Lambda starts"}


class InitProgress:
    """Notes the milestones of the first Init; what comes later does not change them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun_ms = clock.now_ms()
        self._runtime = RuntimeInit()
        self._extensions: dict[str, ExtensionInit] = {}
        self._problem: LaunchProblem | None = None

    def begin(self) -> None:
        """Init begins now."""
        self._begun_ms = self._clock.now_ms()

    def elapsed_ms(self) -> float:
        """Since Init began."""
        return round(self._clock.now_ms() - self._begun_ms, 3)

    def executed(self, name: str, problem: LaunchProblem | None) -> None:
        """A process runs, or could not be started."""
        if problem is not None:
            self._problem = self._problem or problem
        elif name == RUNTIME:
            self._runtime = replace(self._runtime, exec_ms=self.elapsed_ms())
        else:
            self._extensions[name] = ExtensionInit(exec_ms=self.elapsed_ms())

    def registered(self, name: str, at_ms: float) -> None:
        """An extension, external or internal, has registered."""
        known = self._extensions.get(name, ExtensionInit())
        if known.registered_ms is None:
            self._extensions[name] = replace(known, registered_ms=at_ms)

    def called_next(self, name: str, processes: Processes) -> None:
        """A process, or an internal extension, has called its first ``next``."""
        known = self._runtime if name == RUNTIME else self._extensions.get(name, ExtensionInit())
        if known.next_ms is not None:
            return
        next_ms, cpu_ms, pid = self.elapsed_ms(), processes.cpu_ms(name), processes.pid(name)
        if isinstance(known, RuntimeInit):
            self._runtime = replace(known, next_ms=next_ms, cpu_ms=cpu_ms)
        else:
            rss_bytes = None if pid is None else resident_bytes(pid)
            self._extensions[name] = replace(
                known, next_ms=next_ms, cpu_ms=cpu_ms, rss_bytes=rss_bytes
            )

    def result(
        self,
        report: Mapping[str, Any],
        init_error_body: bytes,
        statuses: Mapping[str, str],
        exec_wrapper: str,
    ) -> InitResult:
        """The result, made with the ``platform.initReport`` of the Init."""
        failed = report["status"] != "success"
        if report.get("errorType") == "Runtime.ExitError" and RUNTIME in statuses:
            # The others were ended because of it.
            statuses = {RUNTIME: statuses[RUNTIME]}
        message, hint = self._explain(init_error_body, statuses) if failed else (None, None)
        if report["status"] == "timeout":
            message, hint = self._awaited()
        if failed and exec_wrapper and hint is None:
            hint = _wrapper_hint(exec_wrapper, statuses.get(RUNTIME))
        if failed and message is None:
            message = _KNOWN.get(report.get("errorType", ""))
        return InitResult(
            status=report["status"],
            error_type=report.get("errorType"),
            duration_ms=report["metrics"]["durationMs"],
            runtime=self._runtime,
            extensions=dict(self._extensions),
            error_message=message,
            hint=hint,
        )

    def _explain(
        self, init_error_body: bytes, statuses: Mapping[str, str]
    ) -> tuple[str | None, str | None]:
        if self._problem is not None:
            return self._problem.reason, self._problem.hint or None
        reported = _error_message(init_error_body)
        if reported:
            return reported, None
        ends = [f"{name}: {status}" for name, status in statuses.items() if "killed" not in status]
        return ", ".join(ends) or None, None

    def _awaited(self) -> tuple[str | None, str | None]:
        """For whom an Init waited that took too long."""
        external = {name: one for name, one in self._extensions.items() if one.exec_ms is not None}
        internal = {name: one for name, one in self._extensions.items() if name not in external}
        unregistered = sorted(name for name, one in external.items() if one.registered_ms is None)
        if unregistered:
            hint = _name_hint(sorted(internal)) if internal else None
            return f"these extensions did not register: {', '.join(unregistered)}", hint
        missing = sorted(name for name, one in self._extensions.items() if one.next_ms is None)
        if missing:
            return f"these extensions did not call event/next: {', '.join(missing)}", None
        if self._runtime.next_ms is None:
            return "the runtime did not call invocation/next", None
        return None, None


def _name_hint(internal: Sequence[str]) -> str:
    return (
        f"an extension's name is its file's; who registers by another one ({', '.join(internal)}) "
        "is taken for an internal extension"
    )


def _wrapper_hint(path: str, status: str | None) -> str | None:
    """What the exit codes mean that a shell gives for what it cannot execute."""
    if status == "exit status 126":
        return f"{path}, which AWS_LAMBDA_EXEC_WRAPPER names, has to be executable: chmod +x"
    if status == "exit status 127":
        return (
            f"{path}, which AWS_LAMBDA_EXEC_WRAPPER names, has to exist, as has the interpreter in"
            " its first line; line ends are LF"
        )
    return None


def _error_message(body: bytes) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    message = document.get("errorMessage") if isinstance(document, dict) else None
    return message if isinstance(message, str) else None
