"""An environment without processes: the caller plays the parties and moves the clock."""

from __future__ import annotations

import psutil
import pytest

from wrapkit.tooling.emulator import (
    Function,
    LambdaEnvironment,
    ManualClock,
    RefusedCallError,
    echo_task_root,
)


@pytest.fixture
def played():
    """Makes environments whose parties the test plays."""
    opened = []

    def make(*names, **settings):
        function = Function(task_root=echo_task_root(), handler="app.handler", **settings)
        environment = LambdaEnvironment(function, played=names, clock=ManualClock())
        opened.append(environment)
        return environment

    yield make
    for environment in opened:
        environment.close()


def ready(environment):
    """An extension and a runtime that wait for the first event."""
    extension, runtime = environment.extension("mine"), environment.runtime()
    extension.register("INVOKE", "SHUTDOWN")
    extension.call_next()
    runtime.call_next()
    return extension, runtime


def test_an_invocation_goes_through_parties_that_the_caller_plays(played):
    environment = played("mine")
    extension, runtime = ready(environment)
    assert environment.init().status == "success"
    invocation = environment.send({"n": 1})

    request_id, event = runtime.invocation()
    assert extension.event()["requestId"] == request_id
    runtime.respond(request_id, b'{"n": 2}')
    assert (event, invocation.answer().payload) == (b'{"n": 1}', b'{"n": 2}')
    runtime.call_next()
    environment.advance(40)
    extension.call_next()

    result = invocation.result()
    assert result.json() == {"n": 2}
    assert (result.status, result.post_runtime_extensions_duration_ms) == ("success", 40)


def test_no_process_is_started(played):
    before = psutil.Process().children(recursive=True)
    environment = played("mine")
    ready(environment)
    environment.init()

    assert psutil.Process().children(recursive=True) == before


def test_time_passes_only_by_hand(played):
    """A timeout of fifteen minutes takes no time, and comes not a millisecond early."""
    environment = played("mine", timeout_ms=900_000)
    extension, runtime = ready(environment)
    invocation = environment.send()
    runtime.invocation()
    extension.event()
    extension.call_next()

    environment.advance(899_999)
    assert "platform.report" not in {record.type for record in environment.records}
    environment.advance(1)
    event = extension.event()
    environment.exit("mine")

    assert (event["eventType"], event["shutdownReason"]) == ("SHUTDOWN", "timeout")
    assert invocation.result().status == "timeout"
    assert invocation.result().duration_ms == 900_000


def test_a_handlers_error_is_played_as_well(played):
    environment = played()
    runtime = environment.runtime()
    runtime.call_next()
    invocation = environment.send()
    request_id, _ = runtime.invocation()
    runtime.fail(request_id, "Mine.Error", "no")
    runtime.call_next()

    result = invocation.result()
    assert (result.function_error, result.json()["errorType"]) == ("Unhandled", "Mine.Error")


def test_an_extension_that_ends_fails_its_invocation(played):
    environment = played("mine")
    extension, runtime = ready(environment)
    invocation = environment.send()
    runtime.invocation()
    extension.event()

    environment.exit("mine", "exit status 3")

    assert invocation.result().error_type == "Extension.Crash"


def test_shutdown_ends_when_its_parties_do(played):
    environment = played("mine")
    extension, _ = ready(environment)
    environment.init()
    environment.begin_shutdown()

    assert extension.event()["shutdownReason"] == "spindown"
    environment.exit("mine")
    shutdown = environment.shutdown()

    assert shutdown.statuses == {"runtime": "signal: terminated", "mine": "exit status 0"}


def test_a_refused_call_says_why(played):
    environment = played("mine")
    extension = environment.extension("mine")
    with pytest.raises(RefusedCallError) as refusal:
        extension.register("INVOKE", "WHATEVER")

    assert (refusal.value.status, refusal.value.error_type) == (403, "Extension.InvalidEventType")


def test_what_processes_do_cannot_be_played_or_waited_for(played):
    """A manual clock beside processes would be two times; their ends are theirs."""
    function = Function(task_root=echo_task_root(), handler="app.handler")
    with pytest.raises(ValueError, match="a manual clock needs played"):
        LambdaEnvironment(function, clock=ManualClock())
    with LambdaEnvironment(function) as environment:
        with pytest.raises(TypeError, match="only an environment with played"):
            environment.exit("runtime")
        with pytest.raises(TypeError, match="only a ManualClock"):
            environment.advance(1)


def test_a_call_that_takes_too_long_is_a_timeout(played):
    """Nobody plays the runtime: Init would wait for ever."""
    function = Function(task_root=echo_task_root(), handler="app.handler")
    with (
        LambdaEnvironment(function, played=(), clock=ManualClock(), limit_s=0.2) as environment,
        pytest.raises(TimeoutError),
    ):
        environment.init()


@pytest.mark.parametrize(
    ("registers_as", "calls_next", "message", "hint"),
    [
        (None, False, "these extensions did not register: mine", None),
        ("Mine", False, "these extensions did not register: mine", "another one (Mine)"),
        ("mine", False, "these extensions did not call event/next: mine", None),
        ("mine", True, "the runtime did not call invocation/next", None),
    ],
)
def test_an_init_that_takes_too_long_says_for_whom_it_waited(
    played, registers_as, calls_next, message, hint
):
    """With the hint that a wrong name needs: nothing else tells of it."""
    environment = played("mine")
    extension = environment.extension(registers_as or "mine")
    if registers_as is not None:
        extension.register()
    if calls_next:
        extension.call_next()
    environment.advance(10_000)

    init = environment.init()
    assert (init.status, init.error_message) == ("timeout", message)
    assert (init.hint or "").count(hint or "another") == (hint is not None)
