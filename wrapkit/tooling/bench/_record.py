"""A finished benchmark: the figures with the versions, the scenario and the machine they are of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._errors import USAGE, DiagnosticError
from ._findings import findings
from ._start import Start

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMAT = "wrapkit.bench"
FORMAT_VERSION = 2


@dataclass(frozen=True)
class BenchRecord:
    """What was run, where, and all cold starts in the order in which they were made.

    ``stopped`` says why no further round was made: rounds, precision or budget. ``inspections``
    maps a variant to its constants.
    """

    started: str
    stopped: str
    versions: Mapping[str, str]
    scenario: Mapping[str, Any]
    machine: Mapping[str, Any]
    noise: Mapping[str, Any]
    inspections: Mapping[str, Mapping[str, Any]]
    starts: Sequence[Start]

    @property
    def variants(self) -> list[str]:
        return [variant["name"] for variant in self.scenario["variants"]]

    @property
    def memory_mb(self) -> list[int]:
        return list(self.scenario["memory_mb"])

    def rounds(self) -> int:
        """How many cold starts each cell has."""
        return len({start.round for start in self.starts})

    def as_document(self) -> dict[str, Any]:
        """The record for a file; what breaks its readers raises `FORMAT_VERSION`."""
        document = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "started": self.started,
            "stopped": self.stopped,
            "versions": dict(self.versions),
            "scenario": dict(self.scenario),
            "machine": dict(self.machine),
            "noise": dict(self.noise),
            "inspections": dict(self.inspections),
            "findings": [_rounded(finding.as_document()) for finding in findings(self.starts)],
            "starts": [start.as_document() for start in self.starts],
        }
        return {**document, "sha256": _digest(document)}

    def as_text(self) -> str:
        """The document as JSON, with a line for each finding and each start."""
        return document_text(self.as_document())


def document_text(document: Mapping[str, Any]) -> str:
    """A record's document as JSON: thousands of figures, but lines that a person can scroll."""
    parts = []
    for key, value in document.items():
        if key in ("findings", "starts"):
            lines = ",\n  ".join(json.dumps(item) for item in value)
            parts.append(f" {json.dumps(key)}: [\n  {lines}\n ]")
        else:
            parts.append(f" {json.dumps(key)}: " + json.dumps(value, indent=1).replace("\n", "\n "))
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load_record(path: Path) -> BenchRecord:
    """A record that `as_text` wrote; raises `DiagnosticError` (usage) for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unusable(path, f"{error.strerror}") from error
    except ValueError as error:
        raise _unusable(path, f"it is not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _unusable(path, "it is not a record of `wrapkit bench`")
    if document.get("format_version") != FORMAT_VERSION:
        raise _unusable(
            path,
            f"it has the format version {document.get('format_version')}, not {FORMAT_VERSION}",
        )
    if document.pop("sha256", None) != _digest(document):
        raise _unusable(path, "it is not what was measured: it has been changed since")
    return BenchRecord(
        started=document["started"],
        stopped=document["stopped"],
        versions=document["versions"],
        scenario=document["scenario"],
        machine=document["machine"],
        noise=document["noise"],
        inspections=document["inspections"],
        starts=[Start(**start) for start in document["starts"]],
    )


def _unusable(path: Path, reason: str) -> DiagnosticError:
    return DiagnosticError(
        "unusable-record",
        f"{path} cannot be used: {reason}",
        "name a file that `wrapkit bench --output` has written",
        USAGE,
    )


def _digest(document: Mapping[str, Any]) -> str:
    """Of the content, however it is laid out."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _rounded(value: Any) -> Any:
    """A tenth of a microsecond is more than any of the clocks behind the figures can tell."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
