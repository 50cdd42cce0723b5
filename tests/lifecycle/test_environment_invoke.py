"""Invoke: extensions and runtime get the event, the caller its answer, and then all call next."""

import pytest

from tests.lifecycle._host import Host, kinds, records, the
from wrapkit import lifecycle as core


def test_the_runtime_is_released_first_and_the_extensions_with_its_deadline():
    host = Host("otel").init()
    effects = host.invoke()
    assert kinds(effects) == ["Thaw", "DeliverInvocation", "platform.start", "DeliverInvoke"]
    deadline_ms = int(host.now_ms) + 3000
    assert effects[1] == core.DeliverInvocation(request_id="r1", deadline_ms=deadline_ms)
    assert effects[3] == core.DeliverInvoke(
        extension="otel",
        identifier=host.id("otel"),
        request_id="r1",
        deadline_ms=deadline_ms,
    )
    assert host.environment.next_deadline_ms() == deadline_ms
    assert host.environment.request_id == "r1"


def test_the_caller_does_not_wait_for_extensions():
    """The answer goes when it has been read; the invocation ends with the last next."""
    host = Host("otel").init()
    host.invoke()
    host.send(core.RuntimeResponse(request_id="r1"), after_ms=10)
    effects = host.send(core.RuntimeResponseSent(request_id="r1", produced_bytes=40), after_ms=2)
    assert effects == [core.Respond(request_id="r1", outcome=core.RESPONSE)]
    (done,) = records(host.runtime_next(after_ms=3), "platform.runtimeDone")
    assert done["status"] == "success"
    assert done["metrics"] == {"durationMs": 15.0, "producedBytes": 40}
    assert [(span["name"], span["durationMs"]) for span in done["spans"]] == [
        ("responseLatency", 10.0),
        ("responseDuration", 2.0),
        ("runtimeOverhead", 3.0),
    ]
    assert host.phase == "Invoke"
    effects = host.next("otel", after_ms=500)
    assert kinds(effects) == ["platform.report", "InvocationEnded", "Freeze"]
    (report,) = records(effects, "platform.report")
    assert report["status"] == "success"
    assert report["metrics"]["durationMs"] == 515.0
    (overhead,) = report["spans"]
    assert (overhead["name"], overhead["durationMs"]) == ("extensionOverhead", 500.0)
    assert host.environment.is_frozen


def test_init_duration_is_reported_and_billed_once():
    """Billed is the rounded-up sum of both, since August 2025."""
    host = Host()
    host.send(core.Init())
    host.runtime_next(after_ms=100.77)
    for request_id in ("r1", "r2"):
        host.invoke(request_id)
        host.respond(request_id)
        host.runtime_next()
    first, second = host.records("platform.report")
    assert first["metrics"] == {
        "durationMs": 3.0,
        "billedDurationMs": 104,
        "initDurationMs": 100.77,
    }
    assert second["metrics"] == {"durationMs": 3.0, "billedDurationMs": 3}
    assert "spans" not in second


def test_a_handlers_error_is_a_success_of_the_runtime():
    """The caller gets the error; the environment goes on."""
    host = Host().init()
    host.invoke()
    host.send(core.RuntimeInvocationError(request_id="r1", error_type="Runtime.UserException"))
    (answer,) = host.send(core.RuntimeResponseSent(request_id="r1"))
    assert answer.outcome == core.FUNCTION_ERROR
    assert answer.error_type == "Runtime.UserException"
    (done,) = records(host.runtime_next(), "platform.runtimeDone")
    assert (done["status"], "errorType" in done) == ("success", False)
    assert host.phase == "Idle"


def test_most_runtimes_send_no_type_with_an_error():
    host = Host().init()
    host.invoke()
    host.send(core.RuntimeInvocationError(request_id="r1"))
    (answer,) = host.send(core.RuntimeResponseSent(request_id="r1"))
    assert (answer.outcome, answer.error_type) == (core.FUNCTION_ERROR, "")


