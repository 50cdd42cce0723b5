"""Quantities as a user writes them, as callbacks of options: `5m`, `2%`, `128,512`."""

from __future__ import annotations

import re

import click

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def duration(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`90s`, `5m`, `1h`, or seconds without a unit, in seconds."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", value)
    if match is None or not float(match[1]):
        raise click.BadParameter(f"{value!r} is no time such as 90s, 5m or 1h", ctx, parameter)
    return float(match[1]) * _SECONDS[match[2]]


def percentage(ctx: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """`2%` as a share of 1, between zero and one."""
    if value is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", value)
    if match is None or not 0 <= float(match[1]) <= 100:
        raise click.BadParameter(f"{value!r} is no share such as 2%", ctx, parameter)
    return float(match[1]) / 100


def memory_sizes(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[int, ...]:
    """`128,512,1769`: Lambda's memory sizes in megabytes, each once."""
    sizes = [text.strip() for text in value.split(",")]
    for size in sizes:
        if not size.isdecimal() or not 128 <= int(size) <= 10_240:
            message = f"{size!r} is no memory size from 128 to 10240 MB"
            raise click.BadParameter(message, ctx, parameter)
    return tuple(dict.fromkeys(int(size) for size in sizes))
