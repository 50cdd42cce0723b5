"""Shutdown: first the runtime, then the extensions, all of it in 0, 500 or 2000 ms."""

import pytest

from tests.lifecycle._host import Host, kinds, records, the
from wrapkit import lifecycle as core


def test_without_extensions_the_runtime_is_killed_without_sigterm():
    host = Host().init()
    assert host.send(core.Shutdown()) == [core.Thaw(), core.KillRuntime()]
    assert host.environment.next_deadline_ms() is None
    assert host.runtime_exits() == [core.EnvironmentEnded()]
    assert host.phase == "Ended"


def test_with_an_internal_extension_the_runtime_has_500_ms():
    host = Host()
    host.send(core.Init())
    host.register("hook", "INVOKE")
    host.next("hook")
    host.runtime_next()
    assert kinds(host.send(core.Shutdown())) == ["Thaw", "TerminateRuntime"]
    assert host.environment.next_deadline_ms() == host.now_ms + 500
    assert host.wait(500) == [core.KillRuntime()]
    assert host.runtime_exits() == [core.EnvironmentEnded()]


def test_extensions_hear_of_the_shutdown_when_the_runtime_is_gone():
    """Their deadline is that of the whole shutdown, 2000 ms after its begin."""
    host = Host("otel").init()
    assert kinds(host.send(core.Shutdown(reason="spindown"))) == ["Thaw", "TerminateRuntime"]
    begun_ms = host.now_ms
    assert host.environment.next_deadline_ms() == begun_ms + 300
    assert host.runtime_exits("signal: terminated") == [
        core.DeliverShutdown(
            extension="otel",
            identifier=host.id("otel"),
            reason="spindown",
            deadline_ms=int(begun_ms) + 2000,
        )
    ]
    assert host.environment.next_deadline_ms() == begun_ms + 2000
    assert host.extension_exits("otel") == [core.EnvironmentEnded()]


def test_a_runtime_that_ignores_sigterm_is_killed_after_its_share():
    host = Host("otel").init()
    host.send(core.Shutdown())
    assert host.wait(300) == [core.KillRuntime()]
    assert "DeliverShutdown" in kinds(host.runtime_exits())


def test_an_extension_that_stays_is_killed_at_the_deadline():
    host = Host("otel").init()
    host.send(core.Shutdown())
    host.runtime_exits()
    host.next("otel")  # confirms nothing: only its exit does
    assert host.wait(2000) == [core.KillExtension(extension="otel")]
    state = host.environment.extension_state("otel")
    assert state is core.ExtensionState.SHUTDOWN_FAILED
    assert host.environment.next_deadline_ms() is None
    assert host.extension_exits("otel", "signal: killed") == [core.EnvironmentEnded()]


def test_a_late_driver_kills_everybody_at_once():
    """The deadlines that have passed are all worked off."""
    host = Host("otel").init()
    host.send(core.Shutdown())
    assert host.wait(5000) == [core.KillRuntime(), core.KillExtension(extension="otel")]
    assert host.runtime_exits() == []
    assert host.extension_exits("otel") == [core.EnvironmentEnded()]


def test_extensions_that_take_no_shutdown_are_killed_at_once():
    """Not subscribed, or announced to exit."""
    host = Host("deaf", "broken", "good")
    host.send(core.Init())
    host.register("deaf", "INVOKE")
    host.register("broken", "SHUTDOWN")
    host.register("good", "SHUTDOWN")
    for name in host.extensions:
        host.next(name)
    host.runtime_next()
    call = core.ExtensionExitError(identifier=host.id("broken"), error_type="Extension.Broken")
    host.send(call)
    host.send(core.Shutdown())
    effects = host.runtime_exits()
    assert kinds(effects) == ["KillExtension", "KillExtension", "DeliverShutdown"]
    host.extension_exits("deaf", "signal: killed")
    host.extension_exits("broken", "signal: killed")
    assert host.extension_exits("good") == [core.EnvironmentEnded()]


def test_an_extension_that_is_busy_gets_shutdown_with_its_next():
    """And gets it once: a further next waits for ever."""
    host = Host("otel").init()
    host.invoke()
    host.runtime_exits()
    assert the(core.DeliverShutdown, host.next("otel")).reason == "failure"
    assert host.next("otel") == []


def test_a_next_before_the_runtime_is_gone_waits_for_that():
    host = Host("otel").init()
    host.invoke()
    host.send(core.Shutdown())
    assert host.next("otel") == []
    assert "DeliverShutdown" in kinds(host.runtime_exits())


def test_a_launch_that_fails_during_the_shutdown_is_one_process_less():
    host = Host("otel")
    host.send(core.Init())
    effects = host.send(core.Shutdown())
    assert core.KillExtension(extension="otel") in effects
    failed = core.LaunchFailed(extension="otel", reason="no such file")
    assert host.send(failed) == [core.EnvironmentEnded()]


def test_an_invocation_that_is_cut_off_is_answered():
    host = Host().init()
    host.invoke()
    effects = host.send(core.Shutdown())
    assert kinds(effects) == ["platform.runtimeDone", "Respond", "KillRuntime"]
    (done,) = records(effects, "platform.runtimeDone")
    assert (done["status"], done["errorType"]) == ("failure", "Sandbox.Failure")
    effects = host.runtime_exits()
    assert kinds(effects) == ["platform.report", "InvocationEnded", "EnvironmentEnded"]
    assert records(effects, "platform.report")[0]["status"] == "failure"


def test_an_invocation_that_waits_is_answered_too():
    host = Host()
    host.send(core.Init())
    host.invoke()
    effects = host.send(core.Shutdown())
    assert kinds(effects) == [
        "platform.initRuntimeDone",
        "platform.initReport",
        "Respond",
        "InvocationEnded",
        "KillRuntime",
    ]
    assert the(core.Respond, effects).error_type == "Sandbox.Failure"


def test_a_shutdown_during_a_reset_makes_it_the_last():
    host = Host("otel").init()
    host.runtime_exits()
    assert host.send(core.Shutdown()) == []
    with pytest.raises(core.LocalLifecycleError, match="no more"):
        host.invoke()
    assert host.extension_exits("otel") == [core.EnvironmentEnded()]


def test_an_empty_environment_ends_at_once():
    host = Host("otel")
    assert host.send(core.Shutdown()) == [core.EnvironmentEnded()]
    with pytest.raises(core.LocalLifecycleError, match="no more"):
        host.invoke()
    with pytest.raises(core.LocalLifecycleError, match="Ended"):
        host.send(core.Shutdown())


def test_an_unknown_reason_is_the_drivers_mistake():
    host = Host().init()
    with pytest.raises(core.LocalLifecycleError, match="SPINDOWN"):
        host.send(core.Shutdown(reason="SPINDOWN"))
    assert host.phase == "Idle"
