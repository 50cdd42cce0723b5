"""``--env`` of what is attached: variables of functions in AWS, which Lambda has rules for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..attach import refused_variable
from ._arguments import variables

if TYPE_CHECKING:
    from collections.abc import Sequence


def function_variables(
    ctx: click.Context, parameter: click.Parameter, values: Sequence[str]
) -> dict[str, str]:
    """As `variables`; refused beforehand are names that Lambda refuses in the middle of it."""
    given = variables(ctx, parameter, values)
    for reason in filter(None, map(refused_variable, given)):
        raise click.BadParameter(reason, ctx, parameter)
    return given
