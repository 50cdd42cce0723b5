"""Writes docs/reference/cli.md from the commands themselves; `--check` only compares.

The page is made from the same objects that `--help` is, so it cannot promise an option that does
not exist. `make generate` runs this, and a test compares.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docs.reference._made_pages import write_or_check
from wrapkit.tooling.cli._main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).with_name("cli.md")
OPENING = """\
<!-- Made by docs/reference/generate.py from the commands; `make generate` writes it anew. -->

# The command line

Data goes to standard output, talk to standard error. Exit codes: 0 done, 1 the work failed,
2 wrong usage, 130 and 143 ended by Ctrl-C and SIGTERM. `-v`, in front of a command or behind it,
shows the traceback of an error.
"""


def page() -> str:
    """The whole reference as Markdown."""
    context = click.Context(cli, info_name="wrapkit")
    return "\n".join([OPENING, *_sections(cli, context)])


def _sections(group: click.Group, context: click.Context) -> Iterator[str]:
    """A section for each command of a group, and of the groups in it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        below = click.Context(command or group, info_name=name, parent=context)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield _section(command, below)
            yield from _sections(command, below)
        elif command:
            yield _section(command, below)


def _section(command: click.Command, context: click.Context) -> str:
    rows = [_row(option, context) for option in command.params if isinstance(option, click.Option)]
    arguments = " ".join(
        parameter.metavar or str(parameter.name).upper()
        for parameter in command.params
        if isinstance(parameter, click.Argument)
    )
    parts = [
        f"## {context.command_path} {arguments}".rstrip() + "\n",
        f"{inspect.cleandoc(command.help or '')}\n",
        "| option | meaning |\n|---|---|",
        *rows,
        "",
        _epilog(command.epilog or ""),
    ]
    return "\n".join(parts)


def _row(option: click.Option, context: click.Context) -> str:
    names, meaning = option.get_help_record(context) or ("", "")
    return f"| `{_cell(names)}` | {_cell(meaning)} |"


def _cell(text: str) -> str:
    """Table cells end at a bar and at the end of a line."""
    return " ".join(text.split()).replace("|", "\\|")


def _epilog(text: str) -> str:
    """The examples as a block of code, what follows as text; click marks them with a form feed."""
    written = []
    for paragraph in inspect.cleandoc(text.replace("\b", "")).split("\n\n"):
        heading, _, rest = paragraph.strip().partition("\n")
        if heading == "Examples:":
            written.append(f"```sh\n{inspect.cleandoc(rest)}\n```\n")
        elif paragraph.strip():
            written.append(f"{paragraph.strip()}\n")
    return "\n".join(written)


if __name__ == "__main__":
    pages = {PAGE: page()}
    sys.exit(write_or_check(pages, "commands", sys.argv[1:]))
