"""``wrapkit detach``: functions as they were before ``wrapkit attach``."""

from __future__ import annotations

from functools import partial

import click

from ..attach import LambdaApi, Selection, plan_detach, plan_fleet, select_functions
from ._arguments import tags
from ._fleet import Session, aws_options, carry_out, selection_options

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
@aws_options
def detach(
    *, functions: tuple[str, ...], tagged: tuple[str, ...], force: bool, session: Session
) -> int:
    """Restore what functions were before they were attached.

    The record of that is on the function itself, in the variable WRAPKIT_ATTACHED. What was added
    or changed by others since stays.
    """
    api = LambdaApi(session.region, session.profile)
    names = select_functions(api, Selection(functions, tags(tagged)))
    fleet = plan_fleet(api, names, partial(plan_detach, force=force))
    return carry_out(api, fleet, session, lambda: fleet)
