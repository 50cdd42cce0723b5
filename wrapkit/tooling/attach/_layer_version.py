"""A published layer version, and what it says about itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._errors import USAGE, DiagnosticError

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12})"
    r":layer:(?P<name>[A-Za-z0-9_-]+):(?P<version>\d+)"
)


@dataclass(frozen=True)
class LayerVersion:
    """A layer version. ``runtimes`` and ``architectures`` are empty where nobody has said them.

    ``wrapper`` is the exec wrapper that is to be set for it, or empty for an extension alone;
    ``byte_code`` the runtimes that it has byte code for, empty where that is unknown.
    """

    arn: str
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    wrapper: str = "/opt/otel-handler"
    byte_code: tuple[str, ...] = ()


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
        return "" if self.mode == "external" else LayerVersion.wrapper

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


def parse_layer_arn(arn: str) -> re.Match[str]:
    """The parts of a layer version's ARN; `DiagnosticError` for anything else."""
    match = _ARN.fullmatch(arn)
    if not match:
        raise DiagnosticError(
            "not-a-layer-version",
            f"{arn!r} is not the ARN of a layer version",
            "it reads arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
            USAGE,
        )
    return match


def layer_of(version_arn: str) -> str:
    """A layer's ARN without the version."""
    return version_arn.rpartition(":")[0]


def layer_name(version_arn: str) -> str:
    """A layer's name."""
    return layer_of(version_arn).rpartition(":")[2]
