"""What Lambda refuses to deploy, in its own words.

Source: AWS Lambda developer guide, "Lambda quotas"; the messages are those of the Lambda API.
"""

from __future__ import annotations

import functools
import json
import os
import zipfile
from typing import TYPE_CHECKING

from wrapkit.tooling._errors import USAGE, DiagnosticError

if TYPE_CHECKING:
    from pathlib import Path

    from ._function import Function

_MEMORY_MB = (128, 10_240)
_EPHEMERAL_STORAGE_MB = (512, 10_240)
_MAX_LAYERS = 5
_MAX_ENVIRONMENT_BYTES = 4096
_MAX_UNZIPPED_BYTES = 262_144_000


def check_limits(function: Function) -> None:
    """Raises ``DiagnosticError`` for what is beyond one of the platform's limits."""
    _check_range("memory size", function.memory_mb, _MEMORY_MB)
    _check_range("ephemeral storage", function.ephemeral_storage_mb, _EPHEMERAL_STORAGE_MB)
    if len(function.layers) > _MAX_LAYERS:
        _refuse("too-many-layers", f"Cannot reference more than {_MAX_LAYERS} layers.")
    _check_environment(function)
    _check_size(function)


def _check_range(what: str, value_mb: int, limits_mb: tuple[int, int]) -> None:
    least_mb, most_mb = limits_mb
    if not least_mb <= value_mb <= most_mb:
        _refuse(
            f"invalid-{what.replace(' ', '-')}",
            f"the {what} of {value_mb} MB is outside {least_mb} to {most_mb} MB",
        )


def _check_environment(function: Function) -> None:
    # Not the values: they may be secrets.
    size = len(json.dumps(dict(function.environment), separators=(",", ":")).encode())
    if size > _MAX_ENVIRONMENT_BYTES:
        _refuse(
            "environment-too-large",
            "Lambda was unable to configure your environment variables because the environment "
            f"variables you have provided exceeded the 4KB limit. Bytes measured: {size}",
            "keep long values in a file of the package, or in Parameter Store",
        )


def _check_size(function: Function) -> None:
    parts = (function.task_root, *function.layers)
    size = sum(_unzipped_bytes(path, _changed_ns(path)) for path in parts)
    if size > _MAX_UNZIPPED_BYTES:
        _refuse(
            "package-too-large",
            "Function code combined with layers exceeds the maximum allowed size of "
            f"{_MAX_UNZIPPED_BYTES} bytes. The actual size is {size} bytes.",
            "name the folder that is deployed, not the project around it",
        )


def _changed_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # who mounts or unpacks it says what is wrong


@functools.lru_cache(maxsize=256)
def _unzipped_bytes(path: Path, _changed_ns: int) -> int:
    """Once for each state of the folder or file: many environments are made of the same."""
    if path.is_dir():
        return sum(
            os.lstat(os.path.join(folder, name)).st_size
            for folder, _, names in os.walk(path)
            for name in names
        )
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile):
        return 0  # who unpacks it says what is wrong


def _refuse(reference: str, message: str, hint: str = "") -> None:
    raise DiagnosticError(reference, message, hint, USAGE)
