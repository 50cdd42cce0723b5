"""The extensions of one environment as its host knows them, and the rules of registration."""

from ._errors import LocalLifecycleError, RemoteLifecycleError
from ._states import ExtensionInput, ExtensionKind, ExtensionState, next_extension_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ._events import Register

_EVENTS = ("INVOKE", "SHUTDOWN")
_CAN_STILL_CALL_NEXT = (ExtensionState.REGISTERED, ExtensionState.READY, ExtensionState.RUNNING)


class Agent:
    """One extension: its state and subscriptions, and of an external whether its process runs."""

    __slots__ = (
        "error_type",
        "events",
        "identifier",
        "is_alive",
        "is_killed",
        "is_told",
        "kind",
        "name",
        "state",
        "subscribed_to",
    )

    def __init__(self, name: str, kind: ExtensionKind) -> None:
        self.name = name
        self.kind = kind
        self.state = ExtensionState.STARTED
        self.events: tuple[str, ...] = ()
        self.identifier = ""
        self.error_type = ""
        self.subscribed_to = ""  # which of the two APIs
        self.is_alive = False
        self.is_killed = False
        self.is_told = False  # of the shutdown

    def after(self, move: ExtensionInput) -> ExtensionState:
        """The state that this move leads to, or its refusal; nothing changes."""
        return next_extension_state(self.kind, self.state, move, self.name)

    def move(self, move: ExtensionInput) -> None:
        """Moves, or raises the refusal."""
        self.state = self.after(move)

    @property
    def is_external(self) -> bool:
        """Whether it is a process of its own."""
        return self.kind is ExtensionKind.EXTERNAL

    @property
    def takes_shutdown(self) -> bool:
        """Whether SHUTDOWN can still reach it: it subscribed, and may call ``next`` for it."""
        return "SHUTDOWN" in self.events and self.state in _CAN_STILL_CALL_NEXT

    def telemetry_record(self) -> "dict[str, Any]":
        """``platform.extension``."""
        record = {"name": self.name, "state": self.state.value, "events": list(self.events)}
        if self.error_type:
            record["errorType"] = self.error_type
        return record


class Roster:
    """The extensions of one environment: the externals, then the internals as they register."""

    __slots__ = ("_agents", "_by_identifier", "_max_extensions")

    def __init__(self, externals: "Iterable[str]", max_extensions: int) -> None:
        self._agents = {name: Agent(name, ExtensionKind.EXTERNAL) for name in externals}
        self._by_identifier: dict[str, Agent] = {}
        self._max_extensions = max_extensions

    def __iter__(self) -> "Iterator[Agent]":
        return iter(self._agents.values())

    def named(self, name: str) -> Agent:
        """The extension of this name; ``KeyError`` when there is none."""
        return self._agents[name]

    def identified(self, identifier: str) -> Agent:
        """The extension that was given this identifier; ``KeyError`` when there is none."""
        return self._by_identifier[identifier]

    @property
    def externals(self) -> "list[Agent]":
        """The extensions of ``/opt/extensions``."""
        return [agent for agent in self if agent.is_external]

    @property
    def excess(self) -> "list[Agent]":
        """The externals beyond the platform's limit."""
        return self.externals[self._max_extensions :]

    @property
    def internal_count(self) -> int:
        """How many internal extensions have registered."""
        return len(self._agents) - len(self.externals)

    @property
    def alive(self) -> "list[Agent]":
        """The externals whose process runs."""
        return [agent for agent in self if agent.is_alive]

    @property
    def invoked(self) -> "list[Agent]":
        """The extensions that are subscribed to INVOKE."""
        return [agent for agent in self if "INVOKE" in agent.events]

    def running(self, name: str) -> Agent:
        """The external of this name, whose process must run: the driver speaks of a process."""
        agent = self._agents.get(name)
        if agent is None or not agent.is_alive:
            raise LocalLifecycleError(f"No process of an extension {name!r} runs")
        return agent

    def calling(self, identifier: "str | None") -> Agent:
        """The extension that sent this identifier, or the platform's refusal."""
        if not identifier:
            raise _refusal("MissingExtensionIdentifier", _MISSING_IDENTIFIER)
        if not _is_uuid(identifier):
            raise _refusal("InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        agent = self._by_identifier.get(identifier)
        if agent is None:
            raise _refusal("UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        return agent

    def register(self, event: "Register", *, externals_may: bool, internals_may: bool) -> Agent:
        """Takes a registration, or raises the platform's refusal with nothing changed.

        The platform tells external from internal by the name alone.
        """
        if not event.extension:
            raise _refusal("InvalidExtensionName", "Empty extension name")
        agent = self._agents.get(event.extension)
        internal = agent is None or not agent.is_external
        _check_events(event.events, internal=internal)
        if not (internals_may if internal else externals_may):
            raise _refusal("RegistrationClosed", "Extension registration closed already")
        if agent is not None:
            agent.after(ExtensionInput.REGISTER)
        elif len(self._agents) >= self._max_extensions:
            limit = self._max_extensions
            raise _refusal("TooManyExtensions", f"Extension limit ({limit}) reached")
        self._check_new_identifier(event.identifier)
        return self._add(agent or Agent(event.extension, ExtensionKind.INTERNAL), event)

    def _check_new_identifier(self, identifier: str) -> None:
        if not _is_uuid(identifier) or identifier in self._by_identifier:
            raise LocalLifecycleError(f"{identifier!r} is not a new UUID")

    def _add(self, agent: Agent, event: "Register") -> Agent:
        agent.move(ExtensionInput.REGISTER)
        agent.events = tuple(dict.fromkeys(event.events))
        agent.identifier = event.identifier
        self._agents[agent.name] = self._by_identifier[event.identifier] = agent
        return agent


_MISSING_IDENTIFIER = "Missing Lambda-Extension-Identifier header"


def _refusal(reason: str, message: str) -> RemoteLifecycleError:
    return RemoteLifecycleError(f"Extension.{reason}", message)


def _check_events(events: "Iterable[str]", *, internal: bool) -> None:
    for event in events:
        if event not in _EVENTS:
            raise _refusal("InvalidEventType", f"{event}: ErrorInvalidEventType")
        if internal and event == "SHUTDOWN":
            text = f"{event}: ShutdownEventNotSupportedForInternalExtension"
            raise _refusal("InvalidEventType", text)


def _is_uuid(text: str) -> bool:
    groups = text.split("-")
    return [len(group) for group in groups] == [8, 4, 4, 4, 12] and not "".join(groups).strip(
        "0123456789abcdefABCDEF"
    )
