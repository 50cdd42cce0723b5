"""What attach and detach do with a template file: show the lines, ask, write it whole."""

from __future__ import annotations

import difflib
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._whole_file import whole_file
from ..attach import EXEC_WRAPPER
from ..layers import describe, read_picture
from ..settings import find_settings
from ..templates import EditedTemplate, TemplateAttachment
from ._fleet import Session, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def template_option(command: Callable[..., int]) -> Callable[..., int]:
    """``--template``."""
    return click.option(
        "--template",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        help="Edit this CloudFormation or SAM template rather than functions in AWS.",
    )(command)


def template_attachment(
    template: Path, layer: str, variables: Mapping[str, str], chain: bool
) -> TemplateAttachment:
    """The layer's path as the template has to name it, and what it is by its files."""
    built_in = find_settings(Path()).variables
    if layer.startswith("arn:"):
        return TemplateAttachment(layer, variables=variables, built_in=built_in, chain=chain)
    described = describe(read_picture(Path(layer)))
    relative = os.path.relpath(layer, template.parent)
    return TemplateAttachment(
        Path(relative).as_posix(),
        described.wrapper,
        described.language,
        variables,
        built_in,
        chain,
    )


def edit_template(edited: EditedTemplate, session: Session) -> int:
    """Show and write; the exit code."""
    changes = list(_changes(edited))
    for note in edited.notes:
        click.echo(f"note: {note}", err=True)
    if session.as_json:
        click.echo(json.dumps(_record(edited, changes, session), indent=2))
    else:
        click.echo("\n".join(f"{sign} {line}" for sign, line in changes) or "nothing to change")
    if not changes or session.dry_run:
        return 0
    ask(f"Write {edited.path}?", session)
    with whole_file(edited.path) as stream:
        stream.write(edited.after.encode())
    click.echo(f"{edited.path}: written", err=True)
    return 0


def _changes(edited: EditedTemplate) -> Iterator[tuple[str, str]]:
    """The lines that go and come; those around them may hold secrets, and are not shown."""
    before, after = edited.before.splitlines(), edited.after.splitlines()
    for line in difflib.ndiff(before, after):
        if line[0] in "+-":
            yield line[0], _without_value(line[2:])


# A variable in a mapping, or one that was replaced, with whatever it is set to.
_VARIABLE = re.compile(r"(?P<name>\s*(?:# wrapkit replaced: )?(?P<variable>[A-Z][A-Z0-9_]+): ).*")
# Variables in braces.
_BRACES = re.compile(r"\s*(?:# wrapkit replaced: )?(?:Environment|Variables):\s*\{")


def _without_value(line: str) -> str:
    """As in the diff of a function: values of wrapkit's own variables and of the wrapper only."""
    braces = _BRACES.match(line)
    if braces:
        return f"{braces[0]}(not shown)"
    match = _VARIABLE.fullmatch(line)
    if not match or match["variable"] == EXEC_WRAPPER or match["variable"].startswith("WRAPKIT_"):
        return line
    return f"{match['name']}(not shown)"


def _record(
    edited: EditedTemplate, changes: list[tuple[str, str]], session: Session
) -> dict[str, object]:
    return {
        "template": str(edited.path),
        "functions": list(edited.functions),
        "written": bool(changes) and not session.dry_run,
        "changes": [{"change": sign, "line": line} for sign, line in changes],
        "notes": list(edited.notes),
    }
