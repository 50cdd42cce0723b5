"""Log levels, and the level of each of the platform's records.

Source: AWS Lambda developer guide, "Log-level filtering".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEVELS = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SYSTEM_LEVELS = ("DEBUG", "INFO", "WARN")
# What others call them: Python's logging, above all.
_ALIASES = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def is_below(level: str, least: str) -> bool:
    """Whether a line of this level is left out; one without a known level counts as INFO."""
    level = level.upper()
    level = _ALIASES.get(level, level)
    return LEVELS.index(level if level in LEVELS else "INFO") < LEVELS.index(least)


def platform_level(kind: str, content: Mapping[str, Any]) -> str:
    """The level of a platform record."""
    rule = _RULES.get(kind)
    return "INFO" if rule is None else rule(content)


def _failed(success_level: str) -> Callable[[Mapping[str, Any]], str]:
    def level(content: Mapping[str, Any]) -> str:
        return success_level if content.get("status", "success") == "success" else "WARN"

    return level


def _version(content: Mapping[str, Any]) -> str:
    return "INFO" if content.get("runtimeVersion") else "DEBUG"


def _init_report(content: Mapping[str, Any]) -> str:
    is_on_demand = content.get("initializationType", "on-demand") == "on-demand"
    return _failed("DEBUG" if is_on_demand else "INFO")(content)


def _extension(content: Mapping[str, Any]) -> str:
    return "WARN" if content.get("errorType") else "INFO"


def _dropped(_: Mapping[str, Any]) -> str:
    return "WARN"


_RULES: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "platform.initStart": _version,
    "platform.initRuntimeDone": _failed("DEBUG"),
    "platform.initReport": _init_report,
    "platform.restoreStart": _version,
    "platform.restoreRuntimeDone": _failed("DEBUG"),
    "platform.restoreReport": _failed("INFO"),
    "platform.runtimeDone": _failed("DEBUG"),
    "platform.report": _failed("INFO"),
    "platform.extension": _extension,
    "platform.logsDropped": _dropped,
}
