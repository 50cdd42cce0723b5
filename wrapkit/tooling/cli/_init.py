"""``wrapkit init``: a wrapkit.toml to fill in."""

from __future__ import annotations

from pathlib import Path

import click

from .._errors import USAGE, DiagnosticError
from .._whole_file import whole_file
from ..settings import FILE_NAME, commented_file


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(FILE_NAME),
    show_default=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option("--force", is_flag=True, help="Replace one that is there.")
def init(*, output: Path, force: bool) -> None:
    """Write a wrapkit.toml to fill in, with every setting as a comment.

    `wrapkit generate` and `wrapkit layer build` read it from the current folder, and refuse what
    they do not know with its line.
    """
    if output.exists() and not force:
        raise DiagnosticError(
            "output-exists", f"{output} is there already", "replace it with --force", USAGE
        )
    with whole_file(output) as stream:
        stream.write(commented_file().encode())
    click.echo(output)
    click.echo("next: set otlp.endpoint in it, then `wrapkit layer build`", err=True)
