"""When to export: an object without a clock for each of the ways that WRAPKIT_FLUSH may name.

Rule 1. A policy is told of INVOKE (``invoked``), of the end of an invocation (``ended``), and of
        each export of all that waits as it begins (``exported``); whatever became of the export,
        the next one is as far away as if it had succeeded. Retrying is not its business.
Rule 2. It is asked at INVOKE, after ``invoked``: ``exports_on_invoke`` (export beside the function,
        ``next`` when that is done), then ``waits_for_end``; at the end, after ``ended``, where
        ``next`` has waited: ``exports_at_end``; and at any time ``export_due_ms``.
Rule 3. What an invocation leaves counts as old as its INVOKE: what was sent shortly before a freeze
        is read after it, and then nobody can tell how long it lay in the kernel. Of an invocation
        beside which an export began, what is left counts as old as that export.
Rule 4. Whatever the policy, so much that memory runs short is exported at the next moment, and
        SHUTDOWN exports what is left.
"""

from .. import _env
from .._report import report_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

# No span waits for longer than this while there is an occasion to export it. Ten seconds is what
# people wait for a trace to appear; OpenTelemetry's batch processors take five to sixty.
BOUND_MS = 10_000.0
DEFAULT_PERIOD_MS = 10_000
# Managed instances do not freeze, so an export in the background disturbs nobody.
MANAGED_PERIOD_MS = 1_000
MAX_PERIOD_MS = 900_000
# An eighth of what may be queued: time for seven more such before anything is dropped.
MAX_WAITING_BYTES = 1024 * 1024

ADAPTIVE, END, PERIODIC = "adaptive", "end", "periodic"


class FlushPolicy:
    """What the ways have in common; by itself it exports for want of memory only."""

    __slots__ = ("_exported_ms", "_running", "_since_ms")

    def __init__(self) -> None:
        self._running = False
        self._exported_ms = float("-inf")
        # The INVOKE of the earliest invocation that has left something unexported.
        self._since_ms: Optional[float] = None

    def invoked(self, now_ms: float) -> None:
        """INVOKE has come."""
        self._running = True
        if self._since_ms is None:
            self._since_ms = now_ms

    def ended(self, now_ms: float) -> None:  # noqa: ARG002 - the shape of the others
        """The invocation is over, and all of it has been received."""
        self._running = False

    def exported(self, now_ms: float) -> None:
        """An export of all that waits begins."""
        self._exported_ms = now_ms
        # Beside a running invocation the export leaves what that is still going to send.
        self._since_ms = now_ms if self._running else None

    def exports_on_invoke(self, now_ms: float, queued_bytes: int) -> bool:  # noqa: ARG002
        """Whether to export what waits now, beside the function, before ``next``."""
        return queued_bytes >= MAX_WAITING_BYTES

    def waits_for_end(self, now_ms: float) -> bool:  # noqa: ARG002
        """Whether ``next`` waits for the end of this invocation, to export then."""
        return False

    def exports_at_end(self, now_ms: float, queued_bytes: int) -> bool:  # noqa: ARG002
        """Whether to export before ``next``, now that the invocation is over."""
        return queued_bytes >= MAX_WAITING_BYTES

    def export_due_ms(self, waiting_since_ms: float, queued_bytes: int) -> "Optional[float]":
        """When to export what has waited since then, whatever the function does meanwhile; None
        for not by itself.
        """
        if queued_bytes < MAX_WAITING_BYTES:
            return None
        return waiting_since_ms

    def _age_ms(self, at_ms: float) -> float:
        """How old the oldest of what waits will be by then."""
        return 0.0 if self._since_ms is None else at_ms - self._since_ms

    def _due_after_ms(self, interval_ms: float, waiting_since_ms: float, queued: int) -> float:
        due_ms = max(waiting_since_ms, self._exported_ms) + interval_ms
        early_ms = FlushPolicy.export_due_ms(self, waiting_since_ms, queued)
        return due_ms if early_ms is None else min(due_ms, early_ms)


class EndPolicy(FlushPolicy):
    """Exports after each response, before ``next``: nothing waits through a freeze, and each
    invocation is billed for an export.
    """

    __slots__ = ()

    def waits_for_end(self, now_ms: float) -> bool:  # noqa: ARG002
        """Always."""
        return True

    def exports_at_end(self, now_ms: float, queued_bytes: int) -> bool:  # noqa: ARG002
        """Always."""
        return True


class PeriodicPolicy(FlushPolicy):
    """Exports beside the function when a period has passed; never after a response. What the last
    invocations before a freeze left waits for the next one, or for SHUTDOWN.
    """

    __slots__ = ("_period_ms",)

    def __init__(self, period_ms: float) -> None:
        super().__init__()
        self._period_ms = period_ms

    def exports_on_invoke(self, now_ms: float, queued_bytes: int) -> bool:
        """When what waits is a period old."""
        old = self._age_ms(now_ms) >= self._period_ms
        return old or super().exports_on_invoke(now_ms, queued_bytes)

    def export_due_ms(self, waiting_since_ms: float, queued_bytes: int) -> "Optional[float]":
        """A period after it came, or after the last export."""
        return self._due_after_ms(self._period_ms, waiting_since_ms, queued_bytes)

    def __repr__(self) -> str:
        return f"<PeriodicPolicy, every {self._period_ms:.0f} ms>"


