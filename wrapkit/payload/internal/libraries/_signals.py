"""Metrics and logs of the function's own, and what its own providers hold back: sent when the
response has gone, before the environment may freeze.

Rule 1. In front of the end of the invocation, so that the extension exports them with its span.
Rule 2. Within a second, whatever does not answer.
"""

import time

from ... import _env
from ..._env_export import ExportSettings, export_settings, export_variables
from ..._invocation import account_id, resource_attributes
from ..._report import leave_to_the_extension, report_once
from .. import _hook, quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Optional

    from ..._export import Exporter
    from .._hook import Invocation

# A provider of the function's that exports to a slow backend; the extension answers within one.
LIMIT_MS = 1_000


class Signals:
    """Follows the invocations, once there is something to send."""

    def __init__(self) -> None:
        self._environ = _env.variables()
        self._sources: dict[str, Callable[[dict[str, Any]], bytes]] = {}
        self._exporters: dict[str, Exporter] = {}
        self._providers: list[Any] = []
        self._resource: dict[str, Any] = {}
        self._deadline_ns = 0
        hook = _hook.installed
        if hook is not None:
            hook.follow(self)
            if hook.current is not None:  # imported within a handler
                self.start(hook.current)

    def add(self, signal: str, collect: "Callable[[dict[str, Any]], bytes]") -> bool:
        """Has ``collect`` asked for a request body (empty for none) at each end, given the
        resource's attributes; False where the signal is not wanted, or has no endpoint.
        """
        if _env.mode(self._environ) == "both":
            leave_to_the_extension(export_variables(signal))
        if export_settings(self._environ, signal) is None:
            return False
        self._sources[signal] = collect
        return True

    def flush(self, provider: "Any") -> None:
        """Has a provider of the function's own flushed at each end."""
        if hasattr(provider, "force_flush"):
            self._providers.append(provider)

    def start(self, invocation: "Invocation") -> None:
        """The handler is about to be called."""
        if not self._resource:
            arn = str(getattr(invocation.request, "invoked_function_arn", None) or "")
            self._resource = resource_attributes(self._environ, account=account_id(arn))

    def end(self, invocation: "Invocation", time_ns: int, error: "Any") -> None:
        """The outcome is about to be posted: it shall not wait."""

    def posted(self) -> None:
        """The response has gone."""
        self._deadline_ns = time.monotonic_ns() + LIMIT_MS * 1_000_000
        for provider in self._providers:
            quietly(provider.force_flush, self._left_ms())
        for signal, collect in self._sources.items():
            body = quietly(collect, self._resource)
            if body:
                quietly(self._export, signal, body)

    def close(self) -> None:
        """Closes the connections."""
        for exporter in self._exporters.values():
            exporter.close()

    def _export(self, signal: str, body: bytes) -> None:
        from ..._export import ExportError

        try:
            self._exporter(signal).export(body, self._left_ms())
        except ExportError as error:
            report_once(f"{signal} lost", f"{signal} were not exported, {error}")

    def _exporter(self, signal: str) -> "Exporter":
        from ..._export import Exporter

        if signal not in self._exporters:
            self._exporters[signal] = Exporter(self._settings(signal))
        return self._exporters[signal]

    def _settings(self, signal: str) -> "Any":
        """To the extension; in internal mode, which need not have one, to the backend."""
        if _env.mode(self._environ) == "internal":
            return export_settings(self._environ, signal)
        host, port = _env.otlp_address(self._environ)
        shown = f"[{host}]" if ":" in host else host
        return ExportSettings(url=f"http://{shown}:{port}/v1/{signal}")

    def _left_ms(self) -> int:
        return max(1, (self._deadline_ns - time.monotonic_ns()) // 1_000_000)


_one: "list[Signals]" = []


def signals() -> Signals:
    """The one of this process, made when it is first needed."""
    if not _one:
        _one.append(Signals())
    return _one[0]


def is_wanted(signal: str, scope: "Optional[str]") -> bool:
    """Whether what a scope makes is to be exported. Instrumentations make metrics of each call;
    those are wanted where the user has named the signal.
    """
    if not (scope or "").startswith("opentelemetry.instrumentation."):
        return True
    named = _env.text(_env.variables(), f"OTEL_{signal.upper()}_EXPORTER").lower()
    return "otlp" in [each.strip() for each in named.split(",")]
