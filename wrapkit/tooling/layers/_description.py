"""What a layer of wrapkit says about itself: in its files, and as the description of a version."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError
from ._scripts import MARKER

if TYPE_CHECKING:
    from ._picture import Picture

DEFAULT_WRAPPER = "/opt/otel-handler"


@dataclass(frozen=True)
class LayerDescription:
    """What wrapkit writes into the description of a layer version that it publishes."""

    version: str
    language: str
    mode: str
    versions: tuple[str, ...]

    def __str__(self) -> str:
        compiled = f", byte code {' '.join(self.versions)}" if self.versions else ""
        return f"wrapkit {self.version}: {self.language}, mode {self.mode}{compiled}"

    @property
    def wrapper(self) -> str:
        return "" if self.mode == "external" else DEFAULT_WRAPPER

    @property
    def byte_code(self) -> tuple[str, ...]:
        return tuple(f"{self.language}{version}" for version in self.versions)


_DESCRIPTION = re.compile(
    r"wrapkit (?P<version>\S+): (?P<language>\w+), mode (?P<mode>\w+)"
    r"(?:, byte code (?P<versions>[\d. ]+))?"
)


def parse_description(text: str) -> LayerDescription | None:
    """None for a layer that somebody else published."""
    match = _DESCRIPTION.fullmatch(text)
    if not match:
        return None
    versions = tuple((match["versions"] or "").split())
    return LayerDescription(match["version"], match["language"], match["mode"], versions)


def describe(picture: Picture) -> LayerDescription:
    """What the files of a layer say.

    Raises:
        DiagnosticError: somebody else built it.
    """
    marker = next((file for file in picture.files if file.path == MARKER), None)
    if marker is None:
        raise DiagnosticError(
            "not-our-layer",
            f"{picture.name} was not built by wrapkit: {MARKER} is missing",
            "publish it by hand, and name its ARN with --layer",
            USAGE,
        )
    made = json.loads(marker.read())
    return LayerDescription(
        made["wrapkit"], made["language"], made["mode"], tuple(made.get("python", ()))
    )
