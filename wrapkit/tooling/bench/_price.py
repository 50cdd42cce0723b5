"""What a million invocations cost, by the public price list of a day."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import USAGE, DiagnosticError

PRICES = Path(__file__).with_name("_prices.json")
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
MB_PER_GB = 1024
MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """One region's and architecture's price in US dollars, of the first tier."""

    region: str
    architecture: str
    gb_second: float
    million_requests: float
    as_of: str
    source: str

    def million_usd(self, memory_mb: int, billed_ms: float) -> float:
        """A million invocations that are billed `billed_ms` each on average."""
        gb_seconds = MILLION * billed_ms / 1000 * memory_mb / MB_PER_GB
        return self.million_requests + gb_seconds * self.gb_second


@dataclass(frozen=True)
class Traffic:
    """At what price the function runs, and how many of its invocations are cold starts."""

    price: Price
    cold_start_rate: float

    def million_usd(self, memory_mb: int, cold_billed_ms: float, warm_billed_ms: float) -> float:
        """A million invocations, each billed as measured: Init is part of a cold one's Billed
        Duration.
        """
        cold = self.cold_start_rate
        return self.price.million_usd(
            memory_mb, cold * cold_billed_ms + (1 - cold) * warm_billed_ms
        )


def find_price(region: str, architecture: str, path: Path = PRICES) -> Price:
    """The price of a region; raises `DiagnosticError` (usage) where the file has none."""
    document = _read(path)
    for group in document["groups"]:
        if region in group["regions"] and architecture in group["gb_second"]:
            return Price(
                region,
                architecture,
                float(group["gb_second"][architecture]),
                float(group["million_requests"]),
                document["as_of"],
                document["source"],
            )
    known = sorted(
        region
        for group in document["groups"]
        for region in group["regions"]
        if architecture in group["gb_second"]
    )
    raise DiagnosticError(
        "unknown-price",
        f"the price list of {document['as_of']} has no price for {architecture} in {region}",
        f"known: {', '.join(known)}; or give a price list of your own with --prices",
        USAGE,
    )


def _read(path: Path) -> Any:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if not document["groups"] or not document["as_of"] or not document["source"]:
            raise ValueError("it lacks groups, as_of or source")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DiagnosticError(
            "unreadable-prices",
            f"the price list {path} cannot be read: {error}",
            f"its form is that of {PRICES.name} in wrapkit's bench package",
            USAGE,
        ) from error
    return document
