"""What a region's name tells."""

from __future__ import annotations

# The directions in AWS's availability zone ids: use1-az1 for us-east-1, apse2 for ap-southeast-2.
_SHORT = {
    "gov": "g",
    "iso": "i",
    "north": "n",
    "northeast": "ne",
    "east": "e",
    "southeast": "se",
    "south": "s",
    "southwest": "sw",
    "west": "w",
    "northwest": "nw",
    "central": "c",
}


def availability_zone_id(region: str) -> str:
    """The id of the region's first zone, ``use1-az1`` for us-east-1."""
    return "".join(_SHORT.get(part, part) for part in region.split("-")) + "-az1"
