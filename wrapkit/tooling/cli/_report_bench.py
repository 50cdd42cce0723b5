"""`wrapkit report bench`: a record as a table or as an HTML file."""

from __future__ import annotations

from pathlib import Path

import click

EPILOG = """\b
Examples:
  wrapkit report bench results.json --details
  wrapkit report bench results.json --html cost.html
  wrapkit report bench results.json --markdown
"""


@click.command(epilog=EPILOG)
@click.argument("record", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--details", is_flag=True, help="Every measure, and those of each process.")
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as one HTML file instead of the table.",
)
@click.option("--markdown", is_flag=True, help="The table in Markdown, as for a pull request.")
def bench(record: Path, details: bool, html: Path | None, markdown: bool) -> None:
    """Show a record that `wrapkit bench --output` has written."""
    from ..bench import load_record
    from ..report import bench_markdown, bench_page, bench_table
    from ._whole_file import write_whole

    loaded = load_record(record)
    if html is not None:
        write_whole(html, bench_page(loaded))
    elif markdown:
        click.echo(bench_markdown(loaded).rstrip())
    else:
        click.echo(bench_table(loaded, details=details))
