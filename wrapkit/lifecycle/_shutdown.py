"""One shutdown of an environment's processes: first the runtime, only then the extensions."""

from . import _effects
from ._deadlines import deadline_ms, shutdown_budget
from ._states import ExtensionInput, ExtensionState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._effects import EnvironmentEffect
    from ._profile import Profile
    from ._roster import Agent, Roster


class ShutdownSequence:
    """A shutdown that is under way; ``is_final`` unless the environment is only reset.

    The runtime gets SIGTERM and its part of the budget, or SIGKILL at once when no extension is
    there. When it is gone, SHUTDOWN goes to each external extension that is subscribed to it, as
    soon as it calls ``next``; every other one is killed. At the deadline all that are left die.
    """

    __slots__ = (
        "_deadline_ms",
        "_is_runtime_killed",
        "_reason",
        "_roster",
        "_runtime_deadline_ms",
        "has_told",
        "is_final",
    )

    def __init__(
        self, roster: "Roster", reason: str, now_ms: float, profile: "Profile", *, is_final: bool
    ) -> None:
        total_ms, runtime_ms = shutdown_budget(
            externals=len(roster.externals),
            internals=roster.internal_count,
            runtime_share_ms=profile.runtime_share_ms,
        )
        self._roster = roster
        self._reason = profile.shutdown_reasons[reason]
        self._deadline_ms = deadline_ms(now_ms, total_ms)
        self._runtime_deadline_ms = deadline_ms(now_ms, runtime_ms)
        self._is_runtime_killed = not runtime_ms
        self.has_told = False
        self.is_final = is_final

    def stop_runtime(self) -> "list[EnvironmentEffect]":
        """The first step, when the runtime runs."""
        if self._is_runtime_killed:
            return [_effects.KillRuntime()]
        return [_effects.TerminateRuntime()]

    def tell_extensions(self) -> "list[EnvironmentEffect]":
        """The second step, when the runtime is gone."""
        self.has_told = True
        effects: list[EnvironmentEffect] = []
        for agent in self._roster.alive:
            if not agent.takes_shutdown and not agent.is_killed:
                agent.is_killed = True
                effects.append(_effects.KillExtension(extension=agent.name))
            effects += self.deliver(agent)
        return effects

    def deliver(self, agent: "Agent") -> "list[EnvironmentEffect]":
        """SHUTDOWN for an extension whose ``next`` waits, unless it has had it or takes none."""
        if not self.has_told or agent.is_told or not agent.takes_shutdown:
            return []
        if agent.state is not ExtensionState.READY:
            return []
        agent.move(ExtensionInput.DELIVER)
        agent.is_told = True
        return [
            _effects.DeliverShutdown(
                extension=agent.name,
                identifier=agent.identifier,
                reason=self._reason,
                deadline_ms=self._deadline_ms,
            )
        ]

    def next_deadline_ms(self, *, is_runtime_alive: bool) -> "int | None":
        """When somebody is to be killed next; None when only exits are awaited."""
        if is_runtime_alive and not self._is_runtime_killed:
            return self._runtime_deadline_ms
        if any(not agent.is_killed for agent in self._roster.alive):
            return self._deadline_ms
        return None

    def expire(self, *, is_runtime_alive: bool) -> "list[EnvironmentEffect]":
        """Kills those whose time is up."""
        if is_runtime_alive and not self._is_runtime_killed:
            self._is_runtime_killed = True
            return [_effects.KillRuntime()]
        late = [agent for agent in self._roster.alive if not agent.is_killed]
        for agent in late:
            agent.is_killed = True
            agent.move(ExtensionInput.MISS_SHUTDOWN)
        return [_effects.KillExtension(extension=agent.name) for agent in late]
