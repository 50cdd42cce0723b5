"""Every pair of a state and an input is decided: it moves as said here, or it is refused."""

from itertools import product

import pytest

from wrapkit import lifecycle as core
from wrapkit.lifecycle import _states

# Said once more in the words of the platform, so that a slip in a table is seen.
EXTERNAL = """
Started: register>Registered, launch fail>LaunchError, miss shutdown>ShutdownFailed, exit>Exited
Registered: event/next>Ready, init/error>InitError, exit/error>ExitError,
    miss shutdown>ShutdownFailed, exit>Exited
Ready: deliver>Running, exit/error>ExitError, miss shutdown>ShutdownFailed, exit>Exited
Running: event/next>Ready, exit/error>ExitError, miss shutdown>ShutdownFailed, exit>Exited
InitError: init/error>InitError, miss shutdown>ShutdownFailed, exit>Exited
ExitError: exit/error>ExitError, miss shutdown>ShutdownFailed, exit>Exited
ShutdownFailed: exit>ShutdownFailed, launch fail>ShutdownFailed
"""
INTERNAL = """
Started: register>Registered
Registered: event/next>Ready, init/error>InitError, exit/error>ExitError
Ready: deliver>Running, exit/error>ExitError
Running: event/next>Ready, exit/error>ExitError
InitError: init/error>InitError
ExitError: exit/error>ExitError
"""
RUNTIME = """
Started: invocation/next>Ready, init/error>InitError, restore/next>RestoreReady, exit>Exited
InitError: exit>Exited
Ready: invocation/next>Ready, deliver>Running, exit>Exited
Running: invocation/next>Running, invocation/response>InvocationResponse,
    invocation/error>InvocationErrorResponse, exit>Exited
InvocationResponse: response sent>RuntimeResponseSentState, exit>Exited
InvocationErrorResponse: response sent>RuntimeResponseSentState, exit>Exited
RuntimeResponseSentState: invocation/next>Ready, exit>Exited
RestoreReady: deliver>Restoring, exit>Exited
Restoring: invocation/next>Ready, restore/error>RestoreError, exit>Exited
RestoreError: exit>Exited
"""
REQUEST = """
Running: response>Responding, expire>TimedOut
Responding: response sent>Done, expire>TimedOut
"""
PHASES = """
Empty: init>Init, invoke>Invoke, shutdown>Shutdown
Init: init done>Idle, fail>Shutdown, shutdown>Shutdown
Idle: restore>Restore, invoke>Invoke, fail>Shutdown, shutdown>Shutdown
Restore: restore done>Idle, fail>Shutdown, shutdown>Shutdown
Invoke: invoke done>Idle, fail>Shutdown, shutdown>Shutdown
Shutdown: shutdown>Shutdown, reset done>Empty, shutdown done>Ended
"""


# Where a call would lead: a refusal says so.
CALLS = {
    "register": "to Registered",
    "event/next": "to Ready",
    "invocation/next": "to Ready",
    "invocation/response": "to InvocationResponse",
    "response sent": "to RuntimeResponseSentState",
    "invocation/error": "to InvocationErrorResponse",
    "init/error": "to InitError",
    "exit/error": "to ExitError",
    "restore/next": "to RestoreReady",
    "restore/error": "to RestoreError",
}


def moves(text):
    """{(state, input): state} of a table above."""
    rows = text.replace(",\n   ", ",").strip().splitlines()
    return {
        (state, move): target
        for state, _, cells in (row.partition(": ") for row in rows)
        for move, _, target in (cell.strip().partition(">") for cell in cells.split(","))
    }


def check(expected, state, move, run, refusal):
    """Runs one pair; the answer is the state said above, or the refusal."""
    target = expected.get((state.value, move.value))
    if target is not None:
        assert run().value == target
        return
    with pytest.raises(refusal) as error:
        run()
    assert state.value in str(error.value)
    words = (move.value, CALLS.get(move.value, move.value))
    assert any(word in str(error.value) for word in words)


