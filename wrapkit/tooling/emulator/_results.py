"""What the emulator's calls return."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class RuntimeInit:
    """The runtime's part of Init; times in milliseconds since the environment began, None for what
    was not reached.
    """

    exec_ms: float | None = None
    next_ms: float | None = None
    cpu_ms: float | None = None


@dataclass(frozen=True)
class ExtensionInit:
    """An external extension's part of Init; times as in ``RuntimeInit``, CPU and memory at its
    first ``next``.
    """

    exec_ms: float | None = None
    registered_ms: float | None = None
    next_ms: float | None = None
    cpu_ms: float | None = None
    rss_bytes: int | None = None


@dataclass(frozen=True)
class InitResult:
    """How Init ended. ``status`` is success, error or timeout; ``error_message`` and ``hint`` are
    for people.
    """

    status: str
    error_type: str | None
    duration_ms: float
    runtime: RuntimeInit
    extensions: Mapping[str, ExtensionInit]
    error_message: str | None = None
    hint: str | None = None


@dataclass(frozen=True)
class Answer:
    """What the caller of an invocation gets.

    ``payload`` is the response, or the error's JSON where ``function_error`` is ``Unhandled``; of a
    streamed response that broke off, what had come. Its error is then in ``error_details`` (JSON).
    ``content_type`` is the runtime's.
    """

    payload: bytes
    function_error: str | None = None
    error_type: str | None = None
    error_details: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True)
class InvocationResult:
    """One invocation, when it was over for the extensions as well.

    ``payload`` and ``function_error`` (None or ``Unhandled``) are what the caller got,
    ``response_latency_ms`` after it had called; ``cpu_ms`` is what each process (``runtime`` and
    the extensions' names) used meanwhile, ``next_ms`` when each was done, after the call.
    """

    request_id: str
    payload: bytes
    function_error: str | None
    status: str
    error_type: str | None
    duration_ms: float
    billed_duration_ms: int
    init_duration_ms: float | None
    max_memory_used_mb: int
    response_latency_ms: float
    post_runtime_extensions_duration_ms: float | None
    cpu_ms: Mapping[str, float]
    log_tail: str
    next_ms: Mapping[str, float] = field(default_factory=dict)

    def json(self) -> Any:
        """The payload's value; raises ``ValueError`` where it is not JSON."""
        return json.loads(self.payload)


@dataclass(frozen=True)
class ShutdownResult:
    """How the environment ended: how long it took, each process's last status (``exit status
    0``, ``signal: killed``), and when it was gone, after the begin of Shutdown.
    """

    reason: str
    duration_ms: float
    statuses: Mapping[str, str]
    killed: tuple[str, ...]
    exited_ms: Mapping[str, float] = field(default_factory=dict)
