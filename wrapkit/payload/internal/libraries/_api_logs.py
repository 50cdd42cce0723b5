"""OpenTelemetry's logs bridge without an SDK, and wrapkit's processor for a provider of one."""

import threading
import time

from .. import quietly
from . import _current
from ._api_spans import plain_attributes
from ._signals import signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

# Of one invocation; the SDK's batch processor queues as many.
MAX_RECORDS = 2048


def connect(logs: "Any", internal: "Any") -> None:
    """Has ``opentelemetry._logs``, which has just been loaded, give out wrapkit's loggers."""
    provider = LoggerProvider()
    if not signals().add("logs", provider.collect):
        return
    logs.LoggerProvider.register(LoggerProvider)
    logs.Logger.register(Logger)
    internal._LOGGER_PROVIDER = provider
    set_logger_provider = logs.set_logger_provider

    def set_and_follow(logger_provider: "Any") -> None:
        set_logger_provider(logger_provider)
        if internal._LOGGER_PROVIDER is logger_provider and logger_provider is not provider:
            quietly(provider.hand_over, logger_provider)

    logs.set_logger_provider = internal.set_logger_provider = set_and_follow


class LoggerProvider:
    """What the API's ``LoggerProvider`` does."""

    def __init__(self) -> None:
        self.successor: Any = None
        self._lock = threading.Lock()
        self._records: list[tuple[tuple[str, str, str], bytes]] = []

    def get_logger(
        self,
        name: str,
        version: "Optional[str]" = None,
        schema_url: "Optional[str]" = None,
        attributes: "Any" = None,  # noqa: ARG002 - of the scope
    ) -> "Logger":
        """A logger of a scope."""
        return Logger(self, (name, version or "", schema_url or ""))

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        """What there is goes out at the end of the invocation."""
        return True

    def shutdown(self) -> None:
        """Nothing is left to do."""

    def hand_over(self, provider: "Any") -> None:
        """The code has set a provider: it gets wrapkit's processor, unless it exports alike."""
        from ._sdk_spans import exports_alike

        self.successor = provider
        signals().flush(provider)
        processors = getattr(provider, "_multi_log_record_processor", None)
        if hasattr(provider, "add_log_record_processor"):
            provider.add_log_record_processor(
                SdkLogs(
                    self,
                    lambda: exports_alike(
                        getattr(processors, "_log_record_processors", ()), "logs"
                    ),
                )
            )

    def take(self, record: "Any", scope: "tuple[str, str, str]") -> None:
        """Keeps a record of the API's or of an SDK's for the end of the invocation."""
        from ._otlp_points import log_record

        number = getattr(record, "severity_number", None)
        now_ns = time.time_ns()
        data = log_record(
            time_ns=getattr(record, "timestamp", None) or 0,
            observed_ns=getattr(record, "observed_timestamp", None) or now_ns,
            severity=getattr(number, "value", number) or 0,
            severity_text=getattr(record, "severity_text", None) or "",
            body=getattr(record, "body", None),
            attributes=plain_attributes(getattr(record, "attributes", None)),
            event_name=getattr(record, "event_name", None) or "",
            span=_current.parent(),
        )
        with self._lock:
            if len(self._records) < MAX_RECORDS:
                self._records.append((scope, data))

    def collect(self, resource: "dict[str, Any]") -> bytes:
        """The request of what has come; empty without any."""
        from ._otlp_points import request

        with self._lock:
            records, self._records = self._records, []
        scopes: dict[tuple[str, str, str], list[bytes]] = {}
        for scope, data in records:
            scopes.setdefault(scope, []).append(data)
        return request(resource, list(scopes.items()))


class _Fields:
    """The record that a call with keywords describes."""

    def __init__(self, fields: "dict[str, Any]") -> None:
        self.__dict__.update(fields)


class Logger:
    """What the API's ``Logger`` does."""

    def __init__(self, provider: LoggerProvider, scope: "tuple[str, str, str]") -> None:
        self._provider = provider
        self._scope = scope

    def emit(self, record: "Any" = None, **fields: "Any") -> None:
        """A record, whole or by its fields."""
        if self._provider.successor is not None:
            name, version, schema_url = self._scope
            logger = self._provider.successor.get_logger(name, version, schema_url)
            logger.emit(record, **fields) if record is not None else logger.emit(**fields)
        else:
            told = record if record is not None else _Fields(fields)
            quietly(self._provider.take, told, self._scope)


class SdkLogs:
    """What the SDK's ``LogRecordProcessor`` has, under its names of all versions."""

    def __init__(self, provider: LoggerProvider, exports_alike: "Any") -> None:
        self._provider = provider
        self._exports_alike = exports_alike
        self._is_told: Optional[bool] = None

    def on_emit(self, data: "Any") -> None:
        """A record has been emitted."""
        if self._is_told is None:
            self._is_told = bool(quietly(self._exports_alike))
        if self._is_told:
            return
        scope = data.instrumentation_scope
        told = (scope.name, scope.version or "", scope.schema_url or "") if scope else ("", "", "")
        quietly(self._provider.take, data.log_record, told)

    emit = on_emit

    def shutdown(self) -> None:
        """Nothing is left to do."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - the SDK's
        """What there is goes out at the end of the invocation."""
        return True
