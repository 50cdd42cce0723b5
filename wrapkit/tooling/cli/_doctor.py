"""``wrapkit doctor``: what is wrong with a function or a folder."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED, USAGE, DiagnosticError
from ..attach import LambdaApi, Selection, select_functions
from ..doctor import check, check_folder, gather
from ._findings import finding_lines, finding_record, has_errors
from ._fleet import region_options

if TYPE_CHECKING:
    from ..layers import Finding

EPILOG = """\b
Examples:
  wrapkit doctor my-function
  wrapkit doctor 'orders-*'
  wrapkit doctor .

Exit code 1 says that something will fail. A function needs lambda:GetFunctionConfiguration and
lambda:GetLayerVersion; what else may be looked at is (iam:SimulatePrincipalPolicy,
ec2:DescribeSubnets, ec2:DescribeRouteTables), and what may not be is said.
"""


@click.command(epilog=EPILOG)
@click.argument("target", metavar="[FUNCTION|DIR]", default=".")
@region_options
@click.option("--json", "as_json", is_flag=True, help="Say what was found as JSON.")
def doctor(*, target: str, region: str | None, profile: str | None, as_json: bool) -> int:
    """Find what goes wrong in practice, and say how to mend it.

    Of a function in AWS: wrapper, layers, architecture, permissions, network and settings. Of a
    folder, by default this one: wrapkit.toml, the layer in build/ and template.yaml.
    """
    if "/" in target and not Path(target).is_dir():
        hint = "name a folder, or a function by name, ARN or pattern"
        raise DiagnosticError("no-such-folder", f"there is no folder {target}", hint, USAGE)
    if Path(target).is_dir():
        found = {target: check_folder(Path(target))}
    else:
        found = _of_functions(target, region, profile)
    if as_json:
        record = {
            name: [finding_record(finding) for finding in each] for name, each in found.items()
        }
        click.echo(json.dumps(record, indent=2))
    else:
        for name, findings in found.items():
            click.echo("\n".join(_lines(name, findings)))
    return RUN_FAILED if any(map(has_errors, found.values())) else 0


def _of_functions(target: str, region: str | None, profile: str | None) -> dict[str, list[Finding]]:
    api = LambdaApi(region, profile)
    found = {}
    for name in select_functions(api, Selection((target,))).names:
        with ExitStack() as keep:
            found[name] = check(gather(api, name, keep))
    return found


def _lines(name: str, findings: list[Finding]) -> list[str]:
    lines = [name]
    for finding in findings:
        lines += [f"  {line}" for line in finding_lines(finding)]
    return lines if findings else [f"{name}: nothing wrong was found"]
