"""Explains any layer: what Lambda starts from it, what Python finds in it, what is wrong."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._finding import Finding, Severity
from ._limits import MAX_UNZIPPED_BYTES, WARN_AT, megabytes
from ._native import NativeFile, check_native_files, find_native_files
from ._packages import Package, check_packages, find_packages
from ._scripts import Program, check_programs, find_extensions, find_wrappers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._picture import LayerFile, Picture

# What Lambda or a runtime looks for at the top of /opt.
_KNOWN_TOPS = {"python", "nodejs", "java", "ruby", "bin", "lib", "extensions", "wrapkit", "dotnet"}


@dataclass(frozen=True)
class Inspection:
    """What is in one layer, and the findings about it."""

    name: str
    zipped_bytes: int | None
    unzipped_bytes: int
    wrappers: list[Program]
    extensions: list[Program]
    packages: list[Package]
    native_files: list[NativeFile]
    parts_bytes: dict[str, int]
    findings: list[Finding]

    @property
    def has_errors(self) -> bool:
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def inspect_layer(layer: Picture, function: Picture | None = None) -> Inspection:
    """Explain a layer, beside the function's own code where that is given."""
    packages = find_packages(layer)
    native_files = find_native_files(layer)
    of_function = find_packages(function) if function else []
    findings = [
        *check_programs(layer),
        *check_packages(packages, of_function),
        *check_native_files(native_files),
        *(finding for file in layer.files for finding in _check_file(file)),
        *_check_shape(layer),
        *_check_size(layer, function),
    ]
    return Inspection(
        layer.name,
        layer.zipped_bytes,
        layer.unzipped_bytes,
        find_wrappers(layer),
        find_extensions(layer),
        packages,
        native_files,
        _sizes_of_tops(layer),
        findings,
    )


def _check_file(file: LayerFile) -> Iterator[Finding]:
    if file.lies_outside or (file.is_link and _leads_outside(file)):
        yield Finding(
            Severity.ERROR,
            "path-outside",
            f"{file.path!r} leads out of the layer's folder",
            "build the archive anew; do not extract this one",
        )
    elif file.mode and not file.is_link and not file.mode & 0o004:
        yield Finding(
            Severity.WARNING,
            "not-readable",
            f"/opt/{file.path} is readable by its owner only, and Lambda runs as another user",
            "chmod -R a+rX before zipping",
        )


def _leads_outside(link: LayerFile) -> bool:
    target = link.read().decode("utf-8", "replace")
    if target.startswith("/"):
        return not posixpath.normpath(target).startswith("/opt/")
    inside = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), target))
    return inside.startswith("..")


def _check_shape(layer: Picture) -> Iterator[Finding]:
    """The folder was zipped rather than its content."""
    tops = {file.path.split("/")[0] for file in layer.files}
    top = next(iter(tops), "")
    seconds = {file.path.split("/")[1] for file in layer.files if "/" in file.path}
    if len(tops) == 1 and top not in _KNOWN_TOPS and seconds & _KNOWN_TOPS:
        yield Finding(
            Severity.ERROR,
            "one-folder-too-deep",
            f"all is in the folder {top}/, so that nothing is where Lambda looks for it",
            f"zip the content of {top}/, not the folder",
        )


def _check_size(layer: Picture, function: Picture | None) -> Iterator[Finding]:
    total = layer.unzipped_bytes + (function.unzipped_bytes if function else 0)
    what = "the layer and the function" if function else "the layer"
    limit = megabytes(MAX_UNZIPPED_BYTES)
    if total > MAX_UNZIPPED_BYTES:
        message = f"{what}: {megabytes(total)} unzipped, and Lambda takes {limit} in all"
        yield Finding(Severity.ERROR, "too-large", message)
    elif total > WARN_AT * MAX_UNZIPPED_BYTES:
        message = f"{what}: {megabytes(total)} unzipped of {limit} in all"
        yield Finding(Severity.WARNING, "large", message)


def _sizes_of_tops(layer: Picture) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for file in layer.files:
        top, slash, _ = file.path.partition("/")
        sizes[top + slash] = sizes.get(top + slash, 0) + file.size_bytes
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
