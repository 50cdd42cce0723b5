"""The Lambda lifecycle, without I/O: no clock, no sockets, no threads, no environment, no logging.

- ``Environment``: the host's view of one execution environment; it drives the emulator.
- ``ExtensionSession``: one extension's view; it drives the runner and internal extensions.
- events go in with a time, effects come out; ``LifecycleError`` says what was refused and whose fault it was.

A lazy front (PEP 562): a name loads the module it lives in and no other, since an extension's start-up pays for each.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._deadlines import (
        billed_duration_ms as billed_duration_ms,
        elapsed_ms as elapsed_ms,
        remaining_ms as remaining_ms,
        shutdown_budget as shutdown_budget,
    )
    from ._effects import (
        CallNext as CallNext,
        DeliverInvocation as DeliverInvocation,
        DeliverInvoke as DeliverInvoke,
        DeliverRestore as DeliverRestore,
        DeliverShutdown as DeliverShutdown,
        Emit as Emit,
        EnvironmentEnded as EnvironmentEnded,
        EnvironmentReset as EnvironmentReset,
        FUNCTION_ERROR as FUNCTION_ERROR,
        Flush as Flush,
        Freeze as Freeze,
        INIT_ERROR as INIT_ERROR,
        InvocationEnded as InvocationEnded,
        KillExtension as KillExtension,
        KillRuntime as KillRuntime,
        LaunchExtension as LaunchExtension,
        PLATFORM_ERROR as PLATFORM_ERROR,
        RESPONSE as RESPONSE,
        Respond as Respond,
        StartRuntime as StartRuntime,
        Stop as Stop,
        TerminateRuntime as TerminateRuntime,
        Thaw as Thaw,
    )
    from ._environment import (
        Environment as Environment,
    )
    from ._errors import (
        HttpError as HttpError,
        LifecycleError as LifecycleError,
        LocalLifecycleError as LocalLifecycleError,
        RemoteLifecycleError as RemoteLifecycleError,
    )
    from ._events import (
        ExtensionExitError as ExtensionExitError,
        ExtensionExited as ExtensionExited,
        ExtensionInitError as ExtensionInitError,
        Flushed as Flushed,
        HookEnd as HookEnd,
        Init as Init,
        Invoke as Invoke,
        InvokeEvent as InvokeEvent,
        LaunchFailed as LaunchFailed,
        Next as Next,
        PlatformRuntimeDone as PlatformRuntimeDone,
        Refused as Refused,
        Register as Register,
        Registered as Registered,
        Restore as Restore,
        RuntimeExited as RuntimeExited,
        RuntimeInitError as RuntimeInitError,
        RuntimeInvocationError as RuntimeInvocationError,
        RuntimeNext as RuntimeNext,
        RuntimeResponse as RuntimeResponse,
        RuntimeResponseSent as RuntimeResponseSent,
        RuntimeRestoreError as RuntimeRestoreError,
        RuntimeRestoreNext as RuntimeRestoreNext,
        Shutdown as Shutdown,
        ShutdownEvent as ShutdownEvent,
        Subscribe as Subscribe,
        Subscribed as Subscribed,
    )
    from ._http import (
        End as End,
        Head as Head,
        Message as Message,
        MessageReader as MessageReader,
        request_bytes as request_bytes,
        response_bytes as response_bytes,
    )
    from ._session import (
        ExtensionSession as ExtensionSession,
    )
    from ._states import (
        ExtensionState as ExtensionState,
        Phase as Phase,
        RuntimeState as RuntimeState,
    )

_NAMES = {
    "_environment": ("Environment",),
    "_session": ("ExtensionSession",),
    "_states": (
        "ExtensionState",
        "Phase",
        "RuntimeState",
    ),
    "_events": (
        "ExtensionExitError",
        "ExtensionExited",
        "ExtensionInitError",
        "Flushed",
        "HookEnd",
        "Init",
        "Invoke",
        "InvokeEvent",
        "LaunchFailed",
        "Next",
        "PlatformRuntimeDone",
        "Refused",
        "Register",
        "Registered",
        "Restore",
        "RuntimeExited",
        "RuntimeInitError",
        "RuntimeInvocationError",
        "RuntimeNext",
        "RuntimeResponse",
        "RuntimeResponseSent",
        "RuntimeRestoreError",
        "RuntimeRestoreNext",
        "Shutdown",
        "ShutdownEvent",
        "Subscribe",
        "Subscribed",
    ),
    "_effects": (
        "CallNext",
        "DeliverInvocation",
        "DeliverInvoke",
        "DeliverRestore",
        "DeliverShutdown",
        "Emit",
        "EnvironmentEnded",
        "EnvironmentReset",
        "FUNCTION_ERROR",
        "Flush",
        "Freeze",
        "INIT_ERROR",
        "InvocationEnded",
        "KillExtension",
        "KillRuntime",
        "LaunchExtension",
        "PLATFORM_ERROR",
        "RESPONSE",
        "Respond",
        "StartRuntime",
        "Stop",
        "TerminateRuntime",
        "Thaw",
    ),
    "_deadlines": (
        "billed_duration_ms",
        "elapsed_ms",
        "remaining_ms",
        "shutdown_budget",
    ),
    "_http": (
        "End",
        "Head",
        "Message",
        "MessageReader",
        "request_bytes",
        "response_bytes",
    ),
    "_errors": (
        "HttpError",
        "LifecycleError",
        "LocalLifecycleError",
        "RemoteLifecycleError",
    ),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "CallNext",
    "DeliverInvocation",
    "DeliverInvoke",
    "DeliverRestore",
    "DeliverShutdown",
    "Emit",
    "End",
    "Environment",
    "EnvironmentEnded",
    "EnvironmentReset",
    "ExtensionExitError",
    "ExtensionExited",
    "ExtensionInitError",
    "ExtensionSession",
    "ExtensionState",
    "FUNCTION_ERROR",
    "Flush",
    "Flushed",
    "Freeze",
    "Head",
    "HookEnd",
    "HttpError",
    "INIT_ERROR",
    "Init",
    "InvocationEnded",
    "Invoke",
    "InvokeEvent",
    "KillExtension",
    "KillRuntime",
    "LaunchExtension",
    "LaunchFailed",
    "LifecycleError",
    "LocalLifecycleError",
    "Message",
    "MessageReader",
    "Next",
    "PLATFORM_ERROR",
    "Phase",
    "PlatformRuntimeDone",
    "RESPONSE",
    "Refused",
    "Register",
    "Registered",
    "RemoteLifecycleError",
    "Respond",
    "Restore",
    "RuntimeExited",
    "RuntimeInitError",
    "RuntimeInvocationError",
    "RuntimeNext",
    "RuntimeResponse",
    "RuntimeResponseSent",
    "RuntimeRestoreError",
    "RuntimeRestoreNext",
    "RuntimeState",
    "Shutdown",
    "ShutdownEvent",
    "StartRuntime",
    "Stop",
    "Subscribe",
    "Subscribed",
    "TerminateRuntime",
    "Thaw",
    "billed_duration_ms",
    "elapsed_ms",
    "remaining_ms",
    "request_bytes",
    "response_bytes",
    "shutdown_budget",
]


def __getattr__(name: str) -> object:
    module = _HOMES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # Relative, because the payload carries this package under another name.
    value = getattr(__import__(module, globals(), None, (name,), 1), name)
    globals()[name] = value
    return value


def __dir__() -> "list[str]":
    return sorted(__all__)
