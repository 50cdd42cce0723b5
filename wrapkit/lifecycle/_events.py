"""What goes in: the events of an environment's host, and those of one extension's session.

An extension's calls (``Register`` ... ``ExtensionExitError``) are shared: ``ExtensionSession``
makes them and ``Environment`` receives them.
"""

from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Optional, Tuple, Union

    EnvironmentEvent = Union[
        "Init",
        "Restore",
        "Invoke",
        "Shutdown",
        "Register",
        "Subscribe",
        "Next",
        "ExtensionInitError",
        "ExtensionExitError",
        "LaunchFailed",
        "ExtensionExited",
        "RuntimeNext",
        "RuntimeWorkerLost",
        "RuntimeResponse",
        "RuntimeInvocationError",
        "RuntimeResponseSent",
        "RuntimeInitError",
        "RuntimeRestoreNext",
        "RuntimeRestoreError",
        "RuntimeExited",
    ]
    SessionEvent = Union[
        "Registered",
        "Subscribed",
        "Refused",
        "InvokeEvent",
        "ShutdownEvent",
        "PlatformRuntimeDone",
        "HookEnd",
        "Flushed",
    ]


# What the platform decides


class Init(Record):
    """Begin the Init phase of a new environment."""

    __slots__ = ()


class Restore(Record):
    """Restore the snapshot of an initialised ``snap-start`` environment."""

    __slots__ = ()


class Invoke(Record):
    """Invoke the function.

    The deadline is ``now_ms`` plus the function timeout at the moment the invocation begins, which
    is later than this event when the environment is still busy: one invocation at most waits for
    its turn.
    """

    __slots__ = ("request_id",)

    def __init__(self, *, request_id: str) -> None:
        self.request_id = request_id


class Shutdown(Record):
    """Shut the environment down for good, by reason of ``spindown``, ``timeout`` or ``failure``."""

    __slots__ = ("reason",)

    def __init__(self, *, reason: str = "spindown") -> None:
        self.reason = reason


# What an extension calls


class Register(Record):
    """``POST /extension/register``.

    ``extension`` is the name header (empty when absent), ``identifier`` the UUID that the host
    gives when it accepts.
    """

    __slots__ = ("events", "extension", "identifier")

    def __init__(self, *, extension: str, events: "Tuple[str, ...]", identifier: str = "") -> None:
        self.extension = extension
        self.events = tuple(events)
        self.identifier = identifier


class _Call(Record):
    """A call of an extension; ``identifier`` is its header, None when absent."""

    __slots__ = ("identifier",)

    def __init__(self, *, identifier: "Optional[str]") -> None:
        self.identifier = identifier


class Subscribe(_Call):
    """``PUT /telemetry`` or ``PUT /logs`` with a valid body.

    ``types`` are the record types asked for, ``api`` is ``Telemetry`` or ``Logs``, the older one.
    """

    __slots__ = ("api", "identifier", "types")

    def __init__(
        self, *, identifier: "Optional[str]", types: "Tuple[str, ...]", api: str = "Telemetry"
    ) -> None:
        self.identifier = identifier
        self.types = tuple(types)
        self.api = api


class Next(_Call):
    """``GET /extension/event/next``: answered by ``DeliverInvoke`` or ``DeliverShutdown``."""

    __slots__ = ("identifier",)


class _ErrorCall(_Call):
    __slots__ = ("error_type", "identifier")

    def __init__(self, *, identifier: "Optional[str]", error_type: "Optional[str]") -> None:
        self.identifier = identifier
        self.error_type = error_type


class ExtensionInitError(_ErrorCall):
    """``POST /extension/init/error``; ``error_type`` is the header, None when absent."""

    __slots__ = ("error_type", "identifier")


class ExtensionExitError(_ErrorCall):
    """``POST /extension/exit/error``; ``error_type`` is the header, None when absent."""

    __slots__ = ("error_type", "identifier")


# What happens to an extension's process


class LaunchFailed(Record):
    """The external extension could not be started: not executable, no interpreter."""

    __slots__ = ("extension", "reason")

    def __init__(self, *, extension: str, reason: str) -> None:
        self.extension = extension
        self.reason = reason


class ExtensionExited(Record):
    """The external's process is gone; ``status`` is ``exit status N`` or ``signal: NAME``."""

    __slots__ = ("extension", "status")

    def __init__(self, *, extension: str, status: str) -> None:
        self.extension = extension
        self.status = status


# What the runtime calls, and what happens to its process


