"""Millisecond arithmetic, and the platform's time limits.

Instants are milliseconds since the epoch, as on the wire. A float near 1.8e12 resolves 0.0002 ms,
so durations are rounded to the microsecond that the platform itself reports.
"""

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: Init has 10 s on
# demand; otherwise 130 s or the function timeout, whichever is longer.
ON_DEMAND_INIT_TIMEOUT_MS = 10_000
LONG_INIT_TIMEOUT_MS = 130_000
# https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html: restore and its hooks
# together.
RESTORE_TIMEOUT_MS = 10_000

# Same page, "Shutdown phase": the total is 0 ms without extensions, 500 ms with internal ones only,
# 2000 ms with an external one; of those 2000 ms the runtime gets 300 ms.
_NO_EXTENSION_BUDGET_MS = (0, 0)
_INTERNAL_BUDGET_MS = (500, 500)
_EXTERNAL_BUDGET_MS = 2000
EXTERNAL_RUNTIME_SHARE_MS = 300


def init_timeout_ms(initialization_type: str, function_timeout_ms: int) -> int:
    """What the Init phase may take."""
    if initialization_type == "on-demand":
        return ON_DEMAND_INIT_TIMEOUT_MS
    return max(LONG_INIT_TIMEOUT_MS, function_timeout_ms)


def shutdown_budget(
    *, externals: int, internals: int, runtime_share_ms: int = EXTERNAL_RUNTIME_SHARE_MS
) -> "tuple[int, int]":
    """What a shutdown may take in all, and the runtime's part of it, in milliseconds.

    ``runtime_share_ms`` is the runtime's part where external extensions are to be told, too.
    """
    if externals:
        return _EXTERNAL_BUDGET_MS, runtime_share_ms
    return _INTERNAL_BUDGET_MS if internals else _NO_EXTENSION_BUDGET_MS


def deadline_ms(now_ms: float, budget_ms: int) -> int:
    """The instant at which a budget that starts now is used up."""
    return int(now_ms) + budget_ms


def remaining_ms(deadline_ms: float, now_ms: float) -> float:
    """What is left until the deadline, never negative."""
    return max(0.0, round(deadline_ms - now_ms, 3))


def elapsed_ms(start_ms: float, end_ms: float) -> float:
    """What lies between two instants, never negative: the wall clock may step back."""
    return max(0.0, round(end_ms - start_ms, 3))


def billed_duration_ms(duration_ms: float, init_duration_ms: float = 0.0) -> int:
    """Duration and Init Duration together, rounded up to 1 ms, as billed since August 2025."""
    return -int(-round(duration_ms + init_duration_ms, 3) // 1)
