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


def is_our_layer(version_arn: str) -> bool:
    """Whether its name is one that wrapkit publishes under, whoever added it."""
    return layer_name(version_arn).startswith("wrapkit-")
