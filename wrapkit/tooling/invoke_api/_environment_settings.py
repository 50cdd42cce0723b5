"""How the environments of a service are played, whatever function is in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..emulator import Isolation, ProfileName


@dataclass(frozen=True)
class EnvironmentSettings:
    """The settings of ``ExecutionEnvironment`` that are not the function's; as there."""

    isolation: Isolation = "auto"
    profile: ProfileName = "aws"
    freezes: bool | None = None
    limits_cpu: bool = False
