"""Findings on the terminal and as JSON; layer inspect and doctor share this."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from ..layers import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..layers import Finding


def finding_record(finding: Finding) -> dict[str, str]:
    """A finding as JSON."""
    return {**dataclasses.asdict(finding), "severity": finding.severity.value}


def finding_lines(finding: Finding) -> Iterator[str]:
    """A finding as text."""
    yield f"{finding.severity.value}: {finding.message}"
    if finding.hint:
        yield f"  hint: {finding.hint}"


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether something will fail."""
    return any(finding.severity is Severity.ERROR for finding in findings)
