"""Reads ``wrapkit.toml``: every key known, every value of its kind, or an error with the line."""

from __future__ import annotations

import difflib
import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ._schema import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ._setting import Setting

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE_NAME = "wrapkit.toml"
_BY_KEY = {setting.key: setting for setting in SETTINGS if setting.key}
_TABLES = {setting.table for setting in _BY_KEY.values()}


@dataclass(frozen=True)
class Settings:
    """What a ``wrapkit.toml`` says; empty without one.

    ``values`` are the values by their key as the file has them; ``variables`` those that the layer
    hands to its functions as defaults, as text.
    """

    path: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        """The value of a key (``layer.mode``), None where the file does not have it."""
        assert key in _BY_KEY  # noqa: S101 - else a reader's typing error would be a default
        return self.values.get(key)


def find_settings(folder: Path) -> Settings:
    """The settings of the ``wrapkit.toml`` in ``folder``, where there is one."""
    path = folder / FILE_NAME
    return read_settings(path) if path.exists() else Settings()


def read_settings(path: Path) -> Settings:
    """The settings of a file.

    Raises:
        DiagnosticError: it cannot be read, is no TOML, or has an unknown key or a wrong value; the
            message names all of these with their lines.
    """
    try:
        text = path.read_text("utf-8")
        document = tomllib.loads(text)
    except (OSError, ValueError) as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise _refused(f"cannot read {path}: {reason}") from error
    values, problems = _checked(document, text)
    if problems:
        lines = [f"{path}:{line}: {problem}" for line, problem in sorted(problems)]
        raise _refused(
            "\n".join(lines), "docs/reference/settings.md lists the keys and their values"
        )
    variables = {
        setting.variable: setting.kind.text(values[setting.key])
        for setting in SETTINGS
        if setting.variable and setting.key in values
    }
    return Settings(path, values, variables)


def _refused(message: str, hint: str = "") -> DiagnosticError:
    return DiagnosticError("bad-settings", message, hint, USAGE)


def _checked(
    document: Mapping[str, Any], text: str
) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    values: dict[str, Any] = {}
    problems = []
    for key, value in _leaves(document):
        setting = _BY_KEY.get(key)
        problem = _unknown(key) if setting is None else _misfit(setting, value)
        if problem:
            problems.append((_line(text, key), problem))
        values[key] = value
    return values, problems


def _leaves(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Keys and values down to what the schema knows, or to where it knows nothing any more."""
    for name, value in document.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and key not in _BY_KEY and key in _TABLES:
            yield from _leaves(value, key + ".")
        else:
            yield key, value


def _unknown(key: str) -> str:
    table, _, name = key.rpartition(".")
    near = difflib.get_close_matches(key, [*_BY_KEY, *_TABLES], 1, 0.75)
    # The right name in the wrong table is as frequent a mistake as a misspelt one.
    near = near or [known for known, setting in _BY_KEY.items() if setting.name == name]
    kind = "key" if table else "table or key"
    return f"unknown {kind} {key}" + (f"; did you mean {near[0]}?" if near else "")


def _misfit(setting: Setting, value: object) -> str:
    try:
        setting.kind.text(value)
    except ValueError as error:
        return f"{setting.key} is not {error}"
    return ""


def _line(text: str, key: str) -> int:
    """The line where a key stands, in a document that is known to be TOML; 1 where it hides."""
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line)
        name = re.match(r"\s*([\w.\"' -]+?)\s*=", line)
        if heading:
            table = _plain(heading[1])
            if table == key:
                return number
        elif name and (f"{table}.{_plain(name[1])}".lstrip(".") == key):
            return number
    return 1


def _plain(name: str) -> str:
    return re.sub(r"[\"'\s]", "", name)