@pytest.mark.parametrize("kind", core.ExtensionKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize(
    ("state", "move"), list(product(core.ExtensionState, core.ExtensionInput)), ids=lambda x: x.name
)
def test_an_extension_moves_or_is_refused(kind, state, move):
    """A refused call is the extension's fault, another refused input the driver's."""
    expected = moves(EXTERNAL if kind is core.ExtensionKind.EXTERNAL else INTERNAL)
    calls = ("register", "event/next", "init/error", "exit/error")
    refusal = core.RemoteLifecycleError if move.value in calls else core.LocalLifecycleError
    check(
        expected,
        state,
        move,
        lambda: _states.next_extension_state(kind, state, move, "otel"),
        refusal,
    )


@pytest.mark.parametrize(
    ("state", "move"), list(product(core.RuntimeState, core.RuntimeInput)), ids=lambda x: x.name
)
def test_the_runtime_moves_or_is_refused(state, move):
    """As for extensions; a body that ends late is nobody's fault and refused like a call."""
    local = move.value in ("deliver", "exit")
    check(
        moves(RUNTIME),
        state,
        move,
        lambda: _states.next_runtime_state(state, move),
        core.LocalLifecycleError if local else core.RemoteLifecycleError,
    )


@pytest.mark.parametrize(
    ("state", "move"), list(product(core.RequestState, core.RequestInput)), ids=lambda x: x.name
)
def test_one_invocation_among_many_moves_or_is_refused(state, move):
    """As a request id that is not known (any more)."""
    check(
        moves(REQUEST),
        state,
        move,
        lambda: _states.next_request_state(state, move),
        core.RemoteLifecycleError,
    )


@pytest.mark.parametrize(
    ("phase", "move"), list(product(core.Phase, core.PhaseInput)), ids=lambda x: x.name
)
def test_the_environment_moves_or_is_refused(phase, move):
    """Phases are the driver's business: every refusal is its mistake."""
    check(
        moves(PHASES),
        phase,
        move,
        lambda: _states.next_phase(phase, move),
        core.LocalLifecycleError,
    )


def test_a_refused_call_carries_the_platforms_error_type():
    """Clients tell refusals apart by ``errorType``; the status is 403."""
    with pytest.raises(core.RemoteLifecycleError) as extension:
        _states.next_extension_state(
            core.ExtensionKind.EXTERNAL,
            core.ExtensionState.READY,
            core.ExtensionInput.NEXT,
            "otel",
        )
    assert extension.value.error_type == "Extension.InvalidExtensionState"
    assert extension.value.status == 403
    assert "otel" in extension.value.message
    with pytest.raises(core.RemoteLifecycleError) as runtime:
        _states.next_runtime_state(core.RuntimeState.READY, core.RuntimeInput.RESPONSE)
    assert runtime.value.error_type == "InvalidStateTransition"
    assert runtime.value.status == 403


def test_the_tables_hold_states_only():
    """Rule 1: a table that calls something hides a rule."""
    tables = (
        *core.EXTENSION_TRANSITIONS.values(),
        core.RUNTIME_TRANSITIONS,
        core.REQUEST_TRANSITIONS,
        core.PHASE_TRANSITIONS,
    )
    for table in tables:
        states = {type(state) for state in table}
        assert len(states) == 1
        assert {type(target) for row in table.values() for target in row.values()} == states


def test_every_external_runtime_and_phase_state_has_its_row():
    """A state that ends everything says so with an empty row."""
    external = core.EXTENSION_TRANSITIONS[core.ExtensionKind.EXTERNAL]
    assert list(external) == list(core.ExtensionState)
    assert set(core.RUNTIME_TRANSITIONS) == set(core.RuntimeState)
    assert set(core.PHASE_TRANSITIONS) == set(core.Phase)


def test_an_internal_extension_cannot_launch_exit_or_miss_a_shutdown():
    """It has no process of its own."""
    internal = core.EXTENSION_TRANSITIONS[core.ExtensionKind.INTERNAL]
    names = {state.value for state in internal}
    assert names.isdisjoint({"Exited", "LaunchError", "ShutdownFailed"})
