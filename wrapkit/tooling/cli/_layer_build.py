"""``wrapkit layer build``: the layer as a zip archive."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from ..layers import BuiltLayer, LayerRequest, build_layers, measure, megabytes
from ..wrapping import DEFAULT_MODE, LAMBDA_VERSIONS, LANGUAGES, MODES
from ._arguments import instrumentation_option, python_versions, settings_option
from ._fleet import region_options
from ._layer_sources import find_paths

if TYPE_CHECKING:
    from ..settings import Settings

DEFAULT_OUTPUT = Path("build/wrapkit-layer.zip")


@click.command()
@click.option(
    "--lang",
    "language",
    default=LANGUAGES[0],
    show_default=True,
    metavar="LANGUAGE",
    help=f"The functions' language: {', '.join(LANGUAGES)}.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_OUTPUT,
    show_default=True,
    metavar="ZIP",
    help="The archive to write.",
)
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default=DEFAULT_MODE,
    show_default=True,
    help="Who makes and exports the spans; `wrapkit generate --help` explains the modes.",
)
@click.option(
    "--python",
    "versions",
    multiple=True,
    callback=python_versions,
    metavar="VERSION",
    help="Serve this Python, as 3.12, with byte code; may be repeated. "
    "By default each of Lambda's that this machine has.",
)
@click.option(
    "--split",
    is_flag=True,
    help="One archive for each Python, named ZIP-pythonVERSION, rather than one for all.",
)
@click.option(
    "--compress",
    is_flag=True,
    help="Deflate: half the upload, but other bytes where Python has another zlib.",
)
@click.option(
    "--with-layers",
    "beside",
    multiple=True,
    metavar="ZIP|DIR|ARN|FUNCTION",
    help="What shares Lambda's 250 MB with the layer: other layers and code, or a function in AWS "
    "with its layers; may be repeated.",
)
@region_options
@instrumentation_option
@settings_option(
    {"language": "layer.language", "mode": "layer.mode", "versions": "layer.python"}
    | {"instrumentation": "layer.instrumentation"}
)
@click.option("--json", "as_json", is_flag=True, help="Say what was written as JSON.")
def build(
    *,
    language: str,
    output: Path,
    mode: str,
    versions: tuple[str, ...],
    instrumentation: tuple[str, ...],
    split: bool,
    compress: bool,
    beside: tuple[str, ...],
    region: str | None,
    profile: str | None,
    settings: Settings,
    as_json: bool,
) -> int:
    """Write a layer as a zip archive, the same bytes from the same inputs."""
    with TemporaryDirectory(prefix="wrapkit-beside-") as folder:
        others = find_paths(beside, region, profile, Path(folder))
        parts = tuple(measure(path) for path in others)
    request = LayerRequest(
        output=output,
        language=language,
        mode=mode,
        versions=versions or (LAMBDA_VERSIONS if split else ()),
        compress=compress,
        split=split,
        beside=parts,
        defaults=settings.variables,
        instrumentation=instrumentation,
    )
    if instrumentation:
        click.echo("getting OpenTelemetry's instrumentation with pip ...", err=True)
    built = build_layers(request)
    if as_json:
        click.echo(json.dumps([_record(layer) for layer in built], indent=2))
        return 0
    for layer in built:
        click.echo(_summary(layer))
        for note in _notes(layer):
            click.echo(note, err=True)
    return 0


def _record(built: BuiltLayer) -> dict[str, object]:
    return {
        "output": str(built.archive.path),
        "sha256": built.archive.sha256,
        "zipped_bytes": built.archive.zipped_bytes,
        "unzipped_bytes": built.archive.unzipped_bytes,
        "language": built.layer.language,
        "mode": built.layer.mode,
        "python": sorted(built.layer.interpreters, key=_as_numbers),
        "parts_bytes": built.parts_bytes,
        "warnings": built.warnings,
    }


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _summary(built: BuiltLayer) -> str:
    archive = built.archive
    zipped, unzipped = megabytes(archive.zipped_bytes), megabytes(archive.unzipped_bytes)
    lines = [
        f"{archive.path}: mode {built.layer.mode}, {zipped} zipped, {unzipped} unzipped",
        f"sha256 {archive.sha256}",
    ]
    lines += [f"{size / 1000:9.1f} kB  {part}" for part, size in built.parts_bytes.items()]
    return "\n".join(lines)


def _notes(built: BuiltLayer) -> list[str]:
    notes = [f"warning: {warning}" for warning in built.warnings]
    if built.layer.missing_versions:
        notes.append(f"no byte code for Python {', '.join(built.layer.missing_versions)}")
        notes.append("hint: a function of these compiles wrapkit at each cold start")
    return notes