@pytest.mark.parametrize(
    ("error_type", "text"),
    [
        ("Function.ResponseSizeTooLarge", "6291556 bytes"),
        ("Runtime.TruncatedResponse", "ended before"),
        ("Runtime.InvalidResponseModeHeader", "Runtime.InvalidResponseModeHeader"),
    ],
)
def test_a_response_that_the_platform_refuses_leaves_the_environment_usable(error_type, text):
    host = Host().init()
    host.invoke()
    (answer,) = host.respond(error_type=error_type)
    assert (answer.outcome, answer.error_type) == (core.PLATFORM_ERROR, error_type)
    assert text in answer.message
    host.runtime_next()
    assert "DeliverInvocation" in kinds(host.invoke("r2"))


def test_an_extension_without_invoke_is_not_waited_for():
    """It stays blocked until the shutdown."""
    host = Host("quiet")
    host.send(core.Init())
    host.register("quiet", "SHUTDOWN")
    host.next("quiet")
    host.runtime_next()
    assert "DeliverInvoke" not in kinds(host.invoke())
    host.respond()
    host.runtime_next()
    assert host.phase == "Idle"
    assert "spans" not in host.records("platform.report")[0]


def test_the_runtime_is_waited_for_too():
    """The extension may be done first; then its overhead is nothing."""
    host = Host("otel").init()
    host.invoke()
    host.next("otel")
    host.respond()
    assert host.phase == "Invoke"
    host.runtime_next()
    assert host.phase == "Idle"
    assert host.records("platform.report")[0]["spans"][0]["durationMs"] == 0.0


def test_next_without_a_response_delivers_the_same_invocation_again():
    host = Host().init()
    first = the(core.DeliverInvocation, host.invoke())
    assert host.runtime_next() == [first]


def test_a_second_response_is_refused():
    host = Host().init()
    host.invoke()
    host.respond()
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(core.RuntimeResponse(request_id="r1"))
    assert (refusal.value.error_type, refusal.value.status) == ("InvalidStateTransition", 403)
    host.runtime_next()
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(core.RuntimeInvocationError(request_id="r1"))
    assert (refusal.value.error_type, refusal.value.status) == ("InvalidStateTransition", 403)


@pytest.mark.parametrize("call", [core.RuntimeResponse, core.RuntimeInvocationError])
def test_a_response_to_another_request_is_refused(call):
    host = Host().init()
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(call(request_id="r1"))
    assert (refusal.value.error_type, refusal.value.status) == ("InvalidRequestID", 400)
    host.invoke()
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(call(request_id="r0"))
    assert refusal.value.error_type == "InvalidRequestID"


def test_runtime_calls_before_there_is_a_runtime_are_refused():
    """Anybody can reach the API, an extension for example."""
    host = Host("otel")
    host.send(core.Init())
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.runtime_next()
    assert refusal.value.error_type == "InvalidStateTransition"


def test_one_invocation_waits_for_its_turn_and_starts_its_time_then():
    host = Host("otel").init()
    host.invoke("r1")
    assert host.invoke("r2") == []
    with pytest.raises(core.LocalLifecycleError, match="r2 waits"):
        host.invoke("r3")
    assert "request r2 waits" in repr(host.environment)
    host.respond("r1")
    host.runtime_next()
    effects = host.next("otel", after_ms=700)
    assert "Freeze" not in kinds(effects)
    assert the(core.DeliverInvocation, effects).deadline_ms == int(host.now_ms) + 3000


def test_a_request_is_not_invoked_twice_at_a_time():
    host = Host().init()
    host.invoke("r1")
    with pytest.raises(core.LocalLifecycleError, match="r1 is under way"):
        host.invoke("r1")


def test_an_environment_prints_who_is_where():
    host = Host("otel").init()
    assert repr(host.environment) == "<Environment Idle, runtime Ready, otel Ready>"
    host.invoke()
    assert repr(host.environment) == (
        "<Environment Invoke, runtime Running, request r1, otel Running>"
    )
    assert host.environment.runtime_state is core.RuntimeState.RUNNING
