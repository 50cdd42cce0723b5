"""Failures: the caller is told, the environment is reset, the next invocation initialises anew."""

import pytest

from tests.lifecycle._host import Host, kinds, records, the
from wrapkit import lifecycle as core


def fail_by_timeout(host):
    return host.wait(host.environment.next_deadline_ms() - host.now_ms)


def test_a_timeout_answers_the_caller_and_resets_with_shutdown_timeout():
    host = Host("otel").init()
    host.invoke()
    effects = fail_by_timeout(host)
    assert kinds(effects) == ["platform.runtimeDone", "Respond", "TerminateRuntime"]
    (done,) = records(effects, "platform.runtimeDone")
    assert (done["status"], "errorType" in done) == ("timeout", False)
    assert effects[1] == core.Respond(
        request_id="r1",
        outcome=core.PLATFORM_ERROR,
        error_type="Sandbox.Timedout",
        message="RequestId: r1 Error: Task timed out after 3.00 seconds",
    )
    host.runtime_exits()
    assert the(core.DeliverShutdown, host.next("otel")).reason == "timeout"
    effects = host.extension_exits("otel")
    assert kinds(effects) == ["platform.report", "InvocationEnded", "EnvironmentReset"]
    (report,) = records(effects, "platform.report")
    assert report["status"] == "timeout"
    assert report["metrics"]["durationMs"] == 3000.0
    assert kinds(host.invoke("r2")) == ["platform.initStart", "LaunchExtension"]


def test_the_function_timeout_covers_the_extensions():
    """The caller has its answer and gets no second one, and runtimeDone has been told."""
    host = Host("otel").init()
    host.invoke()
    host.respond()
    host.runtime_next()
    effects = fail_by_timeout(host)
    assert kinds(effects) == ["TerminateRuntime"]
    host.runtime_exits()
    host.next("otel")
    host.extension_exits("otel")
    assert host.records("platform.report")[0]["status"] == "timeout"
    assert "spans" not in host.records("platform.report")[0]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ("exit status 1", "Runtime exited with error: exit status 1"),
        ("signal: killed", "Runtime exited with error: signal: killed"),
        ("exit status 0", "Runtime exited without providing a reason"),
    ],
)
def test_a_runtime_that_exits_fails_the_invocation(status, text):
    host = Host("otel").init()
    host.invoke()
    host.next("otel")
    effects = host.runtime_exits(status)
    assert kinds(effects) == ["platform.runtimeDone", "Respond", "DeliverShutdown"]
    (done,) = records(effects, "platform.runtimeDone")
    assert (done["status"], done["errorType"]) == ("error", "Runtime.ExitError")
    assert effects[1].error_type == "Runtime.ExitError"
    assert effects[1].message == f"RequestId: r1 Error: {text}"
    assert effects[2].reason == "failure"
    host.extension_exits("otel")
    (report,) = host.records("platform.report")
    assert (report["status"], report["errorType"]) == ("error", "Runtime.ExitError")


def test_the_driver_may_know_better_why_the_runtime_is_gone():
    host = Host().init()
    host.invoke()
    effects = host.runtime_exits("signal: killed", error_type="Runtime.OutOfMemory")
    assert the(core.Respond, effects).error_type == "Runtime.OutOfMemory"


def test_a_runtime_that_exits_after_its_response_fails_but_the_caller_is_served():
    host = Host().init()
    host.invoke()
    host.respond()
    effects = host.runtime_exits("exit status 1")
    assert kinds(effects) == [
        "platform.runtimeDone",
        "platform.report",
        "InvocationEnded",
        "EnvironmentReset",
    ]
    assert records(effects, "platform.runtimeDone")[0]["status"] == "error"


def test_a_body_that_ends_after_its_runtime_is_refused_not_an_error_of_the_driver():
    """The exit and the end of the connection are seen in any order."""
    host = Host("otel").init()
    host.invoke()
    host.send(core.RuntimeResponse(request_id="r1"))
    assert the(core.Respond, host.runtime_exits()).error_type == "Runtime.ExitError"
    sent = core.RuntimeResponseSent(request_id="r1", error_type="Runtime.TruncatedResponse")
    with pytest.raises(core.RemoteLifecycleError):
        host.send(sent)


def test_a_response_after_the_timeout_reaches_nobody():
    """The runtime has its share of the shutdown to go on in."""
    host = Host("otel").init()
    host.invoke()
    fail_by_timeout(host)
    assert host.respond() == []
    assert host.runtime_next() == []
    host.runtime_exits()
    assert len(host.records("platform.runtimeDone")) == 1


def test_asking_again_during_the_reset_delivers_nothing():
    host = Host("otel").init()
    host.invoke()
    fail_by_timeout(host)
    assert host.runtime_next() == []


