"""``wrapkit layer publish``: an archive as a layer version."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..attach import LambdaApi, find_layer
from ._fleet import region_options


@click.command()
@click.argument(
    "archive",
    type=click.Path(path_type=Path),
    default=Path("build/wrapkit-layer.zip"),
    metavar="[ZIP]",
)
@click.option("--layer-name", metavar="NAME", help="The layer's name.  [default: wrapkit-LANGUAGE]")
@region_options
@click.option("--json", "as_json", is_flag=True, help="Say what was published as JSON.")
def publish(
    *,
    archive: Path,
    layer_name: str | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Publish an archive, and print the ARN of its version.

    By default build/wrapkit-layer.zip. Where the newest version has the same bytes already, it is
    that one, and nothing is published.
    """
    api = LambdaApi(region, profile)
    version = find_layer(api, str(archive), layer_name, publish=True)
    if as_json:
        click.echo(json.dumps({"layer_version_arn": version.arn, "runtimes": version.runtimes}))
    else:
        click.echo(version.arn)
    return 0