class RuntimeNext(Record):
    """``GET /runtime/invocation/next``: answered later, by ``DeliverInvocation``."""

    __slots__ = ()


class RuntimeWorkerLost(Record):
    """A worker that waited for an invocation has hung up; on managed instances only."""

    __slots__ = ()


class RuntimeResponse(Record):
    """The head of ``POST /runtime/invocation/{id}/response`` has arrived."""

    __slots__ = ("request_id",)

    def __init__(self, *, request_id: str) -> None:
        self.request_id = request_id


class RuntimeInvocationError(Record):
    """The head of ``POST /runtime/invocation/{id}/error`` has arrived; its type header, if any."""

    __slots__ = ("error_type", "request_id")

    def __init__(self, *, request_id: str, error_type: "Optional[str]" = None) -> None:
        self.request_id = request_id
        self.error_type = error_type


class RuntimeResponseSent(Record):
    """The body of the response, or of the error, has been read.

    ``error_type`` says that the platform does not accept that body:
    ``Function.ResponseSizeTooLarge`` or ``Runtime.TruncatedResponse``. The environment stays
    usable.
    """

    __slots__ = ("error_type", "produced_bytes", "request_id")

    def __init__(
        self, *, request_id: str, produced_bytes: int = 0, error_type: "Optional[str]" = None
    ) -> None:
        self.request_id = request_id
        self.produced_bytes = produced_bytes
        self.error_type = error_type


class RuntimeInitError(Record):
    """``POST /runtime/init/error``; ``error_type`` is its header, if any."""

    __slots__ = ("error_type",)

    def __init__(self, *, error_type: "Optional[str]" = None) -> None:
        self.error_type = error_type


class RuntimeRestoreNext(Record):
    """``GET /runtime/restore/next``: ready for the snapshot; answered by ``DeliverRestore``."""

    __slots__ = ()


class RuntimeRestoreError(Record):
    """``POST /runtime/restore/error``; ``error_type`` is its header, if any."""

    __slots__ = ("error_type",)

    def __init__(self, *, error_type: "Optional[str]" = None) -> None:
        self.error_type = error_type


class RuntimeExited(Record):
    """The runtime's process is gone; ``status`` is ``exit status N`` or ``signal: NAME``.

    ``error_type`` may say more than the platform's ``Runtime.ExitError``:
    ``Runtime.InvalidEntrypoint`` when the process could not be started at all.
    """

    __slots__ = ("error_type", "status")

    def __init__(self, *, status: str, error_type: str = "Runtime.ExitError") -> None:
        self.status = status
        self.error_type = error_type


# What an extension's session receives


class Registered(Record):
    """The host accepted ``Register`` and gave this identifier."""

    __slots__ = ("identifier",)

    def __init__(self, *, identifier: str) -> None:
        self.identifier = identifier


class Subscribed(Record):
    """The host answered ``Subscribe``; not ``supported`` is its 202: there is no telemetry."""

    __slots__ = ("supported",)

    def __init__(self, *, supported: bool = True) -> None:
        self.supported = supported


class Refused(Record):
    """The host refused the call that was outstanding."""

    __slots__ = ("error_type", "status")

    def __init__(self, *, error_type: str, status: int) -> None:
        self.error_type = error_type
        self.status = status


class InvokeEvent(Record):
    """INVOKE, the answer to ``Next``; ``deadline_ms`` is the function's, in epoch milliseconds."""

    __slots__ = ("deadline_ms", "request_id")

    def __init__(self, *, request_id: str, deadline_ms: int) -> None:
        self.request_id = request_id
        self.deadline_ms = deadline_ms


class ShutdownEvent(Record):
    """SHUTDOWN, the answer to ``Next``; the process is killed at ``deadline_ms`` (epoch)."""

    __slots__ = ("deadline_ms", "reason")

    def __init__(self, *, reason: str, deadline_ms: int) -> None:
        self.reason = reason
        self.deadline_ms = deadline_ms


class PlatformRuntimeDone(Record):
    """``platform.runtimeDone`` arrived from the Telemetry API."""

    __slots__ = ("request_id",)

    def __init__(self, *, request_id: str) -> None:
        self.request_id = request_id


class HookEnd(Record):
    """The hook in the runtime process said that the handler is done."""

    __slots__ = ("request_id",)

    def __init__(self, *, request_id: str) -> None:
        self.request_id = request_id


class Flushed(Record):
    """What ``Flush`` asked for is done, or given up."""

    __slots__ = ()
