"""The states of an execution environment's parties, and every move between them."""

# The rules of this file
# ----------------------
#
# Rule 1. Everything that decides whether something may happen now stands here: four tables, and
#   the joint rules below them. The tables are nested by state, so that one line tells all that a
#   state allows, and they hold no functions. What *follows* from a move is not here.
#
# Rule 2. Every (state, input) pair is decided. A pair that stands in a table moves; every other
#   pair is refused, and the state stays. A refused call is answered as the platform answers it:
#   403 with ``Extension.InvalidExtensionState`` or ``InvalidStateTransition``, and a message that
#   names the state and the move. A refused input that is not a call is our own driver's mistake.
#
# Rule 3. This file does not know who drives it. The host moves its picture of an extension along
#   the same table as the extension moves its own.
#
# Theory of operation
#
#   An extension is Started, becomes Registered, and from then on alternates between Ready (its
#   ``next`` waits for an event) and Running (it has an event). Every ``next`` says "done with what
#   I had": the first one ends its initialisation. An external extension is a process of its own,
#   so it can also fail to launch, exit, or outlive its shutdown deadline. An internal one has no
#   process: it cannot do any of these, and dies with the runtime.
#
#   The runtime is Started, becomes Ready with its first ``next``, and then goes round Running,
#   InvocationResponse (or InvocationErrorResponse) while its answer is being read, ResponseSent,
#   and Ready again. It may ask for the same invocation twice: a ``next`` while Running delivers it
#   again. With SnapStart it waits for the snapshot in RestoreReady.
#
#   The environment goes from Empty through Init to Idle, then back and forth between Idle and
#   Invoke. When something fails it is reset: a Shutdown that leads back to Empty instead of Ended.
#   From Empty, an invocation first repeats the init, inside its own phase and on its own time.
#
#   On managed instances many invocations are under way at a time: there the runtime stays Ready,
#   and each invocation goes from Running over Responding to Done, or becomes TimedOut.
#
# What does not fit into tables
#
#   - the gates, which look at several parties at once: plain functions at the end of this file;
#   - when an internal extension may register: until the runtime's first ``next``, again a gate;
#   - init/error and exit/error do not end anything by themselves, since the platform waits for the
#     process to exit. An internal extension has no process, so for it the call itself counts.
#
# Sources: AWS Lambda developer guide, "Using the Lambda Extensions API" and "Understanding the
# Lambda execution environment lifecycle"; the state names are those of AWS's runtime interface
# emulator.

from enum import Enum

from ._errors import LocalLifecycleError, RemoteLifecycleError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class ExtensionKind(Enum):
    """External extensions are processes of their own; internal ones live in the runtime's."""

    EXTERNAL = "external"
    INTERNAL = "internal"


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


class ExtensionInput(Enum):
    """What moves an extension: its own calls, then what happens to it."""

    REGISTER = "register"
    NEXT = "event/next"
    INIT_ERROR = "init/error"
    EXIT_ERROR = "exit/error"
    DELIVER = "deliver"
    LAUNCH_FAIL = "launch fail"
    MISS_SHUTDOWN = "miss shutdown"
    EXIT = "exit"


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
    RESPONSE_SENT = "RuntimeResponseSentState"
    RESTORE_ERROR = "RestoreError"
    EXITED = "Exited"


class RuntimeInput(Enum):
    """What moves the runtime: its own calls, then what happens to it."""

    NEXT = "invocation/next"
    RESPONSE = "invocation/response"
    ERROR = "invocation/error"
    RESPONSE_SENT = "response sent"
    INIT_ERROR = "init/error"
    RESTORE_NEXT = "restore/next"
    RESTORE_ERROR = "restore/error"
    DELIVER = "deliver"
    EXIT = "exit"


class RequestState(Enum):
    """The states of one invocation among many, on managed instances."""

    RUNNING = "Running"
    RESPONDING = "Responding"
    DONE = "Done"
    TIMED_OUT = "TimedOut"


class RequestInput(Enum):
    """What moves one invocation among many."""

    RESPONSE = "response"
    SENT = "response sent"
    EXPIRE = "expire"


class Phase(Enum):
    """The phases of an execution environment, and what lies between them."""

    EMPTY = "Empty"
    INIT = "Init"
    IDLE = "Idle"
    RESTORE = "Restore"
    INVOKE = "Invoke"
    SHUTDOWN = "Shutdown"
    ENDED = "Ended"


class PhaseInput(Enum):
    """What moves an environment from phase to phase."""

    INIT = "init"
    INIT_DONE = "init done"
    RESTORE = "restore"
    RESTORE_DONE = "restore done"
    INVOKE = "invoke"
    INVOKE_DONE = "invoke done"
    FAIL = "fail"
    RESET_DONE = "reset done"
    SHUTDOWN = "shutdown"
    SHUTDOWN_DONE = "shutdown done"


_S, _I = ExtensionState, ExtensionInput

