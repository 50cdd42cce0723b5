"""A function, and what Lambda keeps beside its code: aliases, concurrency, asynchronous retries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..emulator import Function


@dataclass(frozen=True)
class ServedFunction:
    """What is served under one name.

    Args:
        function: the code and its settings.
        aliases: the names besides the version under which callers may qualify it.
        concurrency: how many environments there may be at once; a caller beyond that is throttled.
        idle_timeout_s: an environment that was not used for so long is shut down.
        event_retries: how often an event is tried again after an error: MaximumRetryAttempts.
        event_retry_delay_s: the wait before the first retry; before each further one it doubles.
        event_max_age_s: an event that is older is given up: MaximumEventAgeInSeconds.
    """

    function: Function
    aliases: tuple[str, ...] = ()
    concurrency: int = 10
    idle_timeout_s: float = 300.0
    # Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation":
    # two more attempts, a minute and two minutes later; up to six hours.
    event_retries: int = 2
    event_retry_delay_s: float = 60.0
    event_max_age_s: float = 21_600.0

    @property
    def unqualified_arn(self) -> str:
        """The function's ARN without a version or an alias."""
        function = self.function
        place = f"{function.region}:{function.account_id}"
        return f"arn:aws:lambda:{place}:function:{function.name}"

    def has_qualifier(self, qualifier: str) -> bool:
        """Whether callers may name this version or alias."""
        return qualifier in ("$LATEST", self.function.version, *self.aliases)

    def invoked_arn(self, qualifier: str) -> str:
        """The ARN as the caller named it; an empty qualifier for none."""
        arn = self.unqualified_arn
        return f"{arn}:{qualifier}" if qualifier else self.function.arn
