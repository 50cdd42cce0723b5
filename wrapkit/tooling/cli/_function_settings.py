"""The functions that `wrapkit serve` serves: from its options, or from the tables of a file."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ..emulator import Function
from ..invoke_api import ServedFunction
from ._arguments import function_name
from ._own_variables import own_ports, own_variables

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping

# What a key of a table must be, and the name that the setting has in this program.
_TEXT, _TEXTS, _NUMBER, _COUNT = "a text", "a list of texts", "a number", "a whole number"
_KEYS = {
    "task": ("task", _TEXT),
    "handler": ("handler", _TEXT),
    "layer": ("layers", _TEXTS),
    "env": ("environment", "a table of texts"),
    "memory": ("memory_mb", _COUNT),
    "ephemeral-storage": ("ephemeral_storage_mb", _COUNT),
    "timeout": ("timeout_s", _NUMBER),
    "python": ("python", _TEXT),
    "log-format": ("log_format", _TEXT),
    "application-log-level": ("application_log_level", _TEXT),
    "system-log-level": ("system_log_level", _TEXT),
    "initialization-type": ("initialization_type", _TEXT),
    "command": ("command", _TEXTS),
    "alias": ("aliases", _TEXTS),
    "concurrency": ("concurrency", _COUNT),
    "idle-timeout": ("idle_timeout", _NUMBER),
    "event-retries": ("event_retries", _COUNT),
    "event-retry-delay": ("event_retry_delay", _NUMBER),
}
# Lambda API reference, CreateFunction: FunctionName.
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_POSITIVE = ("timeout", "concurrency", "idle-timeout")
# Settings that go by the same name in the function's configuration.
_SAME = (
    "memory_mb",
    "ephemeral_storage_mb",
    "log_format",
    "application_log_level",
    "system_log_level",
    "initialization_type",
)


def function_of_options(settings: Mapping[str, Any]) -> tuple[ServedFunction, ...]:
    """The one function that the options describe."""
    for option in ("task", "handler"):
        if option not in settings and not (option == "handler" and "command" in settings):
            raise DiagnosticError(
                "option-missing",
                f"--{option} is missing",
                "name one function with --task and --handler, or several with --functions",
                USAGE,
            )
    name = settings.get("name") or function_name(settings["task"])
    return (_served(name, settings),)


def functions_of_file(path: Path) -> tuple[ServedFunction, ...]:
    """The functions of a file; raises ``DiagnosticError`` that names the place."""
    tables = _read(path).get("functions")
    if not isinstance(tables, dict) or not tables:
        raise _bad(path, "there is no table [functions.NAME]")
    return tuple(_of_table(path, name, table) for name, table in tables.items())


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _bad(path, str(error)) from error
    return document


def _of_table(path: Path, name: str, table: object) -> ServedFunction:
    place = f"[functions.{name}]"
    if not isinstance(table, dict):
        raise _bad(path, f"{place} is not a table")
    settings = {}
    for key, value in table.items():
        if key not in _KEYS:
            close = difflib.get_close_matches(key, _KEYS, 1)
            raise _bad(
                path,
                f"{place} has an unknown key {key!r}",
                f"is it {close[0]!r}?" if close else f"known are {', '.join(_KEYS)}",
            )
        setting, kind = _KEYS[key]
        if not _is(kind, value):
            raise _bad(path, f"{place} {key} is not {kind}")
        if key in _POSITIVE and value == 0:
            raise _bad(path, f"{place} {key} is 0")
        settings[setting] = value
    return _served(name, _resolved(path, place, settings))


def _is(kind: str, value: object) -> bool:
    if kind == _TEXT:
        return isinstance(value, str) and bool(value)
    if kind in (_NUMBER, _COUNT):
        numbers = (int, float) if kind == _NUMBER else (int,)
        return isinstance(value, numbers) and not isinstance(value, bool) and value >= 0
    if kind == _TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


def _resolved(path: Path, place: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Paths relative to the file, and what must be there is there."""
    for required in ("task", "handler"):
        if required not in settings and not (required == "handler" and "command" in settings):
            raise _bad(path, f"{place} has no {required}")
    folder = path.resolve().parent
    settings["task"] = folder / settings["task"]
    settings["layers"] = tuple(folder / layer for layer in settings.get("layers", ()))
    if "python" in settings:
        settings["python"] = folder / settings["python"]
    return settings


def _served(name: str, settings: Mapping[str, Any]) -> ServedFunction:
    if _FUNCTION_NAME.fullmatch(name) is None:
        raise DiagnosticError(
            "invalid-function-name",
            f"{name!r} is not a function's name",
            "1 to 64 letters, digits, hyphens and underscores",
            USAGE,
        )
    command = settings.get("command")
    function = Function(
        task_root=settings["task"],
        handler=settings.get("handler", ""),
        name=name,
        layers=tuple(settings.get("layers", ())),
        environment=dict(settings.get("environment", {})),
        timeout_ms=max(1, round(settings.get("timeout_s", 3) * 1000)),
        python=settings.get("python", Path(sys.executable)),
        command=tuple(command) if command else None,
        **{key: settings[key] for key in _SAME if key in settings},
    )
    if function.is_managed:
        raise DiagnosticError(
            "invalid-initialization-type",
            f"{name}: managed instances are not served, since an environment takes one caller at "
            "a time here",
            "`wrapkit run --initialization-type lambda-managed-instances` plays them",
            USAGE,
        )
    chosen = {
        "concurrency": settings.get("concurrency"),
        "idle_timeout_s": settings.get("idle_timeout"),
        "event_retries": settings.get("event_retries"),
        "event_retry_delay_s": settings.get("event_retry_delay"),
    }
    given = {key: value for key, value in chosen.items() if value is not None}
    return ServedFunction(function, aliases=tuple(settings.get("aliases", ())), **given)


def with_own_variables(served: ServedFunction, endpoint: str | None) -> ServedFunction:
    """The function with the command's own variables below those of its user."""
    function = served.function
    environment = {**own_variables(function.layers, endpoint), **function.environment}
    ports = own_ports(function.layers)
    return replace(
        served, function=replace(function, environment=environment, loopback_ports=ports)
    )


def _bad(path: Path, problem: str, hint: str = "") -> DiagnosticError:
    return DiagnosticError("invalid-functions-file", f"{path}: {problem}", hint, USAGE)
