"""``wrapkit attach``: the layer and the wrapper on functions that exist."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from ..attach import (
    Attachment,
    Fleet,
    LambdaApi,
    Selection,
    check_layer_argument,
    dockerfile_lines,
    find_layer,
    plan_attach,
    plan_fleet,
    select_functions,
)
from ..templates import attach_template
from ._arguments import tags
from ._fleet import Session, aws_options, carry_out, selection_options
from ._function_variables import function_variables
from ._template_file import edit_template, template_attachment, template_option

DEFAULT_LAYER = "build/wrapkit-layer.zip"

EPILOG = """\b
Examples:
  wrapkit attach my-function --dry-run
  wrapkit attach 'orders-*' --env OTEL_EXPORTER_OTLP_ENDPOINT=https://otlp.example.com --yes
  wrapkit attach --tag team=orders --verify event.json
  wrapkit attach my-function --replace-layer 'aws-otel-python-*'
  wrapkit attach --template template.yaml

Exit code 1 says that at least one function was not attached. What one function is refused for
does not keep wrapkit from the others. Functions of other runtimes are skipped where a pattern or
a tag has found them, and refused where they are named. Interrupted, or in part refused, the same
command goes on where it was.
"""


@click.command(epilog=EPILOG)
@selection_options
@click.option(
    "--layer",
    default=DEFAULT_LAYER,
    show_default=True,
    metavar="ZIP|ARN",
    help="The layer: an archive of `wrapkit layer build`, which is published unless its bytes are "
    "the newest version's, or the ARN of a layer version.",
)
@click.option(
    "--layer-name",
    metavar="NAME",
    help="The name under which an archive is published.  [default: wrapkit-LANGUAGE]",
)
@click.option(
    "--env",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    callback=function_variables,
    help="A variable for the functions, as NAME=VALUE, or NAME for the value that it has here; may "
    "be repeated. One that a function has already stays as it is.",
)
@click.option("--override", is_flag=True, help="Let --env replace what a function has.")
@click.option(
    "--replace-layer",
    "replace_layers",
    multiple=True,
    metavar="PATTERN",
    help="A layer that makes room, by name or ARN, as 'aws-otel-python-*'; may be repeated. "
    "Detaching puts it back in its place.",
)
@click.option(
    "--chain/--no-chain",
    default=True,
    help="Whether an exec wrapper that is there goes on after wrapkit's.  [default: chain]",
)
@template_option
@click.option(
    "--verify",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="EVENT",
    help="Invoke each function with this event before and after, and put it back when it fails "
    "afterwards and did not before.",
)
@aws_options
def attach(
    *,
    functions: tuple[str, ...],
    tagged: tuple[str, ...],
    layer: str,
    layer_name: str | None,
    assignments: dict[str, str],
    override: bool,
    replace_layers: tuple[str, ...],
    chain: bool,
    template: Path | None,
    verify: Path | None,
    session: Session,
) -> int:
    """Add the layer to functions and set their exec wrapper.

    Shows what will change and asks. Other layers and variables stay as they are, in their order;
    an exec wrapper that is there already is run after wrapkit's. A function that somebody else
    changes at the same time is left to them.

    With --template, a CloudFormation or SAM template is edited instead, line by line: FUNCTION are
    logical IDs then, by default all of the layer's language.
    """
    if template:
        edited = attach_template(
            template, template_attachment(template, layer, assignments, chain), functions
        )
        return edit_template(edited, session)
    api = LambdaApi(session.region, session.profile)
    check_layer_argument(layer, api.region)
    selected = select_functions(api, Selection(functions, tags(tagged)))
    event = verify.read_bytes() if verify else None

    def attachment(publish: bool) -> Attachment:
        version = find_layer(api, layer, layer_name, publish=publish)
        return Attachment(version, assignments, override, replace_layers, chain)

    planned = attachment(publish=False)
    fleet = plan_fleet(api, selected, partial(plan_attach, attachment=planned))

    def with_published_layer() -> Fleet:
        published = attachment(publish=True)
        if published.layer == planned.layer:
            return fleet
        plans = [plan_attach(plan.before, published) for plan in fleet.plans]
        return Fleet(plans, fleet.settled)

    image_lines = dockerfile_lines(planned.layer.wrapper, assignments)
    return carry_out(
        api, fleet, session, with_published_layer, event=event, image_lines=image_lines
    )
