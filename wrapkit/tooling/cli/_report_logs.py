"""`wrapkit report logs`: REPORT lines as tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED, DiagnosticError

if TYPE_CHECKING:
    from ..bench import Report

ARCHITECTURES = ("x86_64", "arm64")

EPILOG = """\b
Examples:
  aws logs tail /aws/lambda/my-function --since 1h | wrapkit report logs
  aws logs filter-log-events --log-group-name /aws/lambda/my-function | wrapkit report logs
  wrapkit report logs before.log after.log
  wrapkit report logs --version 41=bare --version 42=wrapkit < export.csv

Versions are told apart by the START lines and by the names of the log streams; files by their
names. What has changed from the first to each other column stands behind the row, with its 95 %
confidence interval; ~ marks what may be chance.

Exit codes: 0 shown, 1 no REPORT line was found, 2 wrong usage.
"""


def _names(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, str]:
    """`VERSION=NAME` as a mapping."""
    pairs = [value.partition("=") for value in values]
    for version, _, name in pairs:
        if not version or not name:
            raise click.BadParameter(f"{version!r} is not VERSION=NAME", ctx, parameter)
    return {version: name for version, _, name in pairs}


@click.command(epilog=EPILOG)
@click.argument(
    "files",
    nargs=-1,
    metavar="[FILE]...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option(
    "--version",
    "names",
    multiple=True,
    metavar="VERSION=NAME",
    callback=_names,
    help="Show a version under a name; versions with one name are one column. Repeatable.",
)
@click.option("--region", default="us-east-1", show_default=True, help="Whose prices count.")
@click.option(
    "--architecture",
    default="x86_64",
    show_default=True,
    type=click.Choice(ARCHITECTURES),
    help="Whose prices count.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
def logs(
    files: tuple[Path, ...],
    names: dict[str, str],
    region: str,
    architecture: str,
    as_json: bool,
) -> None:
    """Make tables of REPORT lines: any text with them in it, from files or standard input.

    Text and JSON log format, `aws logs tail`, `aws logs filter-log-events` and the CSV of Logs
    Insights all will do.
    """
    from ..bench import find_price
    from ..report import log_rows, log_table

    groups = _groups(files, names)
    if not groups:
        raise DiagnosticError(
            "no-report-lines",
            "there is no REPORT line in it",
            "Lambda writes one for each invocation, below its log group /aws/lambda/FUNCTION",
            RUN_FAILED,
        )
    rows = log_rows(groups, find_price(region, architecture))
    if as_json:
        document = {
            "format": "wrapkit.logs",
            "format_version": 1,
            "versions": list(groups),
            "rows": [row.as_document() for row in rows],
        }
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo(log_table(groups, rows))


def _groups(files: tuple[Path, ...], names: dict[str, str]) -> dict[str, list[Report]]:
    """By file where there are several, else by version."""
    from ..bench import read_reports
    from ..report import group_reports

    if len(files) < 2:
        text = _text(files[0]) if files else sys.stdin.read()
        return group_reports(read_reports(text), names)
    by_file = {str(path): read_reports(_text(path)) for path in files}
    return {name: reports for name, reports in by_file.items() if reports}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DiagnosticError(
            "unreadable-log", f"{path} cannot be read: {error.strerror}"
        ) from error
