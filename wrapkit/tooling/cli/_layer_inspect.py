"""``wrapkit layer inspect``: what is in a layer, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED, DiagnosticError
from ..layers import DAMAGED, Inspection, inspect_layer, megabytes, read_picture
from ._findings import finding_lines, finding_record
from ._fleet import region_options
from ._layer_sources import find_source

if TYPE_CHECKING:
    from collections.abc import Iterator

EPILOG = """\b
Examples:
  wrapkit layer inspect build/wrapkit-layer.zip
  wrapkit layer inspect somebodys-layer.zip --function build/function.zip
  wrapkit layer inspect arn:aws:lambda:eu-west-1:123456789012:layer:somebodys:2
  wrapkit layer inspect my-function

Exit code 1 says that something in it will fail.
"""


@click.command(epilog=EPILOG)
@click.argument("layer", metavar="ZIP|DIR|ARN|FUNCTION")
@click.option(
    "--function",
    type=click.Path(path_type=Path),
    metavar="ZIP|DIR",
    help="The function's own code: its packages may clash, and its size counts.",
)
@region_options
@click.option("--json", "as_json", is_flag=True, help="Say what was found as JSON.")
def inspect(
    *,
    layer: str,
    function: Path | None,
    region: str | None,
    profile: str | None,
    as_json: bool,
) -> int:
    """Explain what a layer puts into /opt, and what is wrong with it.

    An archive or a folder here, a layer version in AWS, or all layers of a function there beside
    its code. Nothing is extracted.
    """
    with TemporaryDirectory(prefix="wrapkit-inspect-") as folder:
        source = find_source(layer, region, profile, Path(folder))
        if not source.layers:
            raise DiagnosticError("no-layers", f"{layer} has no layers")
        layers = [read_picture(path) for path in source.layers]
        path = function or source.code
        code = read_picture(path) if path else None
        inspections = [inspect_layer(picture, code) for picture in layers]
        total_bytes = sum(picture.unzipped_bytes for picture in [*layers, *filter(None, [code])])
    if as_json:
        click.echo(json.dumps([_record(inspection) for inspection in inspections], indent=2))
    else:
        for inspection in inspections:
            click.echo("\n".join(_lines(inspection)))
        if code:
            click.echo(f"with the function's code: {megabytes(total_bytes)} unzipped of 250.0 MB")
    return RUN_FAILED if any(inspection.has_errors for inspection in inspections) else 0


def _record(inspection: Inspection) -> dict[str, object]:
    record = dataclasses.asdict(inspection)
    record["findings"] = [finding_record(finding) for finding in inspection.findings]
    return record


def _lines(inspection: Inspection) -> Iterator[str]:
    zipped = inspection.zipped_bytes
    sizes = [f"{megabytes(zipped)} zipped"] if zipped is not None else []
    sizes.append(f"{megabytes(inspection.unzipped_bytes)} unzipped of Lambda's 250.0 MB")
    yield f"{inspection.name}: {', '.join(sizes)}"
    for top, size_bytes in inspection.parts_bytes.items():
        yield f"{size_bytes / 1000:9.1f} kB  {top}"
    for kind, programs in (("wrapper", inspection.wrappers), ("extension", inspection.extensions)):
        for program in programs:
            maker = f", of {program.maker}" if program.maker else ""
            yield f"{kind} {program.path} ({program.interpreter or 'no program'}{maker})"
    for package in inspection.packages:
        hidden = "" if package.is_importable else ", out of the function's sight"
        yield f"package {package.name} {package.version} in {package.where}{hidden}"
    yield from _native_lines(inspection)
    for finding in inspection.findings:
        yield from finding_lines(finding)
    if not inspection.findings:
        yield "nothing wrong was found"


def _native_lines(inspection: Inspection) -> Iterator[str]:
    counts = Counter(file.architecture for file in inspection.native_files)
    for architecture, count in counts.items():
        needed = [
            file.glibc
            for file in inspection.native_files
            if file.architecture == architecture and file.glibc
        ]
        newest = ", glibc {}.{} or newer".format(*max(needed)) if needed else ""
        files = "native file" if count == 1 else "native files"
        where = "" if architecture == DAMAGED else f" for {architecture}{newest}"
        yield f"{count} {files}{where or ', damaged'}"
