"""``wrapkit template``: the same attachment as infrastructure as code."""

from __future__ import annotations

from pathlib import Path

import click

from .._errors import USAGE, DiagnosticError
from .._whole_file import whole_file
from ..attach import LayerVersion
from ..layers import describe, read_picture
from ..settings import find_settings
from ..templates import FORMATS, CodeRequest, generate_code
from ..wrapping import LAMBDA_VERSIONS
from ._function_variables import function_variables

EPILOG = """\b
Examples:
  wrapkit template --format sam orders billing > template.yaml
  wrapkit template --format terraform --output infrastructure orders billing
  wrapkit template --format cdk --layer arn:aws:lambda:eu-west-1:123456789012:layer:wrapkit-python:1
"""


@click.command(epilog=EPILOG)
@click.argument("functions", nargs=-1, metavar="[FUNCTION]...")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    required=True,
    help="For which tool.",
)
@click.option(
    "--layer",
    default="build/wrapkit-layer.zip",
    show_default=True,
    metavar="ZIP|ARN",
    help="The archive, which the tool then publishes, or the ARN of a layer version.",
)
@click.option(
    "--env",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    callback=function_variables,
    help="A variable for the functions; may be repeated.",
)
@click.option(
    "--runtime",
    default=f"python{LAMBDA_VERSIONS[-2]}",
    show_default=True,
    metavar="RUNTIME",
    help="The functions' runtime, where the code names one.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="The folder to write into, rather than to standard output.",
)
@click.option("--force", is_flag=True, help="Replace files in it that are there.")
def template(
    *,
    functions: tuple[str, ...],
    format_name: str,
    layer: str,
    assignments: dict[str, str],
    runtime: str,
    output: Path | None,
    force: bool,
) -> None:
    """Write infrastructure as code that attaches the layer to functions.

    With the least permissions that the exporter needs, where it needs any. A template that you have
    already is edited in place by `wrapkit attach --template`.
    """
    files = generate_code(format_name, _request(functions, layer, assignments, runtime))
    if output is None:
        click.echo(_as_one_text(files), nl=False)
        return
    _check_free(output, files, force)
    for name, text in files.items():
        with whole_file(output / name) as stream:
            stream.write(text.encode())
        click.echo(output / name)


def _request(
    functions: tuple[str, ...], layer: str, assignments: dict[str, str], runtime: str
) -> CodeRequest:
    path = Path(layer)
    # The code may be written before the layer is built.
    made = describe(read_picture(path)) if path.exists() else None
    language = made.language if made else "python"
    return CodeRequest(
        functions=tuple(dict.fromkeys(functions)) or CodeRequest.functions,
        layer=layer,
        layer_name=f"wrapkit-{language}",
        wrapper=made.wrapper if made else LayerVersion.wrapper,
        runtime=runtime,
        runtimes=tuple(f"{language}{version}" for version in LAMBDA_VERSIONS),
        variables=assignments,
        built_in=find_settings(Path()).variables,
    )


def _as_one_text(files: dict[str, str]) -> str:
    if len(files) == 1:
        return next(iter(files.values()))
    return "\n".join(f"# --- {name}\n{text}" for name, text in files.items())


def _check_free(output: Path, files: dict[str, str], force: bool) -> None:
    taken = [
        name
        for name, text in files.items()
        if (output / name).exists() and (output / name).read_bytes() != text.encode()
    ]
    if taken and not force:
        raise DiagnosticError(
            "output-exists",
            f"{output / taken[0]} is there already, and differs",
            "choose another --output, or replace it with --force",
            USAGE,
        )
