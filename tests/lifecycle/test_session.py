"""One extension's session: what it may call, when it flushes, and when it must not wait."""

import pytest

from wrapkit import lifecycle as core

NOW_MS = 1_700_000_000_000.0
ID = "00000000-0000-4000-8000-000000000001"


def registered(**settings):
    session = core.ExtensionSession(extension="otel", **settings)
    session.register()
    session.receive(core.Registered(identifier=ID), NOW_MS)
    return session


def waiting(**settings):
    session = registered(**settings)
    session.next()
    return session


def invoked(request_id="r1", deadline_ms=int(NOW_MS) + 3000, **settings):
    session = waiting(**settings)
    invoke = core.InvokeEvent(request_id=request_id, deadline_ms=deadline_ms)
    return session, session.receive(invoke, NOW_MS)


def shut_down(reason="spindown", **settings):
    session = waiting(**settings)
    shutdown = core.ShutdownEvent(reason=reason, deadline_ms=int(NOW_MS) + 2000)
    return session, session.receive(shutdown, NOW_MS)


def test_the_calls_carry_what_the_host_needs():
    session = core.ExtensionSession(extension="otel", events=("INVOKE",))
    assert session.register() == core.Register(extension="otel", events=("INVOKE",))
    session.receive(core.Registered(identifier=ID), NOW_MS)
    assert session.identifier == ID
    call = session.subscribe(("platform",))
    assert call == core.Subscribe(identifier=ID, types=("platform",))
    assert not session.has_telemetry
    session.receive(core.Subscribed(), NOW_MS)
    assert session.has_telemetry
    assert session.next() == core.Next(identifier=ID)
    assert session.state is core.ExtensionState.READY


def test_an_invocation_is_flushed_when_it_is_over_and_then_next_is_called():
    session, effects = invoked()
    assert effects == []
    assert not session.may_call_next
    assert session.request_id == "r1"
    (flush,) = session.receive(core.HookEnd(request_id="r1"), NOW_MS + 5)
    assert flush == core.Flush(deadline_ms=int(NOW_MS) + 2980)
    assert session.receive(core.Flushed(), NOW_MS + 9) == [core.CallNext()]
    assert session.may_call_next
    assert session.next() == core.Next(identifier=ID)
    assert session.next_deadline_ms() is None


def test_whoever_tells_the_end_first_counts():
    """Hook and telemetry both tell it; telemetry lags by 25 ms or more."""
    session, _ = invoked()
    assert session.receive(core.PlatformRuntimeDone(request_id="r1"), NOW_MS) != []
    assert session.receive(core.HookEnd(request_id="r1"), NOW_MS) == []


def test_the_end_may_be_told_before_the_invoke_event_is_read():
    session = waiting()
    assert session.receive(core.HookEnd(request_id="r1"), NOW_MS) == []
    invoke = core.InvokeEvent(request_id="r1", deadline_ms=int(NOW_MS) + 3000)
    assert session.receive(invoke, NOW_MS) == [core.Flush(deadline_ms=int(NOW_MS) + 2980)]


def test_the_end_of_the_last_invocation_does_not_end_this_one():
    session, _ = invoked("r1")
    session.receive(core.HookEnd(request_id="r1"), NOW_MS)
    session.receive(core.Flushed(), NOW_MS)
    session.next()
    early = core.HookEnd(request_id="r2")
    session.receive(early, NOW_MS)
    session.receive(core.PlatformRuntimeDone(request_id="r1"), NOW_MS)
    invoke = core.InvokeEvent(request_id="r2", deadline_ms=int(NOW_MS) + 3000)
    assert session.receive(invoke, NOW_MS) != []


def test_a_retry_under_the_same_request_id_has_not_ended_yet():
    """Asynchronous invocations are tried again under their request id."""
    session = waiting()
    session.receive(core.HookEnd(request_id="r1"), NOW_MS)
    invoke = core.InvokeEvent(request_id="r1", deadline_ms=int(NOW_MS) + 3000)
    session.receive(invoke, NOW_MS)
    session.receive(core.Flushed(), NOW_MS)
    session.next()
    assert session.receive(invoke, NOW_MS) == []


def test_where_nobody_tells_the_end_an_invocation_is_flushed_at_once():
    _, effects = invoked(end_is_told=False)
    assert effects == [core.Flush(deadline_ms=int(NOW_MS) + 2980)]


@pytest.mark.parametrize("is_flushing", [False, True])
def test_before_the_deadline_next_is_called_in_any_case(is_flushing):
    """SHUTDOWN comes as the answer to next only, and the process is killed soon after."""
    session, _ = invoked()
    if is_flushing:
        session.receive(core.HookEnd(request_id="r1"), NOW_MS)
    deadline_ms = int(NOW_MS) + 2980
    assert session.next_deadline_ms() == deadline_ms
    assert session.expire(deadline_ms - 1) == []
    assert session.expire(deadline_ms) == [core.CallNext()]
    assert session.expire(deadline_ms + 1) == []
    assert session.receive(core.Flushed(), deadline_ms + 1) == []
    session.next()


def test_what_is_overdue_when_an_event_comes_is_done_too():
    _, effects = invoked(deadline_ms=int(NOW_MS))
    assert effects == [core.CallNext()]


