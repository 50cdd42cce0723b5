"""The options of a function and its environments, for `wrapkit run` and `serve` alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ._arguments import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MANAGED_INSTANCES = "lambda-managed-instances"

layer_option = click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="DIR|ZIP",
    type=click.Path(exists=True, path_type=Path),
    help="A picture of /opt, as `wrapkit generate` writes it. Repeatable; a later one wins. "
    "With otel-handler in it, AWS_LAMBDA_EXEC_WRAPPER is set, unless --env sets it.",
)

_CONFIGURATION = (
    click.option(
        "--env",
        "environment",
        multiple=True,
        metavar="NAME[=VALUE]",
        callback=variables,
        help="A variable of the function; without a value, the one it has here. Repeatable.",
    ),
    click.option(
        "--memory",
        "memory_mb",
        default=128,
        show_default=True,
        metavar="MB",
        type=click.IntRange(128, 10_240),
        help="The function's memory size; whoever takes more is killed.",
    ),
    click.option(
        "--ephemeral-storage",
        "ephemeral_storage_mb",
        default=512,
        show_default=True,
        metavar="MB",
        type=click.IntRange(512, 10_240),
        help="The size of /tmp, where it is the function's own.",
    ),
    click.option(
        "--timeout",
        "timeout_s",
        default=3.0,
        show_default=True,
        metavar="SECONDS",
        type=click.FloatRange(0, 900, min_open=True),
        help="The function's timeout.",
    ),
    click.option(
        "--python",
        metavar="PATH",
        type=click.Path(exists=True, dir_okay=False, executable=True, path_type=Path),
        help="The interpreter that runs the function.  [default: the one that runs wrapkit]",
    ),
    click.option(
        "--log-format",
        type=click.Choice(["Text", "JSON"]),
        help="The format of the log.  [default: Text; on managed instances JSON]",
    ),
    click.option(
        "--application-log-level",
        default="INFO",
        show_default=True,
        type=click.Choice(["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]),
        help="The least level of the function's lines in the log, with the log format JSON.",
    ),
    click.option(
        "--system-log-level",
        default="INFO",
        show_default=True,
        type=click.Choice(["DEBUG", "INFO", "WARN"]),
        help="The least level of the platform's lines in the log, with the log format JSON.",
    ),
)

_ENVIRONMENT = (
    click.option(
        "--limit-cpu",
        "limits_cpu",
        is_flag=True,
        help="Give the function, after Init, only the share of the CPU that its memory size buys "
        "on Lambda (1769 MB: one core), where control groups allow it.",
    ),
    click.option(
        "--isolation",
        default="auto",
        show_default=True,
        type=click.Choice(["auto", "namespace", "none"]),
        help="Whether /opt, /var/task and /tmp are the function's own, in a mount namespace.",
    ),
    click.option(
        "--profile",
        default="aws",
        show_default=True,
        type=click.Choice(["aws", "rie"]),
        help="Whom to follow where they differ: the platform, or AWS's runtime interface emulator, "
        "which has no limit of Init, no telemetry and no freeze.",
    ),
    click.option(
        "--no-freeze", is_flag=True, help="Let the processes run on between two invocations."
    ),
)


def configuration_options(command: Any) -> Any:
    """Adds what the function's configuration holds."""
    return _with(_CONFIGURATION, command)


def environment_options(command: Any) -> Any:
    """Adds how its environments are played on this machine."""
    return _with(_ENVIRONMENT, command)


def _with(options: Sequence[Callable[[Any], Any]], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command
