"""Managed instances: many invocations at a time, no freeze, no reset."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lifecycle._host import Host, kinds, records, the
from tests.lifecycle.test_properties import snapshot
from wrapkit import lifecycle as core


class ManagedHost(Host):
    def __init__(self, *extensions, function_timeout_ms=3000, **settings):
        super().__init__()
        self.environment = core.ManagedEnvironment(
            extensions=extensions, function_timeout_ms=function_timeout_ms, **settings
        )
        self.extensions = extensions

    def init(self, workers=1):
        self.send(core.Init())
        for name in self.extensions:
            self.register(name, "SHUTDOWN")
            self.next(name)
        for _ in range(workers):
            self.runtime_next()
        return self


@pytest.fixture
def host():
    return ManagedHost("otel").init(workers=2)


def test_init_is_over_with_the_first_worker():
    """And with the extensions' next; nothing is frozen."""
    host = ManagedHost("otel")
    host.send(core.Init())
    assert host.environment.next_deadline_ms() == host.now_ms + 130_000
    host.register("otel", "SHUTDOWN")
    host.runtime_next()
    assert host.phase == "Init"
    assert kinds(host.next("otel")) == ["platform.extension", "platform.initReport"]
    assert host.phase == "Idle"
    assert host.records("platform.initStart")[0] == {
        "initializationType": "lambda-managed-instances",
        "phase": "init",
    }
    assert not host.environment.is_frozen


@pytest.mark.parametrize("name", ["otel", "internal"])
def test_nobody_may_ask_for_invoke(name):
    host = ManagedHost("otel")
    host.send(core.Init())
    with pytest.raises(core.RemoteLifecycleError, match="INVOKE") as refusal:
        host.register(name, "INVOKE")
    assert refusal.value.error_type == "Extension.InvalidEventType"
    assert host.register(name)[:0] == []


def test_invocations_go_on_side_by_side(host):
    """Each worker has one; they end in whatever order, each with a report of its own."""
    assert kinds(host.invoke("r1")) == ["DeliverInvocation", "platform.start"]
    host.invoke("r2")
    assert host.phase == "Invoke"
    effects = host.respond("r2", produced_bytes=3)
    assert kinds(effects) == ["Respond", "platform.report", "InvocationEnded"]
    (report,) = records(effects, "platform.report")
    assert report["requestId"] == "r2"
    assert set(report["metrics"]) == {"durationMs"}
    assert [span["name"] for span in report["spans"]] == ["responseLatency", "responseDuration"]
    host.send(core.RuntimeInvocationError(request_id="r1", error_type="Mine"))
    effects = host.send(core.RuntimeResponseSent(request_id="r1"))
    assert the(core.Respond, effects).outcome == core.FUNCTION_ERROR
    assert host.phase == "Idle"
    assert not host.records("platform.runtimeDone")


def test_an_invocation_without_a_worker_is_refused(host):
    """Until one calls next again."""
    host.invoke("r1")
    host.send(core.RuntimeWorkerLost())
    answer = the(core.Respond, host.invoke("r2"))
    assert (answer.outcome, answer.error_type) == (core.PLATFORM_ERROR, "Runtime.Unavailable")
    host.runtime_next()
    assert the(core.DeliverInvocation, host.invoke("r3")).request_id == "r3"


def test_a_worker_that_nobody_knows_cannot_be_lost():
    host = ManagedHost().init()
    host.send(core.RuntimeWorkerLost())
    with pytest.raises(core.LocalLifecycleError, match="No worker"):
        host.send(core.RuntimeWorkerLost())


def test_there_are_no_more_workers_than_the_concurrency():
    host = ManagedHost(max_concurrency=2).init(workers=2)
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.runtime_next()
    assert refusal.value.error_type == "Runtime.TooManyIdleRuntimes"


def test_a_timeout_ends_one_invocation_only(host):
    """The runtime goes on: its late answer is 410 once, then unknown."""
    host.invoke("r1")
    host.wait(2000)
    host.invoke("r2")
    assert host.environment.next_deadline_ms() == host.now_ms - 2001 + 3000
    effects = host.wait(1500)
    assert the(core.Respond, effects).error_type == "Sandbox.Timedout"
    assert records(effects, "platform.report")[0]["status"] == "timeout"
    with pytest.raises(core.RemoteLifecycleError) as late:
        host.send(core.RuntimeResponse(request_id="r1"))
    assert (late.value.status, late.value.error_type) == (410, "InvokeTimeout")
    with pytest.raises(core.RemoteLifecycleError) as later:
        host.send(core.RuntimeResponse(request_id="r1"))
    assert (later.value.status, later.value.error_type) == (400, "InvalidRequestID")
    assert the(core.Respond, host.respond("r2")).outcome == core.RESPONSE


def test_what_is_remembered_of_timeouts_is_bounded(monkeypatch):
    monkeypatch.setattr("wrapkit.lifecycle._managed._MAX_REMEMBERED", 1)
    host = ManagedHost().init()
    for request_id in ("r1", "r2"):
        host.invoke(request_id)
        host.wait(3000)
        host.runtime_next()
    statuses = []
    for request_id in ("r1", "r2"):
        with pytest.raises(core.RemoteLifecycleError) as refusal:
            host.send(core.RuntimeResponse(request_id=request_id))
        statuses.append(refusal.value.status)
    assert statuses == [400, 410]


def test_a_second_response_is_an_unknown_request(host):
    """400, where a function without managed instances gets 403."""
    host.invoke("r1")
    host.send(core.RuntimeResponse(request_id="r1"))
    for _ in range(2):
        with pytest.raises(core.RemoteLifecycleError) as refusal:
            host.send(core.RuntimeResponse(request_id="r1"))
        assert (refusal.value.status, refusal.value.error_type) == (400, "InvalidRequestID")
        if host.environment.phase is core.Phase.INVOKE:
            host.send(core.RuntimeResponseSent(request_id="r1"))