class AdaptivePolicy(FlushPolicy):
    """Exports at the last occasion before what waits gets older than the bound: after the response
    where the next invocation may be too late, else not yet.

    So one invocation a minute is exported each by itself, and of sixty a second one in hundreds
    pays for all. Until two invocations have shown a rate, each may be the last for long.
    """

    __slots__ = ("_bound_ms", "_rate")

    def __init__(self, bound_ms: float = BOUND_MS) -> None:
        super().__init__()
        self._bound_ms = bound_ms
        self._rate = InvocationRate(2 * bound_ms)

    def invoked(self, now_ms: float) -> None:
        """INVOKE has come, and with it a gap to learn from."""
        super().invoked(now_ms)
        self._rate.observe(now_ms)

    def exports_on_invoke(self, now_ms: float, queued_bytes: int) -> bool:
        """When the next invocation was not expected to come so late."""
        old = self._age_ms(now_ms) >= self._bound_ms
        return old or super().exports_on_invoke(now_ms, queued_bytes)

    def waits_for_end(self, now_ms: float) -> bool:
        """When by the next INVOKE what waits, this invocation's own included, may be too old."""
        next_ms = self._rate.next_invoke_ms()
        return next_ms is None or self._age_ms(max(now_ms, next_ms)) >= self._bound_ms

    def exports_at_end(self, now_ms: float, queued_bytes: int) -> bool:
        """The same, asked again: the invocation may have taken long, or an export beside it may
        have taken what was old.
        """
        return self.waits_for_end(now_ms) or super().exports_at_end(now_ms, queued_bytes)

    def export_due_ms(self, waiting_since_ms: float, queued_bytes: int) -> "Optional[float]":
        """At the bound, for a function that runs for longer."""
        return self._due_after_ms(self._bound_ms, waiting_since_ms, queued_bytes)

    def __repr__(self) -> str:
        return f"<AdaptivePolicy, {self._rate!r}>"


class InvocationRate:
    """When the next INVOKE is likely to have come, from the gaps so far.

    TCP's estimate of when an answer is overdue (RFC 6298): the smoothed mean, and four times the
    smoothed deviation on top, so that an irregular rate is taken for a slower one. Gaps count up to
    ``max_gap_ms``, or one quiet night would outweigh a thousand invocations a second.
    """

    __slots__ = ("_deviation_ms", "_last_ms", "_max_gap_ms", "_mean_ms")

    def __init__(self, max_gap_ms: float) -> None:
        self._max_gap_ms = max_gap_ms
        self._last_ms: Optional[float] = None
        self._mean_ms: Optional[float] = None
        self._deviation_ms = 0.0

    def observe(self, now_ms: float) -> None:
        """An INVOKE has come now."""
        if self._last_ms is not None:
            # A clock that was set back makes no gap.
            self._learn(min(self._max_gap_ms, max(0.0, now_ms - self._last_ms)))
        self._last_ms = now_ms

    def _learn(self, gap_ms: float) -> None:
        if self._mean_ms is None:
            self._mean_ms, self._deviation_ms = gap_ms, gap_ms / 2
            return
        self._deviation_ms += (abs(gap_ms - self._mean_ms) - self._deviation_ms) / 4
        self._mean_ms += (gap_ms - self._mean_ms) / 8

    def next_invoke_ms(self) -> "Optional[float]":
        """By when it is likely to have come; None while there is nothing to go by."""
        if self._last_ms is None or self._mean_ms is None:
            return None
        return self._last_ms + self._mean_ms + 4 * self._deviation_ms

    def __repr__(self) -> str:
        gap = "an unknown gap" if self._mean_ms is None else f"{self._mean_ms:.0f} ms"
        return f"<InvocationRate, {gap} between invocations>"


def choose_policy(environ: "Mapping[str, str]", *, invoked: bool) -> FlushPolicy:
    """The policy that WRAPKIT_FLUSH names: ``end``, ``adaptive`` or ``periodic[,MILLISECONDS]``.

    ``invoked``: whether this extension receives INVOKE. Without it (managed instances) nothing but
    a period makes sense.
    """
    kind, period_ms = _setting(environ)
    if not invoked:
        return PeriodicPolicy(period_ms if kind == PERIODIC else MANAGED_PERIOD_MS)
    if kind == PERIODIC:
        return PeriodicPolicy(period_ms)
    return EndPolicy() if kind == END else AdaptivePolicy()


def _setting(environ: "Mapping[str, str]") -> "tuple[str, int]":
    value = _env.text(environ, _env.FLUSH).lower()
    kind, comma, period = [part.strip() for part in value.partition(",")]
    if not value or (kind in (ADAPTIVE, END, PERIODIC) and not comma):
        return kind or ADAPTIVE, DEFAULT_PERIOD_MS
    whole = period.isascii() and period.isdigit()
    if kind == PERIODIC and whole and 0 < int(period[:18]) <= MAX_PERIOD_MS:
        return PERIODIC, int(period)
    report_once(
        f"env {_env.FLUSH}",
        f"{_env.FLUSH} is none of end, adaptive, periodic and periodic,MILLISECONDS"
        f" (1 to {MAX_PERIOD_MS}); using {ADAPTIVE}",
    )
    return ADAPTIVE, DEFAULT_PERIOD_MS
