"""Where a layer comes from: an archive or a folder here, a layer version or a function in AWS."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..attach import LambdaApi, Selection, select_functions

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class LayerSource:
    """Paths of layers; ``code`` is that of the function whose layers they are."""

    layers: tuple[Path, ...]
    code: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        return (*self.layers, self.code) if self.code else self.layers


def find_source(text: str, region: str | None, profile: str | None, folder: Path) -> LayerSource:
    """What ``text`` names; what is in AWS is downloaded into ``folder``.

    Raises:
        DiagnosticError: it is not there, or may not be read.
    """
    if text.startswith("arn:") and ":layer:" in text:
        return LayerSource((LambdaApi(region, profile).layer_archive(text, folder),))
    if Path(text).exists() or "/" in text or text.endswith(".zip"):
        return LayerSource((Path(text),))
    api = LambdaApi(region, profile)
    function = api.configuration(select_functions(api, Selection((text,))).names[0])
    layers = tuple(api.layer_archive(arn, folder) for arn in function.layers)
    return LayerSource(layers, api.function_archive(function.name, folder))


def find_paths(
    texts: Sequence[str], region: str | None, profile: str | None, folder: Path
) -> tuple[Path, ...]:
    """`find_source` of each, their layers and code in one list."""
    sources = [find_source(text, region, profile, folder) for text in texts]
    return tuple(path for source in sources for path in source.paths)
