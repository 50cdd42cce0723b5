"""When to export: an object each for the ways that WRAPKIT_FLUSH may name.

The runner asks at three moments; whatever the answers, SHUTDOWN exports what is left.
"""

from .. import _env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional


class FlushPolicy:
    """Says when to export; time is passed in, in epoch milliseconds."""

    def waits_for_end(self) -> bool:
        """On INVOKE: whether ``next`` waits for the end of the invocation, or goes out at once.

        Where it does not wait, what the function sends meanwhile is read before the freeze or after
        it: datagrams and requests stay in the kernel.
        """
        raise NotImplementedError

    def exports_at_end(self) -> bool:
        """When an invocation has ended: whether to export before ``next``."""
        raise NotImplementedError

    def export_due_ms(self, waiting_since_ms: float) -> "Optional[float]":
        """When to export what has waited since then, outside of the end of an invocation."""
        raise NotImplementedError


class EndPolicy(FlushPolicy):
    """Exports after each response, before ``next``: nothing waits through a freeze."""

    def waits_for_end(self) -> bool:
        """Always: what comes at the end is to be exported."""
        return True

    def exports_at_end(self) -> bool:
        """Always."""
        return True

    def export_due_ms(self, waiting_since_ms: float) -> "Optional[float]":  # noqa: ARG002
        """Never: the end of the invocation is soon enough."""
        return None


class IntervalPolicy(FlushPolicy):
    """Exports what has waited for an interval.

    For managed instances: no freeze, no INVOKE, and many invocations side by side.
    """

    def __init__(self, interval_ms: float) -> None:
        self._interval_ms = interval_ms

    def waits_for_end(self) -> bool:
        """Never."""
        return False

    def exports_at_end(self) -> bool:
        """Never."""
        return False

    def export_due_ms(self, waiting_since_ms: float) -> "Optional[float]":
        """One interval later."""
        return waiting_since_ms + self._interval_ms


# Managed instances do not freeze, so an export in the background disturbs nobody.
MANAGED_INTERVAL_MS = 1_000
POLICIES = ("end",)


def choose_policy(environ: "Mapping[str, str]", *, invoked: bool) -> FlushPolicy:
    """The policy that WRAPKIT_FLUSH names; ``invoked``: whether this extension receives INVOKE."""
    _env.choice(environ, _env.FLUSH, POLICIES, "end")
    return EndPolicy() if invoked else IntervalPolicy(MANAGED_INTERVAL_MS)
