"""Init: extensions in parallel, then the runtime, until everybody has called next."""

import pytest

from tests.lifecycle._host import Host, kinds, records, the
from wrapkit import lifecycle as core


def test_extensions_are_launched_together_and_before_the_runtime():
    """The runtime waits for every external's registration."""
    host = Host("a", "b")
    assert kinds(host.send(core.Init())) == [
        "platform.initStart",
        "LaunchExtension",
        "LaunchExtension",
    ]
    assert host.register("b", "INVOKE") == []
    assert host.register("a") == [core.StartRuntime()]


def test_without_extensions_the_runtime_starts_at_once():
    assert kinds(Host().send(core.Init())) == ["platform.initStart", "StartRuntime"]


def test_init_ends_when_the_runtime_and_every_extension_called_next():
    """A slow extension delays the function; the last one decides."""
    host = Host("a", "b")
    host.send(core.Init())
    host.register("a", "INVOKE")
    host.register("b", "SHUTDOWN")
    host.next("a")
    assert kinds(host.runtime_next()) == ["platform.initRuntimeDone"]
    assert host.phase == "Init"
    assert kinds(host.next("b", after_ms=1000)) == [
        "platform.extension",
        "platform.extension",
        "platform.initReport",
        "Freeze",
    ]
    assert host.phase == "Idle"
    assert host.records("platform.extension")[0] == {
        "name": "a",
        "state": "Ready",
        "events": ["INVOKE"],
    }
    (report,) = host.records("platform.initReport")
    assert report == {
        "initializationType": "on-demand",
        "phase": "init",
        "status": "success",
        "metrics": {"durationMs": 1004.0},
    }


def test_an_internal_extension_is_waited_for_as_well():
    """Whoever registers has to call next, or the init never ends."""
    host = Host()
    host.send(core.Init())
    host.register("hook", "INVOKE")
    host.runtime_next()
    assert host.phase == "Init"
    host.next("hook")
    assert host.phase == "Idle"


def test_an_invocation_during_init_waits_for_its_end():
    """On demand, the environment is made for an invocation that is there already."""
    host = Host()
    host.send(core.Init())
    assert host.invoke() == []
    effects = host.runtime_next()
    assert "Freeze" not in kinds(effects)
    assert the(core.DeliverInvocation, effects).deadline_ms == int(host.now_ms) + 3000


def test_the_first_invocation_of_a_new_environment_begins_its_init():
    """Its phase is a proper init, which is reported as Init Duration."""
    host = Host()
    assert kinds(host.invoke()) == ["platform.initStart", "StartRuntime"]
    host.runtime_next(after_ms=200)
    host.respond()
    host.runtime_next()
    (report,) = host.records("platform.report")
    assert report["metrics"] == {
        "durationMs": 3.0,
        "billedDurationMs": 203,
        "initDurationMs": 200.0,
    }


def test_a_second_init_is_the_drivers_mistake():
    host = Host().init()
    with pytest.raises(core.LocalLifecycleError, match="Idle"):
        host.send(core.Init())


def test_an_unknown_initialization_type_is_the_drivers_mistake():
    with pytest.raises(core.LocalLifecycleError, match="lambda-managed"):
        Host(initialization_type="lambda-managed-instances")


def test_a_function_without_time_is_the_drivers_mistake():
    with pytest.raises(core.LocalLifecycleError, match="0 ms"):
        Host(function_timeout_ms=0)


def test_a_runtime_that_dies_in_init_fails_it():
    """The environment is reset, and the next invocation repeats the init on its own time."""
    host = Host("otel")
    host.send(core.Init())
    host.register("otel", "INVOKE", "SHUTDOWN")
    host.next("otel")
    effects = host.runtime_exits("exit status 1")
    (done,) = records(effects, "platform.initRuntimeDone")
    assert (done["status"], done["errorType"]) == ("error", "Runtime.ExitError")
    (report,) = records(effects, "platform.initReport")
    assert (report["status"], report["errorType"]) == ("error", "Runtime.ExitError")
    assert the(core.DeliverShutdown, effects).reason == "failure"
    assert host.extension_exits("otel") == [core.EnvironmentReset()]
    assert host.phase == "Empty"

    effects = host.invoke()
    assert kinds(effects) == ["platform.initStart", "LaunchExtension"]
    assert records(effects, "platform.initStart")[0]["phase"] == "invoke"
    host.become_ready()
    host.respond()
    host.runtime_next()
    host.next("otel")
    (report,) = host.records("platform.report")
    assert "initDurationMs" not in report["metrics"]
    assert report["metrics"]["durationMs"] == 7.0


def test_init_error_alone_ends_nothing():
    """The platform waits for the process to exit; every other call is refused meanwhile."""
    host = Host()
    host.send(core.Init())
    assert host.send(core.RuntimeInitError(error_type="Runtime.ImportModuleError")) == []
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.runtime_next()
    assert refusal.value.error_type == "InvalidStateTransition"
    (done,) = records(host.runtime_exits("exit status 1"), "platform.initRuntimeDone")
    assert done["errorType"] == "Runtime.ImportModuleError"


def test_the_second_init_error_is_what_the_caller_gets():
    """The first one is tried again inside the invocation."""
    host = Host()
    host.send(core.Init())
    host.invoke()
    host.send(core.RuntimeInitError(error_type="Runtime.ImportModuleError"))
    effects = host.runtime_exits("exit status 1")
    assert "Respond" not in kinds(effects)
    assert kinds(effects)[-3:] == ["EnvironmentReset", "platform.initStart", "StartRuntime"]

    host.send(core.RuntimeInitError(error_type="Runtime.ImportModuleError"))
    effects = host.runtime_exits("exit status 1")
    answer = the(core.Respond, effects)
    assert answer.outcome == core.INIT_ERROR
    assert answer.error_type == "Runtime.ImportModuleError"
    assert answer.message == ""
    assert kinds(effects) == [
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.start",
        "platform.runtimeDone",
        "Respond",
        "platform.report",
        "InvocationEnded",
        "EnvironmentReset",
    ]


