"""``wrapkit layer inspect``: what is in a layer, and what is wrong with it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED
from ..layers import Inspection, inspect_layer, megabytes, read_picture

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..layers import Finding

EPILOG = """\b
Examples:
  wrapkit layer inspect build/wrapkit-layer.zip
  wrapkit layer inspect somebodys-layer.zip --function build/function.zip

Exit code 1 says that something in it will fail.
"""


@click.command(epilog=EPILOG)
@click.argument("layer", type=click.Path(path_type=Path), metavar="ZIP|DIR")
@click.option(
    "--function",
    type=click.Path(path_type=Path),
    metavar="ZIP|DIR",
    help="The function's own code: its packages may clash, and its size counts.",
)
@click.option("--json", "as_json", is_flag=True, help="Say what was found as JSON.")
def inspect(*, layer: Path, function: Path | None, as_json: bool) -> int:
    """Explain what a layer puts into /opt, and what is wrong with it."""
    beside = read_picture(function) if function else None
    inspection = inspect_layer(read_picture(layer), beside)
    if as_json:
        click.echo(json.dumps(_record(inspection), indent=2))
    else:
        click.echo("\n".join(_lines(inspection)))
    return RUN_FAILED if inspection.has_errors else 0


def _record(inspection: Inspection) -> dict[str, object]:
    record = dataclasses.asdict(inspection)
    record["findings"] = [finding_record(finding) for finding in inspection.findings]
    return record


def finding_record(finding: Finding) -> dict[str, str]:
    """A finding as JSON."""
    return {**dataclasses.asdict(finding), "severity": finding.severity.value}


def finding_lines(finding: Finding) -> Iterator[str]:
    """A finding as text."""
    yield f"{finding.severity.value}: {finding.message}"
    if finding.hint:
        yield f"  hint: {finding.hint}"


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
        yield f"{count} native files for {architecture}{newest}"
