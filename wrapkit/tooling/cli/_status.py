"""``wrapkit status``: who has wrapkit, and what was changed since."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED
from ..attach import FunctionStatus, LambdaApi, Selection, function_status, matching_functions
from ._arguments import tags
from ._fleet import region_options, selection_options

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = """\b
Examples:
  wrapkit status
  wrapkit status 'orders-*' --json

Exit code 1 says that something was changed since it was attached.
"""


@click.command(epilog=EPILOG)
@selection_options
@region_options
@click.option("--all", "show_all", is_flag=True, help="Show functions without wrapkit as well.")
@click.option("--json", "as_json", is_flag=True, help="Say it as JSON, all functions included.")
def status(
    *,
    functions: tuple[str, ...],
    tagged: tuple[str, ...],
    region: str | None,
    profile: str | None,
    show_all: bool,
    as_json: bool,
) -> int:
    """Show which functions have wrapkit, and what was changed since.

    By default of all functions of the region. What was attached is compared with the record that
    attaching left on the function.
    """
    api = LambdaApi(region, profile)
    found = matching_functions(api, Selection(functions, tags(tagged)))
    statuses = [function_status(function) for function in found]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(each) for each in statuses], indent=2))
    else:
        shown = [each for each in statuses if show_all or functions or each.state != "bare"]
        for line in _lines(shown):
            click.echo(line)
        with_wrapkit = sum(each.state != "bare" for each in statuses)
        click.echo(f"{with_wrapkit} of {len(statuses)} functions have wrapkit", err=True)
    return RUN_FAILED if any(each.drift for each in statuses) else 0


def _lines(statuses: list[FunctionStatus]) -> Iterator[str]:
    width = max((len(each.name) for each in statuses), default=0)
    for each in statuses:
        version = f"wrapkit {each.version}" if each.version else ""
        parts = [each.name.ljust(width), each.runtime, each.state, version, each.layer]
        yield "  ".join(part for part in parts if part)
        for note in each.drift:
            yield f"  drift: {note}"