def test_shutdown_flushes_and_stops():
    session, effects = shut_down()
    assert effects == [core.Flush(deadline_ms=int(NOW_MS) + 1800)]
    assert session.receive(core.Flushed(), NOW_MS + 50) == [core.Stop()]
    assert not session.may_call_next
    with pytest.raises(core.LocalLifecycleError, match="not done"):
        session.next()


def test_shutdown_stops_before_the_deadline_in_any_case():
    session, _ = shut_down(shutdown_margin_ms=100)
    assert session.expire(NOW_MS + 1900) == [core.Stop()]


@pytest.mark.parametrize("reason", ["SPINDOWN", "timeout", "ReleaseFail"])
def test_any_shutdown_reason_is_taken_in_lower_case(reason):
    """The guide writes upper case, the wire has lower case, AWS's emulator names of its own."""
    session, _ = shut_down(reason)
    assert session.shutdown_reason == reason.lower()


def test_remaining_time_is_that_of_the_event_less_the_margin():
    session, _ = invoked(invoke_margin_ms=500)
    assert session.remaining_ms(NOW_MS + 1000) == 1500.0
    assert session.remaining_ms(NOW_MS + 5000) == 0.0
    assert waiting().remaining_ms(NOW_MS) is None


def test_a_refused_registration_or_next_stops_the_extension():
    """There is no use in calling again: a tight loop would only cost the function its time."""
    session = core.ExtensionSession(extension="otel")
    session.register()
    refused = core.Refused(error_type="Extension.InvalidExtensionName", status=403)
    assert session.receive(refused, NOW_MS) == [core.Stop(exit_code=1)]
    session = waiting()
    (stop,) = session.receive(core.Refused(error_type="InternalServerError", status=500), NOW_MS)
    assert stop == core.Stop(exit_code=1, error_type="Extension.NextRefused")
    assert session.exit_error(stop.error_type) == core.ExtensionExitError(
        identifier=ID, error_type="Extension.NextRefused"
    )
    assert session.state is core.ExtensionState.EXIT_ERROR


def test_a_refused_subscription_does_not():
    """An extension without telemetry is of use still."""
    session = registered()
    session.subscribe(("platform",))
    refused = core.Refused(error_type="Telemetry.SubscriptionClosed", status=403)
    assert session.receive(refused, NOW_MS) == []
    assert session.may_call_next
    assert not session.has_telemetry


def test_a_host_without_telemetry_says_so():
    """AWS's own emulator answers 202; an extension carries on."""
    session = registered()
    session.subscribe(("platform",))
    session.receive(core.Subscribed(supported=False), NOW_MS)
    assert not session.has_telemetry
    assert session.may_call_next


def test_giving_up_is_announced_as_the_state_allows():
    """init/error before the first next, exit/error at any time after the registration."""
    session = registered()
    call = session.init_error("Extension.NoKey")
    assert call == core.ExtensionInitError(identifier=ID, error_type="Extension.NoKey")
    assert session.state is core.ExtensionState.INIT_ERROR
    with pytest.raises(core.LocalLifecycleError):
        session.next()
    with pytest.raises(core.LocalLifecycleError):
        waiting().init_error("Extension.NoKey")
    with pytest.raises(core.LocalLifecycleError):
        core.ExtensionSession(extension="otel").exit_error("Extension.Early")


@pytest.mark.parametrize(
    "call",
    [
        lambda session: session.register(),
        lambda session: session.next(),
        lambda session: session.subscribe(("platform",)),
        lambda session: session.receive(core.Registered(identifier=ID), NOW_MS),
        lambda session: session.receive(core.Subscribed(), NOW_MS),
        lambda session: session.receive(core.Init(), NOW_MS),
    ],
)
def test_what_does_not_fit_is_the_drivers_mistake_and_changes_nothing(call):
    session = waiting()
    before = repr(session), session.may_call_next
    with pytest.raises(core.LocalLifecycleError):
        call(session)
    assert (repr(session), session.may_call_next) == before


@pytest.mark.parametrize(
    "event",
    [
        core.InvokeEvent(request_id="r1", deadline_ms=1),
        core.ShutdownEvent(reason="spindown", deadline_ms=1),
        core.Refused(error_type="Extension.X", status=403),
    ],
)
def test_an_answer_without_a_call_is_the_drivers_mistake(event):
    session = registered()
    with pytest.raises(core.LocalLifecycleError):
        session.receive(event, NOW_MS)
    assert session.may_call_next


def test_an_event_after_a_refused_next_is_the_drivers_mistake():
    session = waiting()
    session.receive(core.Refused(error_type="InternalServerError", status=500), NOW_MS)
    with pytest.raises(core.LocalLifecycleError, match="did not call next"):
        session.receive(core.InvokeEvent(request_id="r1", deadline_ms=1), NOW_MS)


def test_one_call_is_outstanding_at_a_time():
    session = registered()
    session.subscribe(("platform",))
    with pytest.raises(core.LocalLifecycleError, match="waits for the answer to subscribe"):
        session.subscribe(("platform",))
    assert not session.may_call_next


def test_a_session_prints_where_it_is():
    session, _ = invoked()
    assert repr(session) == ("<ExtensionSession otel, Running, request r1, until 1700000002980>")
    session, _ = shut_down()
    assert repr(session) == (
        "<ExtensionSession otel, Running, shutdown spindown, until 1700000001800>"
    )
    assert repr(registered()) == "<ExtensionSession otel, Registered>"
