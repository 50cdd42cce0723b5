"""Quantities as a user writes them: `5m`, `2%`, `128,512`."""

from __future__ import annotations

import re

import click

_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h`, or seconds without a unit; the value is in seconds."""

    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", str(value))
        if match is None or not float(match[1]):
            self.fail(f"{value!r} is no time such as 90s, 5m or 1h", param, ctx)
        return float(match[1]) * _SECONDS[match[2]]


class Percentage(click.ParamType[float]):
    """`2%`; the value is a share of 1, between zero and one."""

    name = "percentage"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", str(value))
        if match is None or not 0 <= float(match[1]) <= 100:
            self.fail(f"{value!r} is no share such as 2%", param, ctx)
        return float(match[1]) / 100


class MemorySizes(click.ParamType[tuple[int, ...]]):
    """`128,512,1769`: Lambda's memory sizes in megabytes, each once."""

    name = "sizes"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        sizes = [text.strip() for text in str(value).split(",")]
        for size in sizes:
            if not size.isdigit() or not 128 <= int(size) <= 10_240:
                self.fail(f"{size!r} is no memory size from 128 to 10240 MB", param, ctx)
        return tuple(dict.fromkeys(int(size) for size in sizes))
