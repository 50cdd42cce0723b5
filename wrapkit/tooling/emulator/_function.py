"""The function's configuration, as Lambda holds it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from wrapkit.tooling._errors import USAGE, DiagnosticError

from ._levels import LEVELS, SYSTEM_LEVELS

if TYPE_CHECKING:
    from collections.abc import Mapping

# Lambda quotas: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MAX_TIMEOUT_MS = 900_000
MANAGED_INSTANCES = "lambda-managed-instances"
INITIALIZATION_TYPES = ("on-demand", "provisioned-concurrency", "snap-start", MANAGED_INSTANCES)
_LOG_FORMATS = ("Text", "JSON")


@dataclass(frozen=True)
class Function:
    """What is deployed: the code, its layers, and the settings of the function.

    Args:
        task_root: the folder that appears as ``/var/task``.
        handler: as Lambda writes it, ``module.function`` for Python.
        layers: folders or zip files, each a picture of ``/opt``; a later one wins over an earlier
            one.
        environment: the user's variables; credentials and ``AWS_LAMBDA_EXEC_WRAPPER`` may be among
            them.
        ephemeral_storage_mb: the size of ``/tmp``, where it is the function's own.
        python: the interpreter that stands in for ``/var/lang/bin/python3.X``.
        command: the runtime process; None for the stand-in bootstrap with ``awslambdaric``.
        log_format: ``Text`` or ``JSON``, the format of the log.
        application_log_level: the least level of the function's lines in the log, with JSON only.
        initialization_type: ``on-demand``, ``provisioned-concurrency`` (more time for Init), or
            ``snap-start`` (Init ends in a snapshot, which the first invocation restores), or
            ``lambda-managed-instances`` (many invocations at a time, JSON logs only).
        max_concurrency: how many invocations at a time, on managed instances.
        system_log_level: the least level of the platform's lines in the log, with JSON only.
        loopback_ports: ports that the function or its extensions listen on, by the variable that
            names another address; where one is taken, that variable gets a free one.
    """

    task_root: Path
    handler: str
    layers: tuple[Path, ...] = ()
    name: str = "function"
    version: str = "$LATEST"
    memory_mb: int = 128
    ephemeral_storage_mb: int = 512
    timeout_ms: int = 3000
    environment: Mapping[str, str] = field(default_factory=dict)
    python: Path = Path(sys.executable)
    command: tuple[str, ...] | None = None
    region: str = "us-east-1"
    account_id: str = "123456789012"
    log_format: str = "Text"
    application_log_level: str = "INFO"
    system_log_level: str = "INFO"
    initialization_type: str = "on-demand"
    max_concurrency: int = 16
    loopback_ports: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_managed(self) -> bool:
        """Whether it runs on Lambda Managed Instances."""
        return self.initialization_type == MANAGED_INSTANCES

    @property
    def arn(self) -> str:
        """The invoked function's ARN, unqualified for ``$LATEST``."""
        arn = f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"
        return arn if self.version == "$LATEST" else f"{arn}:{self.version}"

    def check(self) -> None:
        """Raises ``DiagnosticError`` for what cannot be deployed."""
        if not self.task_root.is_dir():
            raise DiagnosticError(
                "task-folder-missing",
                f"the task folder {self.task_root} is not a directory",
                "name the folder that holds the function's code",
                USAGE,
            )
        if not 1 <= self.timeout_ms <= _MAX_TIMEOUT_MS:
            raise DiagnosticError(
                "invalid-timeout",
                f"a timeout of {self.timeout_ms} ms is outside 1 to {_MAX_TIMEOUT_MS} ms",
                exit_code=USAGE,
            )
        if self.log_format not in _LOG_FORMATS:
            raise DiagnosticError(
                "invalid-log-format",
                f"the log format {self.log_format!r} is neither Text nor JSON",
                exit_code=USAGE,
            )
        if self.initialization_type not in INITIALIZATION_TYPES:
            raise DiagnosticError(
                "invalid-initialization-type",
                f"{self.initialization_type!r} is not one of {', '.join(INITIALIZATION_TYPES)}",
                exit_code=USAGE,
            )
        if self.is_managed and self.log_format != "JSON":
            raise DiagnosticError(
                "invalid-log-format",
                "on Lambda Managed Instances the log format is JSON",
                "set the log format, too",
                USAGE,
            )
        if self.max_concurrency < 1:
            raise DiagnosticError(
                "invalid-concurrency",
                f"a concurrency of {self.max_concurrency}",
                exit_code=USAGE,
            )
        self._check_level("application", self.application_log_level, LEVELS)
        self._check_level("system", self.system_log_level, SYSTEM_LEVELS)

    def _check_level(self, whose: str, level: str, levels: tuple[str, ...]) -> None:
        if level not in levels:
            raise DiagnosticError(
                "invalid-log-level",
                f"the {whose} log level {level!r} is not one of {', '.join(levels)}",
                exit_code=USAGE,
            )
        if level != "INFO" and self.log_format != "JSON":
            raise DiagnosticError(
                "invalid-log-level",
                f"the {whose} log level can only be set with the log format JSON",
                "set the log format, too",
                USAGE,
            )
