"""States."""

from enum import Enum


class ExtensionState(Enum):
    """The states of an extension."""

    STARTED = "Started"
    REGISTERED = "Registered"
    READY = "Ready"
    RUNNING = "Running"
    INIT_ERROR = "InitError"
    EXIT_ERROR = "ExitError"
    SHUTDOWN_FAILED = "ShutdownFailed"
    EXITED = "Exited"
    LAUNCH_ERROR = "LaunchError"


class RuntimeState(Enum):
    """The states of the runtime."""

    STARTED = "Started"
    INIT_ERROR = "InitError"
    READY = "Ready"
    RUNNING = "Running"
    RESTORE_READY = "RestoreReady"
    RESTORING = "Restoring"
    INVOCATION_RESPONSE = "InvocationResponse"
    INVOCATION_ERROR_RESPONSE = "InvocationErrorResponse"
    RESPONSE_SENT = "ResponseSent"
    RESTORE_ERROR = "RestoreError"
    EXITED = "Exited"


class Phase(Enum):
    """The phases of an execution environment."""

    EMPTY = "Empty"
    INIT = "Init"
    IDLE = "Idle"
    RESTORE = "Restore"
    INVOKE = "Invoke"
    SHUTDOWN = "Shutdown"
    ENDED = "Ended"
