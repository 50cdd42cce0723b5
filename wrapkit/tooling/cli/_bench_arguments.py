"""What the user of `wrapkit bench` said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEFAULT_REGION = "us-east-1"
AWS_VARIANTS = ("bare", "wrapkit")


@dataclass(frozen=True)
class AwsArguments:
    """Of a function on AWS: which, and what is attached to it."""

    function: str
    layer: str
    profile: str | None
    yes: bool


@dataclass(frozen=True)
class BenchArguments:
    """What the user said."""

    aws: AwsArguments | None
    has_task: bool
    task_root: Path
    handler: str
    modes: tuple[str, ...]
    variants: tuple[str, ...]
    cold: int
    warm: int
    precision: float | None
    budget_s: float | None
    event_source: str | None
    environment: Mapping[str, str]
    memory_mb: tuple[int, ...]
    limits_cpu: bool
    timeout_s: float
    python: Path | None
    isolation: Literal["auto", "namespace", "none"]
    region: str | None
    architecture: str | None
    cold_start_rate: float
    prices: Path | None
    conditions: tuple[str, ...]
    details: bool
    as_json: bool
    output: Path | None
    html: Path | None
    is_resumed: bool