@pytest.mark.parametrize("who", ["runtime", "otel"])
def test_an_exit_ends_the_environment(host, who):
    """No reset: who was served hears of it, and nobody is served any more."""
    host.invoke("r1")
    effects = host.runtime_exits() if who == "runtime" else host.extension_exits("otel")
    error_type = "Runtime.ExitError" if who == "runtime" else "Extension.Crash"
    assert the(core.Respond, effects).error_type == error_type
    with pytest.raises(core.LocalLifecycleError):
        host.invoke("r2")
    if who == "runtime":
        assert the(core.DeliverShutdown, effects).reason == "failure"
        ended = host.extension_exits("otel")
    else:
        ended = host.runtime_exits()
    assert core.EnvironmentEnded() in ended
    assert host.phase == "Ended"
    with pytest.raises(core.LocalLifecycleError):
        host.invoke("r3")


def test_invocations_during_init_wait_for_its_end():
    """The first begins it."""
    host = ManagedHost()
    assert "StartRuntime" in kinds(host.invoke("r1"))
    host.invoke("r2")
    with pytest.raises(core.LocalLifecycleError, match="under way"):
        host.invoke("r2")
    effects = host.runtime_next()
    assert the(core.DeliverInvocation, effects).request_id == "r1"
    assert the(core.Respond, effects).request_id == "r2"  # there was one worker


def test_a_failed_init_is_the_answer_of_all_who_wait():
    """The second worker's init/error is refused."""
    host = ManagedHost()
    host.invoke("r1")
    host.invoke("r2")
    host.send(core.RuntimeInitError(error_type="Runtime.ImportModuleError"))
    with pytest.raises(core.RemoteLifecycleError):
        host.send(core.RuntimeInitError(error_type="Runtime.ImportModuleError"))
    effects = host.runtime_exits("exit status 1")
    answers = [effect for effect in effects if isinstance(effect, core.Respond)]
    assert [one.outcome for one in answers] == [core.INIT_ERROR] * 2
    assert core.EnvironmentEnded() in effects


def test_an_init_that_takes_too_long_ends_the_environment():
    host = ManagedHost()
    host.send(core.Init())
    assert records(host.wait(130_000), "platform.initReport")[0]["status"] == "timeout"
    assert core.EnvironmentEnded() in host.runtime_exits()


def test_there_is_no_logs_api(host):
    host = ManagedHost("otel")
    host.send(core.Init())
    host.register("otel", "SHUTDOWN")
    host.send(core.Subscribe(identifier=host.id("otel"), types=("platform",)))
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(core.Subscribe(identifier=host.id("otel"), types=("platform",), api="Logs"))
    assert refusal.value.status == 404


def test_a_shutdown_answers_everybody(host):
    host.invoke("r1")
    host.invoke("r2")
    effects = host.send(core.Shutdown())
    answered = {effect.request_id for effect in effects if isinstance(effect, core.Respond)}
    assert answered == {"r1", "r2"}
    assert kinds(effects)[-1] == "TerminateRuntime"
    host.runtime_next()  # a worker that has not heard of it yet


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Extension.NoConfig", "Extension.NoConfig"),
        ("Extension.noConfig", "Extension.ExitError"),
        ("NoConfig", "Extension.ExitError"),
    ],
)
def test_the_type_that_an_extension_gives_is_kept(host, given, kept):
    """Where it has the form of the platform's; elsewhere it is always Extension.ExitError."""
    host.invoke("r1")
    host.send(core.ExtensionExitError(identifier=host.id("otel"), error_type=given))
    assert the(core.Respond, host.extension_exits("otel")).error_type == kept


requests = st.sampled_from(("r1", "r2", "r3", "r4"))
steps = st.one_of(
    st.integers(1, 4000),
    st.builds(core.Init),
    st.builds(core.Invoke, request_id=requests),
    st.builds(core.Invoke, request_id=requests),
    st.builds(core.RuntimeNext),
    st.builds(core.RuntimeNext),
    st.builds(core.RuntimeWorkerLost),
    st.builds(core.RuntimeResponse, request_id=requests),
    st.builds(core.RuntimeInvocationError, request_id=requests),
    st.builds(core.RuntimeResponseSent, request_id=requests),
    st.builds(core.RuntimeInitError),
    st.sampled_from(("register", "next")),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(steps, min_size=10, max_size=60))
def test_a_managed_environment_keeps_its_promises(sequence):
    """What it refuses changes nothing; each request is answered once; it can be shut down."""
    host = ManagedHost("a", max_concurrency=3)
    open_requests = set()

    def check(effects):
        for effect in effects:
            if isinstance(effect, core.DeliverInvocation):
                open_requests.add(effect.request_id)
            elif isinstance(effect, core.Respond):
                open_requests.discard(effect.request_id)
            assert not isinstance(effect, (core.Freeze, core.DeliverInvoke))

    for step in sequence:
        before = snapshot(host.environment)
        try:
            if isinstance(step, int):
                check(host.wait(step))
                deadline_ms = host.environment.next_deadline_ms()
                assert deadline_ms is None or deadline_ms > host.now_ms
            elif step == "register":
                check(host.register("a", "SHUTDOWN"))
            elif step == "next":
                check(host.next("a"))
            else:
                check(host.send(step))
        except core.LifecycleError:
            assert snapshot(host.environment) == before
        assert len(host.environment._requests) == len(open_requests)
        assert repr(host.environment)
    if host.environment.phase not in (core.Phase.SHUTDOWN, core.Phase.ENDED):
        check(host.send(core.Shutdown()))
    assert not open_requests
