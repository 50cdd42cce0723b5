"""Variants made ready to run: layers generated or extracted once, variables set, sizes taken."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..emulator import merge_layers
from ..wrapping import generate_layer

if TYPE_CHECKING:
    from pathlib import Path

    from ..emulator import Function
    from ._variant import Variant

WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
# The exec wrappers by their documentation: wrapkit's and OpenTelemetry's, ADOT's, Datadog's,
# Elastic's. The first that a layer holds is set, unless the variant sets the variable.
KNOWN_WRAPPERS = (
    "otel-handler",
    "otel-instrument",
    "datadog_wrapper",
    "python/bin/elasticapm-lambda",
)


@dataclass(frozen=True)
class Deployment:
    """A variant as a function that can be run, and what its layers weigh.

    ``packed_bytes`` is what the layers' zip archives hold, ``unpacked_bytes`` what they become in
    /opt, and ``task_bytes`` what the function's own code adds to that.
    """

    variant: Variant
    function: Function
    packed_bytes: int
    unpacked_bytes: int
    task_bytes: int
    digest: str

    def as_document(self) -> dict[str, Any]:
        """For a record: the names of variables, never their values, which may be secrets."""
        return {
            "name": self.variant.name,
            "mode": self.variant.mode,
            "layers": [layer.name for layer in self.variant.layers],
            "layers_sha256": self.digest,
            "layers_packed_bytes": self.packed_bytes,
            "layers_unpacked_bytes": self.unpacked_bytes,
            "task_bytes": self.task_bytes,
            "wrapper": self.function.environment.get(WRAPPER_VARIABLE),
            "handler": self.function.handler,
            "variables": sorted(self.function.environment),
        }


def deploy(variant: Variant, bare: Function, folder: Path, python_version: str) -> Deployment:
    """The variant of the function; `folder`, which is to be kept, takes its one merged layer.

    Raises `DiagnosticError` for a layer that cannot be read.
    """
    opt = folder / variant.name
    if variant.mode is not None:
        generate_layer("python", opt, mode=variant.mode, versions=(python_version,))
    elif variant.layers:
        opt.mkdir()
        merge_layers(variant.layers, str(opt))
    has_layer = opt.is_dir()
    environment = {**bare.environment, **_wrapper(opt), **variant.environment}
    function = replace(
        bare,
        layers=(*bare.layers, opt) if has_layer else bare.layers,
        environment=environment,
        task_root=variant.task_root or bare.task_root,
        handler=variant.handler or bare.handler,
    )
    return Deployment(
        variant,
        function,
        packed_bytes=_packed_bytes(variant, opt) if has_layer else 0,
        unpacked_bytes=_unpacked_bytes(opt) if has_layer else 0,
        task_bytes=_unpacked_bytes(function.task_root),
        digest=_digest(opt) if has_layer else "",
    )


def _wrapper(opt: Path) -> dict[str, str]:
    found = [name for name in KNOWN_WRAPPERS if (opt / name).is_file()]
    return {WRAPPER_VARIABLE: f"/opt/{found[0]}"} if found else {}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if stat.S_ISREG(path.lstat().st_mode))


def _unpacked_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in _files(folder))


def _packed_bytes(variant: Variant, opt: Path) -> int:
    """The zip files that were given as they are; a folder as `zip` would pack it."""
    layers = variant.layers or (opt,)
    return sum(_zipped_bytes(one) if one.is_dir() else one.stat().st_size for one in layers)


class _Counter:
    """A file for `ZipFile` to write to, of which only the length is kept."""

    def __init__(self) -> None:
        self.length = 0

    def write(self, data: bytes) -> int:
        self.length += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""


def _zipped_bytes(folder: Path) -> int:
    counter = _Counter()
    with zipfile.ZipFile(counter, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for path in _files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.compress_type = zipfile.ZIP_DEFLATED
            with path.open("rb") as source, archive.open(entry, "w") as target:
                shutil.copyfileobj(source, target)
    return counter.length


def _digest(folder: Path) -> str:
    """Of paths, modes and contents: the same layer on another day is known again."""
    whole = hashlib.sha256()
    for path in _files(folder):
        mode = stat.S_IMODE(path.lstat().st_mode)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{mode:o}\0{content}\n".encode())
    return whole.hexdigest()