@pytest.mark.parametrize(
    ("header", "error_type"),
    [
        ("Runtime.NoSuchHandler", "Runtime.NoSuchHandler"),
        ("Function.Oops", "Function.Oops"),
        ("x-Runtime.Oops", "x-Runtime.Oops"),
        ("Runtime.X", "Runtime.Unknown"),
        ("Runtime.9x", "Runtime.Unknown"),
        ("Function.oops", "Function.Unknown"),
        ("Function.", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        (None, "Runtime.Unknown"),
    ],
)
def test_the_runtimes_error_type_is_filtered_as_the_platform_does(header, error_type):
    host = Host()
    host.send(core.Init())
    host.send(core.RuntimeInitError(error_type=header))
    (done,) = records(host.runtime_exits(), "platform.initRuntimeDone")
    assert done["errorType"] == error_type


def test_an_init_past_its_timeout_is_given_up():
    """After 10 s; no error type comes with a timeout."""
    host = Host("otel")
    host.send(core.Init())
    assert host.environment.next_deadline_ms() == host.now_ms + 10_000
    assert host.wait(9_999) == []
    effects = host.wait(1)
    (report,) = records(effects, "platform.initReport")
    assert (report["status"], report["metrics"]) == ("timeout", {"durationMs": 10000.0})
    assert "errorType" not in report
    assert kinds(effects)[-1] == "KillExtension"
    assert host.phase == "Shutdown"


def test_a_repeated_init_is_on_the_invocations_time():
    """The function timeout covers it; its own 10 s do not count."""
    host = Host(function_timeout_ms=15_000)
    host.send(core.Init())
    host.invoke()
    host.wait(10_000)
    begun_ms = host.now_ms + 1
    effects = host.runtime_exits()
    assert records(effects, "platform.initStart") == [
        {"initializationType": "on-demand", "phase": "invoke"}
    ]
    assert host.environment.next_deadline_ms() == begun_ms + 15_000
    effects = host.wait(15_000)
    answer = the(core.Respond, effects)
    assert answer.error_type == "Sandbox.Timedout"
    assert answer.message == "RequestId: r1 Error: Task timed out after 15.00 seconds"
    assert records(effects, "platform.initReport")[0]["status"] == "timeout"
    host.runtime_exits()
    assert host.records("platform.report")[0]["metrics"]["durationMs"] == 15_000.0


def test_an_extension_that_cannot_be_launched_fails_the_init():
    """The runtime is not started, and the other extension is killed: it never registered."""
    host = Host("good", "bad")
    host.send(core.Init())
    effects = host.send(core.LaunchFailed(extension="bad", reason="permission denied"))
    assert "StartRuntime" not in kinds(effects)
    assert core.KillExtension(extension="good") in effects
    assert records(effects, "platform.extension")[1] == {
        "name": "bad",
        "state": "LaunchError",
        "events": [],
        "errorType": "Extension.LaunchError",
    }
    assert records(effects, "platform.initReport")[0]["errorType"] == "Extension.LaunchError"
    assert host.extension_exits("good", "signal: killed") == [core.EnvironmentReset()]


def test_more_externals_than_the_limit_fail_the_init_before_any_is_launched():
    host = Host(*(f"e{n}" for n in range(11)))
    effects = host.send(core.Init())
    assert "LaunchExtension" not in kinds(effects)
    (report,) = records(effects, "platform.initReport")
    assert report["errorType"] == "Extension.TooManyExtensions"
    states = [record["state"] for record in records(effects, "platform.extension")]
    assert states == ["Started"] * 10 + ["LaunchError"]
    assert effects[-1] == core.EnvironmentReset()


@pytest.mark.parametrize("status", ["exit status 0", "exit status 3"])
def test_an_extension_that_exits_in_init_is_a_crash(status):
    """Whatever its exit status."""
    host = Host("otel")
    host.send(core.Init())
    host.register("otel")
    effects = host.extension_exits("otel", status)
    assert records(effects, "platform.initReport")[0]["errorType"] == "Extension.Crash"
    assert host.environment.extension_state("otel") is core.ExtensionState.EXITED
    assert core.KillRuntime() not in effects
    assert core.TerminateRuntime() in effects


def test_an_announced_init_error_names_the_failure():
    host = Host("otel")
    host.send(core.Init())
    host.register("otel")
    call = core.ExtensionInitError(identifier=host.id("otel"), error_type="Extension.NoKey")
    assert host.send(call) == []
    again = core.ExtensionInitError(identifier=host.id("otel"), error_type="Extension.Other")
    assert host.send(again) == []
    effects = host.extension_exits("otel", "exit status 1")
    (record,) = records(effects, "platform.extension")
    assert record["errorType"] == "Extension.NoKey"
    assert records(effects, "platform.initReport")[0]["errorType"] == "Extension.InitError"


def test_provisioned_concurrency_has_more_time_and_reports_its_init():
    host = Host(initialization_type="provisioned-concurrency")
    host.send(core.Init())
    assert host.environment.next_deadline_ms() == host.now_ms + 130_000
    host.runtime_next(after_ms=20_000)
    host.invoke()
    host.respond()
    host.runtime_next()
    assert host.records("platform.report")[0]["metrics"]["initDurationMs"] == 20_000.0


def test_the_init_timeout_can_be_set():
    host = Host(init_timeout_ms=50)
    host.send(core.Init())
    assert host.environment.next_deadline_ms() == host.now_ms + 50
