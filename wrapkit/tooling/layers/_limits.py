"""What Lambda refuses, and what is close to it.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html (November 2026). The
bytes are those of Lambda's own messages: "Unzipped size must be smaller than 262144000 bytes", and
"Request must be smaller than 69905067 bytes", which is 50 MB in base64.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._errors import DiagnosticError

MAX_UNZIPPED_BYTES = 262_144_000
MAX_DIRECT_UPLOAD_BYTES = 52_428_800
MAX_LAYERS = 5
# A release of any of the parts may take the rest.
WARN_AT = 0.8


@dataclass(frozen=True)
class Part:
    """Something that shares the limit: a layer or the function's own code, unzipped."""

    name: str
    unzipped_bytes: int


def check_sizes(parts: list[Part], zipped_bytes: int) -> list[str]:
    """What comes close to a limit, as sentences.

    Raises:
        DiagnosticError: Lambda would refuse it.
    """
    total = sum(part.unzipped_bytes for part in parts)
    if total > MAX_UNZIPPED_BYTES:
        raise DiagnosticError(
            "layer-too-large",
            f"unzipped together {megabytes(total)} of {megabytes(MAX_UNZIPPED_BYTES)}: "
            + ", ".join(f"{part.name} {megabytes(part.unzipped_bytes)}" for part in parts),
            "Lambda counts the function and all its layers; a container image has no such limit",
        )
    warnings = []
    if total > WARN_AT * MAX_UNZIPPED_BYTES:
        room = megabytes(MAX_UNZIPPED_BYTES - total)
        warnings.append(f"unzipped together {megabytes(total)}; Lambda leaves room for {room} more")
    if zipped_bytes > MAX_DIRECT_UPLOAD_BYTES:
        warnings.append(
            f"{megabytes(zipped_bytes)} zipped: more than {megabytes(MAX_DIRECT_UPLOAD_BYTES)} has"
            " to be published from S3"
        )
    return warnings


def megabytes(size_bytes: int) -> str:
    """As Lambda's limits are written: 1 MB is 1024 * 1024 bytes."""
    return f"{size_bytes / 1_048_576:.1f} MB"
