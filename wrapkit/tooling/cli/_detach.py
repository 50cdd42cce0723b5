"""``wrapkit detach``: functions as they were before ``wrapkit attach``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from ..attach import LambdaApi, Selection, plan_detach, plan_fleet, select_functions
from ..templates import detach_template
from ._arguments import tags
from ._fleet import Session, aws_options, carry_out, selection_options
from ._template_file import edit_template, template_option

if TYPE_CHECKING:
    from pathlib import Path

EPILOG = """\b
Examples:
  wrapkit detach my-function
  wrapkit detach 'orders-*' --yes

Exit code 1 says that at least one function was not detached.
"""


@click.command(epilog=EPILOG)
@selection_options
@click.option(
    "--force",
    is_flag=True,
    help="Restore variables that were changed since they were attached as well.",
)
@template_option
@aws_options
def detach(
    *,
    functions: tuple[str, ...],
    tagged: tuple[str, ...],
    force: bool,
    template: Path | None,
    session: Session,
) -> int:
    """Restore what functions were before they were attached.

    The record of that is on the function itself, in the variable WRAPKIT_ATTACHED. What was added
    or changed by others since stays. With --template, a template gets back the lines that it had.
    """
    if template:
        return edit_template(detach_template(template), session)
    api = LambdaApi(session.region, session.profile)
    selected = select_functions(api, Selection(functions, tags(tagged)))
    fleet = plan_fleet(api, selected, partial(plan_detach, force=force))
    return carry_out(api, fleet, session, lambda: fleet)
