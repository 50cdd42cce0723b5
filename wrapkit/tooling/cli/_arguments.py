"""Argument shapes that the commands share."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..settings import FILE_NAME, Settings, find_settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class GreedyCommand(click.Command):
    """A command whose `--event` takes what a shell makes of a pattern, and `--` a command to run.

    `--event events/*.json` arrives as one option and many arguments; what follows up to the next
    option belongs to it. What follows `--` is in the context's meta under `COMMAND_KEY`.
    """

    COMMAND_KEY = "wrapkit.command"
    GREEDY_OPTION = "--event"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            position = args.index("--")
            ctx.meta[self.COMMAND_KEY] = tuple(args[position + 1 :])
            args = args[:position]
        return super().parse_args(ctx, self._spread(args))

    def _spread(self, args: Sequence[str]) -> list[str]:
        """`--event a b` as `--event a --event b`."""
        spread: list[str] = []
        is_event = has_value = False
        for argument in args:
            if argument.startswith("-") and argument != "-":
                is_event, has_value = argument == self.GREEDY_OPTION, False
            elif is_event and has_value:
                spread.append(self.GREEDY_OPTION)
            else:
                has_value = True
            spread.append(argument)
        return spread


def variables(
    ctx: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> dict[str, str]:
    """`NAME=VALUE`, or `NAME` for the value it has where wrapkit runs, as a mapping."""
    return dict(_variable(value, ctx, parameter) for value in values)


def _variable(value: str, ctx: click.Context, parameter: click.Parameter) -> tuple[str, str]:
    name, equals, text = value.partition("=")
    if not name:
        raise click.BadParameter(f"{value!r} is not NAME=VALUE", ctx, parameter)
    if not equals and name not in os.environ:
        message = f"{name} has no value here; give one as {name}=VALUE"
        raise click.BadParameter(message, ctx, parameter)
    return name, text if equals else os.environ[name]


# What a layer is made of, whether it is written as a folder or as an archive.
instrumentation_option = click.option(
    "--instrumentation",
    multiple=True,
    metavar="NAME",
    help="Put OpenTelemetry's instrumentation of a library into the layer, loaded when a function "
    "imports that library; may be repeated, `all` for each that there is. pip gets it from the "
    "package index. boto3, requests and urllib3 are instrumented in any case.",
)


def python_versions(
    ctx: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    """Python versions like `3.12`, each once."""
    for value in values:
        if not re.fullmatch(r"3\.([89]|[1-9]\d)", value):
            raise click.BadParameter(f"{value!r} is not a Python version like 3.12", ctx, parameter)
    return tuple(dict.fromkeys(values))


def tags(values: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`KEY=VALUE`, or `KEY` for any value of it, as pairs."""
    return tuple((key, value) for key, _, value in (text.partition("=") for text in values))


def function_name(task_root: Path) -> str:
    """The folder's name, as far as Lambda's rules for names allow it (64 of A-Z a-z 0-9 - _)."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", task_root.resolve().name).strip("-")[:64] or "function"


def exec_wrappers(
    _context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Absolute paths, which a colon separates in the variable that they go into."""
    for value in values:
        if not value.startswith("/") or ":" in value or not value.isprintable():
            raise click.BadParameter(f"{value!r} is not a path like /opt/wrapper")
    return values


def settings_option(options: dict[str, str]) -> Callable[[Any], Any]:
    """`--config`: the command is given the `Settings` as `settings`.

    Args:
        options: which of the command's parameters have a key as their default. An option that is
            given wins over the file.
    """

    def read(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> Settings:
        settings = find_settings(Path()) if path is None else read_settings(path)
        known = {name: _default(settings, key) for name, key in options.items()}
        ctx.default_map = {name: value for name, value in known.items() if value is not None}
        return settings

    return click.option(
        "--config",
        "settings",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        metavar="FILE",
        is_eager=True,
        callback=read,
        help=f"The settings to build in. By default the {FILE_NAME} of the current folder, if "
        "there is one.",
    )


def _default(settings: Settings, key: str) -> object:
    value = settings.get(key)
    # What a file says of paths is about its own surroundings, wherever the command runs.
    if key == "layer.output" and value is not None and settings.path is not None:
        return str(settings.path.parent / value)
    return value
