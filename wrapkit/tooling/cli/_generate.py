"""``wrapkit generate``: the layer folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wrapkit import __version__

from ..wrapping import DEFAULT_MODE, LANGUAGES, MODES, Layer, generate_layer
from ._arguments import exec_wrappers, instrumentation_option, python_versions, settings_option

if TYPE_CHECKING:
    from ..settings import Settings


@click.command()
@click.option(
    "--lang",
    "language",
    required=True,
    metavar="LANGUAGE",
    help=f"The functions' language: {', '.join(LANGUAGES)}.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The folder to write; it becomes /opt of the functions.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=DEFAULT_MODE,
    show_default=True,
    help="internal: the hook exports before the response. external: no code in the function's "
    "process, and nothing known of what the handler raises. both: the hook records, the extension "
    "exports after the response.",
)
@click.option(
    "--python",
    "versions",
    multiple=True,
    callback=python_versions,
    metavar="VERSION",
    help="Make byte code for this Python, as 3.12; may be repeated. "
    "By default for each of Lambda's that this machine has.",
)
@click.option(
    "--chain",
    multiple=True,
    callback=exec_wrappers,
    metavar="PATH",
    help="Another exec wrapper to run after wrapkit's, as /opt/datadog_wrapper; may be repeated, "
    "in their order.",
)
@instrumentation_option
@settings_option(
    {"language": "layer.language", "output": "layer.output", "mode": "layer.mode"}
    | {"versions": "layer.python", "chain": "layer.chain"}
    | {"instrumentation": "layer.instrumentation"}
)
@click.option("--force", is_flag=True, help="Replace a folder that wrapkit did not write.")
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON.")
def generate(
    *,
    language: str,
    output: Path,
    mode: str,
    versions: tuple[str, ...],
    chain: tuple[str, ...],
    instrumentation: tuple[str, ...],
    settings: Settings,
    force: bool,
    as_json: bool,
) -> None:
    """Write the wrapper script, hook and extension as the picture of /opt."""
    if instrumentation:
        click.echo("getting OpenTelemetry's instrumentation with pip ...", err=True)
    layer = generate_layer(
        language,
        output,
        mode=mode,
        versions=versions,
        defaults={**settings.variables, **({"WRAPKIT_CHAIN": ":".join(chain)} if chain else {})},
        instrumentation=instrumentation,
        force=force,
    )
    if as_json:
        click.echo(json.dumps(_record(layer), indent=2))
        return
    click.echo(_summary(layer))
    click.echo(_next_steps(layer, settings), err=True)


def _record(layer: Layer) -> dict[str, object]:
    return {
        "output": str(layer.output),
        "version": __version__,
        "language": layer.language,
        "mode": layer.mode,
        "python": layer.interpreters,
        "instrumentation": list(layer.instrumentation),
        "files": layer.files,
    }


def _summary(layer: Layer) -> str:
    folders = ("wrapkit/_wrapkit/", "wrapkit/python/")
    entries = [path for path in layer.files if not path.startswith(folders)]
    size_kb = sum(layer.files.values()) / 1000
    lines = [f"{layer.output}: mode {layer.mode}, {len(layer.files)} files, {size_kb:.0f} kB"]
    lines += [f"  {path}" for path in entries]
    for folder in folders:
        count = sum(path.startswith(folder) for path in layer.files)
        lines += [f"  {folder} ({count} files)"] if count else []
    if layer.instrumentation:
        lines.append(f"instrumentation of {', '.join(layer.instrumentation)}")
    lines += [
        f"byte code for Python {version} by {path}" for version, path in layer.interpreters.items()
    ]
    return "\n".join(lines)


def _next_steps(layer: Layer, settings: Settings) -> str:
    lines = [f"settings from {settings.path}"] if settings.path else []
    if layer.missing_versions:
        lines.append(f"no byte code for Python {', '.join(layer.missing_versions)}")
        lines.append("hint: a function of these compiles wrapkit at each cold start")
    lines.append(
        "next: `wrapkit layer build` and `wrapkit attach` put the same onto functions; by hand:"
    )
    lines.append("next: publish the folder's content as a layer and add it to the function")
    if layer.mode != "external":
        lines.append("next: set AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-handler on the function")
    if not any(name.endswith("_ENDPOINT") for name in settings.variables):
        lines.append("next: set OTEL_EXPORTER_OTLP_ENDPOINT to where its traces go")
    return "\n".join(lines)
