"""What comes out: what the driver of an environment, or of a session, has to do now, in order."""

from ._record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Union

    EnvironmentEffect = Union[
        "LaunchExtension",
        "StartRuntime",
        "DeliverInvocation",
        "DeliverRestore",
        "DeliverInvoke",
        "DeliverShutdown",
        "Respond",
        "InvocationEnded",
        "TerminateRuntime",
        "KillRuntime",
        "KillExtension",
        "Freeze",
        "Thaw",
        "Emit",
        "EnvironmentReset",
        "EnvironmentEnded",
    ]
    SessionEffect = Union["Flush", "CallNext", "Stop"]

# The outcomes of an invocation, as its caller sees them; plain strings, since importing ``enum``
# costs time.
RESPONSE = "response"  # the body of the runtime's /response
FUNCTION_ERROR = "function-error"  # FunctionError Unhandled with the body of the runtime's /error
INIT_ERROR = "init-error"  # FunctionError Unhandled with the body of the runtime's /init/error
PLATFORM_ERROR = "platform-error"  # FunctionError Unhandled with the effect's type and message
PLATFORM_TEXT = "platform-text"  # the effect's message alone, as if it were a response (AWS's RIE)


class LaunchExtension(Record):
    """Start the process of an external extension, in its own process group."""

    __slots__ = ("extension",)

    def __init__(self, *, extension: str) -> None:
        self.extension = extension


class StartRuntime(Record):
    """Start the runtime's process."""

    __slots__ = ()


class DeliverInvocation(Record):
    """Answer the runtime's ``invocation/next``, again when it asked twice."""

    __slots__ = ("deadline_ms", "request_id")

    def __init__(self, *, request_id: str, deadline_ms: int) -> None:
        self.request_id = request_id
        self.deadline_ms = deadline_ms


class DeliverRestore(Record):
    """Answer the runtime's ``restore/next``."""

    __slots__ = ()


class DeliverInvoke(Record):
    """Answer an extension's ``event/next`` with INVOKE."""

    __slots__ = ("deadline_ms", "extension", "identifier", "request_id")

    def __init__(
        self, *, extension: str, identifier: str, request_id: str, deadline_ms: int
    ) -> None:
        self.extension = extension
        self.identifier = identifier
        self.request_id = request_id
        self.deadline_ms = deadline_ms


class DeliverShutdown(Record):
    """Answer an external extension's ``event/next`` with SHUTDOWN."""

    __slots__ = ("deadline_ms", "extension", "identifier", "reason")

    def __init__(self, *, extension: str, identifier: str, reason: str, deadline_ms: int) -> None:
        self.extension = extension
        self.identifier = identifier
        self.reason = reason
        self.deadline_ms = deadline_ms


class Respond(Record):
    """Answer the caller now; it does not wait for the extensions.

    ``outcome`` is RESPONSE, FUNCTION_ERROR, INIT_ERROR, PLATFORM_ERROR or PLATFORM_TEXT: whose body
    the caller gets. ``error_type`` is the platform's type or the runtime's header, empty when there
    is none; ``message`` the ``errorMessage`` of a PLATFORM_ERROR, or the whole PLATFORM_TEXT.
    """

    __slots__ = ("error_type", "message", "outcome", "request_id")

    def __init__(
        self, *, request_id: str, outcome: str, error_type: str = "", message: str = ""
    ) -> None:
        self.request_id = request_id
        self.outcome = outcome
        self.error_type = error_type
        self.message = message


class InvocationEnded(Record):
    """The invocation is over for the extensions too; its ``platform.report`` has been emitted."""

    __slots__ = ("request_id",)

    def __init__(self, *, request_id: str) -> None:
        self.request_id = request_id


class TerminateRuntime(Record):
    """Send SIGTERM to the runtime."""

    __slots__ = ()


class KillRuntime(Record):
    """Send SIGKILL to the runtime's process group; its exit is still to be reported."""

    __slots__ = ()


class KillExtension(Record):
    """Send SIGKILL to the extension's process group; its exit is still to be reported."""

    __slots__ = ("extension",)

    def __init__(self, *, extension: str) -> None:
        self.extension = extension


class Freeze(Record):
    """Nothing to do: stop every process."""

    __slots__ = ()


class Thaw(Record):
    """Let every process go on."""

    __slots__ = ()


class Emit(Record):
    """A record for the Telemetry API and the log, with ``type`` such as ``platform.start``.

    The driver adds what the core cannot know: ``functionName``, ``functionVersion``, ``version``,
    ``runtimeVersion``, ``tracing``, and in ``platform.report`` the metrics ``memorySizeMB`` and
    ``maxMemoryUsedMB``. A span's ``start`` is in epoch milliseconds, for the driver to write as ISO
    8601. The record's time is the ``now_ms`` of the call.
    """

    __slots__ = ("record", "type")

    def __init__(self, type: str, record: "Dict[str, Any]") -> None:  # noqa: A002 - its name on the wire
        self.type = type
        self.record = record


class EnvironmentReset(Record):
    """Every process is gone, every identifier void; the next ``Invoke`` initialises anew."""

    __slots__ = ()


class EnvironmentEnded(Record):
    """Every process is gone, for good."""

    __slots__ = ()


# What the driver of an ExtensionSession has to do


class Flush(Record):
    """Send what has been collected, and report ``Flushed``; give up at ``deadline_ms``."""

    __slots__ = ("deadline_ms",)

    def __init__(self, *, deadline_ms: int) -> None:
        self.deadline_ms = deadline_ms


class CallNext(Record):
    """Call ``Next``: nothing keeps this extension from waiting for the next event."""

    __slots__ = ()


class Stop(Record):
    """End now with this exit code, after an ``exit_error`` with ``error_type`` if there is one."""

    __slots__ = ("error_type", "exit_code")

    def __init__(self, *, exit_code: int = 0, error_type: str = "") -> None:
        self.exit_code = exit_code
        self.error_type = error_type
