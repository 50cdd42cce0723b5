"""Layers as zip archives: one for all that it serves, or one for each Python version."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..wrapping import DEFAULT_MODE, Layer, generate_layer
from ._archive import Archive, write_archive
from ._limits import Part, check_sizes
from ._picture import read_picture

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class LayerRequest:
    """What to build.

    ``beside`` is what shares Lambda's limit with it: layers, and the function. ``defaults`` are
    variables for functions that do not have them, ``instrumentation`` the names of OpenTelemetry's
    instrumentors to put into it.
    """

    output: Path
    language: str = "python"
    mode: str = DEFAULT_MODE
    versions: tuple[str, ...] = ()
    compress: bool = False
    split: bool = False
    beside: tuple[Part, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    instrumentation: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuiltLayer:
    """An archive, the layer that is in it, its parts by size, and what is close to a limit."""

    archive: Archive
    layer: Layer
    parts_bytes: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def build_layers(request: LayerRequest) -> list[BuiltLayer]:
    """Generate and zip; with ``split`` one archive for each Python version.

    Raises:
        DiagnosticError: what generation refuses; Lambda would refuse the size; not writable.
    """
    if not request.split:
        return [_build(request, request.versions, request.output)]
    return [
        _build(request, (version,), _of_version(request.output, version))
        for version in request.versions
    ]


def measure(path: Path) -> Part:
    """What a layer or a function's code takes of Lambda's limit."""
    picture = read_picture(path)
    return Part(picture.name, picture.unzipped_bytes)


def _build(request: LayerRequest, versions: tuple[str, ...], output: Path) -> BuiltLayer:
    with tempfile.TemporaryDirectory(prefix="wrapkit-layer-") as scratch:
        layer = generate_layer(
            request.language,
            Path(scratch, "opt"),
            mode=request.mode,
            versions=versions,
            defaults=request.defaults,
            instrumentation=request.instrumentation,
        )
        own = Part("this layer", sum(layer.files.values()))
        # Before anything is written: an archive that Lambda refuses is of no use to anybody.
        check_sizes([own, *request.beside], 0)
        archive = write_archive(layer.output, output, compress=request.compress)
    warnings = check_sizes([own, *request.beside], archive.zipped_bytes)
    return BuiltLayer(archive, layer, parts_by_size(layer.files), warnings)


def _of_version(output: Path, version: str) -> Path:
    return output.with_name(f"{output.stem}-python{version}{output.suffix}")


def parts_by_size(files: dict[str, int]) -> dict[str, int]:
    """Bytes of each part of a layer, the largest first; the byte code of each version is one."""
    parts: Counter[str] = Counter()
    for path, size_bytes in files.items():
        parts[_part(path)] += size_bytes
    return dict(parts.most_common())


def _part(path: str) -> str:
    folders = path.split("/")
    if path.endswith(".pyc"):
        tag = path.removesuffix(".pyc").rpartition(".cpython-")[2]
        return f"byte code for Python {tag[:1]}.{tag[1:]}"
    if path.startswith("wrapkit/_wrapkit/"):
        return "/".join(
            folders[:4] if folders[2] == "payload" and len(folders) > 4 else folders[:3]
        )
    if path.startswith("wrapkit/python/"):
        return "/".join(folders[:3])
    return path if len(folders) < 3 else "/".join(folders[:2])