@pytest.mark.parametrize(
    ("status", "text"),
    [("exit status 0", "exit code 0"), ("exit status 2", "exit status 2")],
)
def test_an_extension_that_exits_in_an_invocation_is_a_crash(status, text):
    """With any exit status, 0 included."""
    host = Host("otel").init()
    host.invoke()
    effects = host.extension_exits("otel", status)
    answer = the(core.Respond, effects)
    assert answer.error_type == "Extension.Crash"
    assert answer.message == f"RequestId: r1 Error: {text}"
    assert kinds(effects)[-1] == "TerminateRuntime"
    assert host.runtime_exits()[-1] == core.EnvironmentReset()


def test_an_announced_exit_error_names_the_failure():
    """The call alone ends nothing: the process has to exit, as AWS's emulator has it."""
    host = Host("otel").init()
    host.invoke()
    call = core.ExtensionExitError(identifier=host.id("otel"), error_type="Extension.Broken")
    assert host.send(call) == []
    host.respond()
    host.runtime_next()
    assert host.phase == "Invoke"
    host.extension_exits("otel", "exit status 1")
    host.runtime_exits()
    assert host.records("platform.report")[0]["errorType"] == "Extension.ExitError"


def test_an_extension_that_announced_its_exit_gets_no_further_event():
    host = Host("otel").init()
    call = core.ExtensionExitError(identifier=host.id("otel"), error_type="Extension.Broken")
    host.send(call)
    assert "DeliverInvoke" not in kinds(host.invoke())
    host.respond()
    host.runtime_next()
    effects = fail_by_timeout(host)
    assert kinds(effects) == ["TerminateRuntime"]


@pytest.mark.parametrize("call", [core.ExtensionInitError, core.ExtensionExitError])
def test_an_internal_extensions_error_fails_the_environment_at_once(call):
    """It has no process whose exit could follow."""
    host = Host()
    host.send(core.Init())
    host.register("hook", "INVOKE")
    effects = host.send(call(identifier=host.id("hook"), error_type="Extension.Hook"))
    assert records(effects, "platform.extension")[0]["errorType"] == "Extension.Hook"
    (report,) = records(effects, "platform.initReport")
    assert report["errorType"] in ("Extension.InitError", "Extension.ExitError")
    assert effects[-1] == core.TerminateRuntime()


def test_an_internal_extensions_error_during_the_shutdown_changes_nothing():
    host = Host()
    host.send(core.Init())
    host.register("hook", "INVOKE")
    host.send(core.Shutdown())
    call = core.ExtensionExitError(identifier=host.id("hook"), error_type="Extension.Hook")
    assert host.send(call) == []


def test_the_first_failure_counts():
    """What follows is the reset's doing."""
    host = Host("a", "b").init()
    host.invoke()
    host.extension_exits("a", "exit status 1")
    assert host.extension_exits("b", "exit status 2") == []
    host.runtime_exits("exit status 3")
    assert len([e for e in host.effects if isinstance(e, core.Respond)]) == 1
    assert host.records("platform.report")[0]["errorType"] == "Extension.Crash"


def test_a_process_that_exits_between_invocations_resets_the_environment():
    host = Host("otel").init()
    effects = host.runtime_exits("exit status 1")
    assert kinds(effects) == ["Thaw", "DeliverShutdown"]
    assert host.extension_exits("otel") == [core.EnvironmentReset()]


def test_an_invocation_during_the_reset_waits_for_its_end():
    host = Host("otel").init()
    host.invoke("r1")
    host.extension_exits("otel")
    assert host.invoke("r2") == []
    effects = host.runtime_exits()
    assert kinds(effects) == [
        "platform.report",
        "InvocationEnded",
        "EnvironmentReset",
        "platform.initStart",
        "LaunchExtension",
    ]


def test_the_reset_is_charged_up_to_the_function_timeout():
    host = Host("otel").init()
    host.invoke()
    host.runtime_exits()
    host.wait(500)
    host.next("otel")
    host.wait(1000)
    host.extension_exits("otel")
    assert host.records("platform.report")[0]["metrics"]["durationMs"] == 1503.0


def test_a_reset_that_outlasts_the_function_timeout_is_charged_no_further():
    host = Host("otel", function_timeout_ms=1000).init()
    host.invoke()
    host.runtime_exits()
    host.wait(2000)
    host.extension_exits("otel", "signal: killed")
    assert host.records("platform.report")[0]["metrics"]["durationMs"] == 1000.0


def test_the_init_of_an_environment_that_was_reset_is_not_reported():
    """Its duration belongs to no invocation; the repeated init is within the next one's."""
    host = Host().init()
    host.runtime_exits()
    host.invoke()
    host.runtime_next()
    host.respond()
    host.runtime_next()
    assert "initDurationMs" not in host.records("platform.report")[0]["metrics"]


def test_a_process_cannot_exit_twice():
    host = Host("otel").init()
    host.runtime_exits()
    with pytest.raises(core.LocalLifecycleError, match="Exited"):
        host.runtime_exits()
    host.invoke()
    host.extension_exits("otel")
    with pytest.raises(core.LocalLifecycleError, match="No process"):
        host.send(core.ExtensionExited(extension="stranger", status="exit status 0"))
