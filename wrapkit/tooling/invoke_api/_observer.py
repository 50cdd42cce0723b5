"""What happens in a service, for whoever shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..emulator import InvocationResult, ShutdownResult


class Place(NamedTuple):
    """One environment: of which function, and which one of it, counted from 1."""

    function_name: str
    number: int

    def __str__(self) -> str:
        return f"{self.function_name}/{self.number}"


class ServiceObserver:
    """Is told what happens; does nothing of itself."""

    def environment_started(self, place: Place) -> None:
        """An environment begins its Init."""

    def log_line(self, place: Place, line: str) -> None:
        """A line of the log, as CloudWatch shows it."""

    def invocation_ended(self, place: Place, result: InvocationResult) -> None:
        """An invocation is over, for the extensions, too."""

    def environment_ended(self, place: Place, shutdown: ShutdownResult) -> None:
        """An environment is gone."""

    def event_retried(self, function_name: str, request_id: str, delay_s: float) -> None:
        """An asynchronous invocation failed, and is tried again after the delay."""

    def event_given_up(self, function_name: str, request_id: str, reason: str) -> None:
        """An asynchronous invocation is tried no more."""
