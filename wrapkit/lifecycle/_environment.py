"""The host's view of one execution environment: it drives the emulator."""

from ._errors import LocalLifecycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, List, Optional

    from ._effects import EnvironmentEffect
    from ._events import EnvironmentEvent
    from ._states import ExtensionState, Phase, RuntimeState


class Environment:
    """One execution environment, from its first Init to its end, resets included.

    Args:
        extensions: the file names of ``/opt/extensions``, which are the external extensions' names.
        function_timeout_ms: what one invocation may take, extensions included.
        init_timeout_ms: what the Init phase may take; by default what the platform allows this initialization type.
        initialization_type: ``on-demand``, ``provisioned-concurrency`` or ``snap-start``.
        max_extensions: how many extensions may register, external and internal together.
    """

    def __init__(
        self,
        *,
        extensions: "Iterable[str]" = (),
        function_timeout_ms: int,
        init_timeout_ms: "Optional[int]" = None,
        initialization_type: str = "on-demand",
        max_extensions: int = 10,
    ) -> None: ...

    def receive(self, event: "EnvironmentEvent", now_ms: float) -> "List[EnvironmentEffect]":
        """Take one event and return what to do now, in order.

        ``now_ms`` is in epoch milliseconds and never goes back. An event that is refused changes nothing.

        Raises:
            RemoteLifecycleError: a call of the runtime or of an extension that the platform refuses.
            LocalLifecycleError: the driver's mistake.
        """
        raise LocalLifecycleError("not written yet")

    def next_deadline_ms(self) -> "Optional[int]":
        """When ``expire`` has to be called unless an event comes first, in epoch milliseconds; None for never."""
        raise LocalLifecycleError("not written yet")

    def expire(self, now_ms: float) -> "List[EnvironmentEffect]":
        """Let the deadlines up to ``now_ms`` pass and return what to do now, in order."""
        raise LocalLifecycleError("not written yet")

    @property
    def phase(self) -> "Phase":
        """Empty (no process: before Init, after a reset), Init, Idle, Restore, Invoke, Shutdown or Ended."""
        raise LocalLifecycleError("not written yet")

    @property
    def runtime_state(self) -> "Optional[RuntimeState]":
        """The runtime's state; None while its process has not been started."""
        raise LocalLifecycleError("not written yet")

    def extension_state(self, extension: str) -> "ExtensionState":
        """The state of an extension, by its name; ``KeyError`` when there is none of that name."""
        raise LocalLifecycleError("not written yet")

    def extension_name(self, identifier: str) -> str:
        """The name of the extension that was given this identifier; ``KeyError`` when it is unknown."""
        raise LocalLifecycleError("not written yet")
