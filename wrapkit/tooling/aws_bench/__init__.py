"""The benchmark on real AWS: a function's versions side by side, with forced cold starts."""

from __future__ import annotations

from ._measuring import AwsBenchRequest, AwsVariant, Interruption, measure_on_aws
from ._versions import remove_leftovers

__all__ = [
    "AwsBenchRequest",
    "AwsVariant",
    "Interruption",
    "measure_on_aws",
    "remove_leftovers",
]