EXTENSION_TRANSITIONS = {
    ExtensionKind.EXTERNAL: {
        _S.STARTED: {
            _I.REGISTER: _S.REGISTERED,
            _I.LAUNCH_FAIL: _S.LAUNCH_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        _S.REGISTERED: {
            _I.NEXT: _S.READY,
            _I.INIT_ERROR: _S.INIT_ERROR,
            _I.EXIT_ERROR: _S.EXIT_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        _S.READY: {
            _I.DELIVER: _S.RUNNING,
            _I.EXIT_ERROR: _S.EXIT_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        _S.RUNNING: {
            _I.NEXT: _S.READY,
            _I.EXIT_ERROR: _S.EXIT_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        # A repeated report is accepted; the first one stays the reason.
        _S.INIT_ERROR: {
            _I.INIT_ERROR: _S.INIT_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        _S.EXIT_ERROR: {
            _I.EXIT_ERROR: _S.EXIT_ERROR,
            _I.MISS_SHUTDOWN: _S.SHUTDOWN_FAILED,
            _I.EXIT: _S.EXITED,
        },
        # It is killed now; that it then exits does not make the shutdown a good one.
        _S.SHUTDOWN_FAILED: {
            _I.EXIT: _S.SHUTDOWN_FAILED,
            _I.LAUNCH_FAIL: _S.SHUTDOWN_FAILED,
        },
        _S.EXITED: {},
        _S.LAUNCH_ERROR: {},
    },
    ExtensionKind.INTERNAL: {
        _S.STARTED: {_I.REGISTER: _S.REGISTERED},
        _S.REGISTERED: {
            _I.NEXT: _S.READY,
            _I.INIT_ERROR: _S.INIT_ERROR,
            _I.EXIT_ERROR: _S.EXIT_ERROR,
        },
        _S.READY: {_I.DELIVER: _S.RUNNING, _I.EXIT_ERROR: _S.EXIT_ERROR},
        _S.RUNNING: {_I.NEXT: _S.READY, _I.EXIT_ERROR: _S.EXIT_ERROR},
        _S.INIT_ERROR: {_I.INIT_ERROR: _S.INIT_ERROR},
        _S.EXIT_ERROR: {_I.EXIT_ERROR: _S.EXIT_ERROR},
    },
}

_R, _J = RuntimeState, RuntimeInput

RUNTIME_TRANSITIONS = {
    _R.STARTED: {
        _J.NEXT: _R.READY,
        _J.INIT_ERROR: _R.INIT_ERROR,
        _J.RESTORE_NEXT: _R.RESTORE_READY,
        _J.EXIT: _R.EXITED,
    },
    _R.INIT_ERROR: {_J.EXIT: _R.EXITED},
    # A second ``next`` is accepted and waits with the first.
    _R.READY: {_J.NEXT: _R.READY, _J.DELIVER: _R.RUNNING, _J.EXIT: _R.EXITED},
    _R.RUNNING: {
        _J.NEXT: _R.RUNNING,
        _J.RESPONSE: _R.INVOCATION_RESPONSE,
        _J.ERROR: _R.INVOCATION_ERROR_RESPONSE,
        _J.EXIT: _R.EXITED,
    },
    _R.INVOCATION_RESPONSE: {_J.RESPONSE_SENT: _R.RESPONSE_SENT, _J.EXIT: _R.EXITED},
    _R.INVOCATION_ERROR_RESPONSE: {_J.RESPONSE_SENT: _R.RESPONSE_SENT, _J.EXIT: _R.EXITED},
    _R.RESPONSE_SENT: {_J.NEXT: _R.READY, _J.EXIT: _R.EXITED},
    _R.RESTORE_READY: {_J.DELIVER: _R.RESTORING, _J.EXIT: _R.EXITED},
    _R.RESTORING: {_J.NEXT: _R.READY, _J.RESTORE_ERROR: _R.RESTORE_ERROR, _J.EXIT: _R.EXITED},
    _R.RESTORE_ERROR: {_J.EXIT: _R.EXITED},
    _R.EXITED: {},
}

_Q, _L = RequestState, RequestInput

REQUEST_TRANSITIONS = {
    _Q.RUNNING: {_L.RESPONSE: _Q.RESPONDING, _L.EXPIRE: _Q.TIMED_OUT},
    _Q.RESPONDING: {_L.SENT: _Q.DONE, _L.EXPIRE: _Q.TIMED_OUT},
    _Q.DONE: {},
    _Q.TIMED_OUT: {},
}

_P, _K = Phase, PhaseInput

PHASE_TRANSITIONS = {
    _P.EMPTY: {_K.INIT: _P.INIT, _K.INVOKE: _P.INVOKE, _K.SHUTDOWN: _P.SHUTDOWN},
    _P.INIT: {_K.INIT_DONE: _P.IDLE, _K.FAIL: _P.SHUTDOWN, _K.SHUTDOWN: _P.SHUTDOWN},
    _P.IDLE: {
        _K.RESTORE: _P.RESTORE,
        _K.INVOKE: _P.INVOKE,
        _K.FAIL: _P.SHUTDOWN,
        _K.SHUTDOWN: _P.SHUTDOWN,
    },
    _P.RESTORE: {_K.RESTORE_DONE: _P.IDLE, _K.FAIL: _P.SHUTDOWN, _K.SHUTDOWN: _P.SHUTDOWN},
    _P.INVOKE: {_K.INVOKE_DONE: _P.IDLE, _K.FAIL: _P.SHUTDOWN, _K.SHUTDOWN: _P.SHUTDOWN},
    # A shutdown asked for during a reset makes the reset the last one.
    _P.SHUTDOWN: {
        _K.SHUTDOWN: _P.SHUTDOWN,
        _K.RESET_DONE: _P.EMPTY,
        _K.SHUTDOWN_DONE: _P.ENDED,
    },
    _P.ENDED: {},
}

# Where a call would lead, for the platform's words when it is refused.
_EXTENSION_CALLS = {
    _I.REGISTER: _S.REGISTERED,
    _I.NEXT: _S.READY,
    _I.INIT_ERROR: _S.INIT_ERROR,
    _I.EXIT_ERROR: _S.EXIT_ERROR,
}
_RUNTIME_CALLS = {
    _J.NEXT: _R.READY,
    _J.RESPONSE: _R.INVOCATION_RESPONSE,
    _J.ERROR: _R.INVOCATION_ERROR_RESPONSE,
    # A body may end after its runtime has: a race between the two, and nobody's mistake.
    _J.RESPONSE_SENT: _R.RESPONSE_SENT,
    _J.INIT_ERROR: _R.INIT_ERROR,
    _J.RESTORE_NEXT: _R.RESTORE_READY,
    _J.RESTORE_ERROR: _R.RESTORE_ERROR,
}


def next_extension_state(
    kind: ExtensionKind, state: ExtensionState, move: ExtensionInput, extension: str
) -> ExtensionState:
    """The state that an extension moves to; raises what Rule 2 says when it may not."""
    target = EXTENSION_TRANSITIONS[kind].get(state, {}).get(move)
    if target is not None:
        return target
    if move in _EXTENSION_CALLS:
        message = _refusal(state.value, _EXTENSION_CALLS[move].value, f"extension {extension}")
        raise RemoteLifecycleError("Extension.InvalidExtensionState", message)
    raise LocalLifecycleError(
        f"Extension {extension} is {state.value}: {move.value} is not allowed"
    )


def next_runtime_state(state: RuntimeState, move: RuntimeInput) -> RuntimeState:
    """The state that the runtime moves to; raises what Rule 2 says when it may not."""
    target = RUNTIME_TRANSITIONS[state].get(move)
    if target is not None:
        return target
    if move in _RUNTIME_CALLS:
        message = _refusal(state.value, _RUNTIME_CALLS[move].value, "runtime")
        raise RemoteLifecycleError("InvalidStateTransition", message)
    raise LocalLifecycleError(f"The runtime is {state.value}: {move.value} is not allowed")


def _refusal(state: str, target: str, whose: str) -> str:
    """AWS's own words."""
    return (
        f"State transition from {state} to {target} failed for {whose}. "
        "Error: State transition is not allowed"
    )


def next_request_state(state: RequestState, move: RequestInput) -> RequestState:
    """The state that one invocation among many moves to; refused as a request id that is over."""
    target = REQUEST_TRANSITIONS[state].get(move)
    if target is None:
        message = f"The invocation is {state.value}: {move.value} is not allowed"
        raise RemoteLifecycleError("InvalidRequestID", message, status=400)
    return target


def next_phase(phase: Phase, move: PhaseInput) -> Phase:
    """The phase that the environment moves to, or ``LocalLifecycleError``."""
    target = PHASE_TRANSITIONS[phase].get(move)
    if target is None:
        raise LocalLifecycleError(f"The environment is {phase.value}: {move.value} is not allowed")
    return target


# The joint rules


def may_start_runtime(externals: "Iterable[ExtensionState]") -> bool:
    """Whether every external extension has registered, which is what the runtime waits for."""
    return all(state is not _S.STARTED for state in externals)


def may_register_internal(runtime: "RuntimeState | None") -> bool:
    """Whether the runtime has not called ``next`` (or ``restore/next``) yet."""
    return runtime is None or runtime is _R.STARTED


def is_init_done(runtime: "RuntimeState | None", extensions: "Iterable[ExtensionState]") -> bool:
    """Whether the runtime and every registered extension have called ``next``."""
    return runtime in (_R.READY, _R.RESTORE_READY) and _all_ready(extensions)


def is_invoke_done(runtime: "RuntimeState | None", invoked: "Iterable[ExtensionState]") -> bool:
    """Whether the runtime and every extension subscribed to INVOKE have called ``next`` again."""
    return runtime is _R.READY and _all_ready(invoked)


def _all_ready(extensions: "Iterable[ExtensionState]") -> bool:
    return all(state is _S.READY for state in extensions)
