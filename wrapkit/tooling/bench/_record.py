"""A finished benchmark: the figures with the version, the scenario and the machine they are of."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from wrapkit import __version__

from ._metrics import findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ._start import ColdStart

FORMAT = "wrapkit.bench"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class BenchRecord:
    """What was run, where, and all cold starts in the order in which they were made."""

    started: str
    scenario: Mapping[str, Any]
    machine: Mapping[str, Any]
    starts: Sequence[ColdStart]

    def as_document(self) -> dict[str, Any]:
        """The record for a file; what breaks its readers raises `FORMAT_VERSION`."""
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "wrapkit_version": __version__,
            "started": self.started,
            "scenario": dict(self.scenario),
            "machine": dict(self.machine),
            "findings": [_rounded(finding.as_document()) for finding in findings(self.starts)],
            "starts": [_rounded(asdict(start)) for start in self.starts],
        }


def _rounded(value: Any) -> Any:
    """A tenth of a microsecond is more than any of the clocks behind the figures can tell."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
