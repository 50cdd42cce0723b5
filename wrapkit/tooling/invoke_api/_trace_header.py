"""The X-Ray trace header: completed, or made, as Lambda does for each invocation."""

from __future__ import annotations

import os
import time


def complete_trace_header(given: str) -> str:
    """The header that the function gets: with a root, a parent and a sampling decision.

    Without a decision of the caller's the trace is not sampled: there is no X-Ray here.
    """
    parts = dict(part.strip().partition("=")[::2] for part in given.split(";") if "=" in part)
    parts.setdefault("Root", f"1-{int(time.time()):08x}-{os.urandom(12).hex()}")
    parts.setdefault("Parent", os.urandom(8).hex())
    if parts.get("Sampled") not in ("0", "1"):
        parts["Sampled"] = "0"  # "?" leaves the decision to us
    order = ("Root", "Parent", "Sampled")
    rest = [name for name in parts if name not in order]
    return ";".join(f"{name}={parts[name]}" for name in (*order, *rest))
