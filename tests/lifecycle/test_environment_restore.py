"""Restore: an environment that was initialised for a snapshot, and goes on from it."""

import pytest

from tests.lifecycle._host import Host, kinds, records, the
from wrapkit import lifecycle as core


@pytest.fixture
def host():
    """An environment whose snapshot has been taken."""
    host = Host("otel", initialization_type="snap-start")
    host.send(core.Init())
    host.register("otel", "INVOKE", "SHUTDOWN")
    host.next("otel")
    host.send(core.RuntimeRestoreNext())
    assert host.phase == "Idle"
    assert host.environment.is_frozen
    return host


def test_the_snapshot_is_taken_when_the_runtime_waits_for_the_restore(host):
    assert host.records("platform.initStart")[0]["phase"] == "snap-start"
    assert host.records("platform.initRuntimeDone")[0]["status"] == "success"


def test_a_restore_runs_the_runtimes_hooks(host):
    """They end with the runtime's next; what they took is in the first report."""
    assert kinds(host.send(core.Restore())) == [
        "Thaw",
        "platform.restoreStart",
        "DeliverRestore",
    ]
    assert host.environment.next_deadline_ms() == host.now_ms + 10_000
    effects = host.runtime_next(after_ms=120)
    assert kinds(effects) == ["platform.restoreRuntimeDone", "platform.restoreReport", "Freeze"]
    assert records(effects, "platform.restoreReport") == [
        {"status": "success", "metrics": {"durationMs": 120.0}}
    ]
    host.invoke()
    host.respond()
    host.runtime_next()
    host.next("otel")
    (report,) = host.records("platform.report")
    assert report["metrics"] == {
        "durationMs": 4.0,
        "billedDurationMs": 124,
        "restoreDurationMs": 120.0,
    }


def test_an_invocation_restores_first(host):
    assert kinds(host.invoke()) == ["Thaw", "platform.restoreStart", "DeliverRestore"]
    effects = host.runtime_next()
    assert the(core.DeliverInvocation, effects).request_id == "r1"


def test_a_runtime_without_restore_hooks_is_restored_at_once():
    host = Host(initialization_type="snap-start").init()
    assert kinds(host.send(core.Restore())) == [
        "Thaw",
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "Freeze",
    ]


def test_a_restore_error_resets_when_the_process_exits(host):
    host.send(core.Restore())
    assert host.send(core.RuntimeRestoreError(error_type="Runtime.AfterRestoreError")) == []
    effects = host.runtime_exits("exit status 65")
    assert kinds(effects) == [
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "DeliverShutdown",
    ]
    (report,) = records(effects, "platform.restoreReport")
    assert report["status"] == "error"
    assert report["errorType"] == "Runtime.AfterRestoreError"


def test_a_restore_past_its_timeout_resets(host):
    host.send(core.Restore())
    effects = host.wait(10_000)
    assert records(effects, "platform.restoreReport")[0]["status"] == "timeout"
    assert kinds(effects)[-1] == "TerminateRuntime"


@pytest.mark.parametrize("how", ["timeout", "error"])
def test_who_waits_for_a_restore_hears_of_its_failure(host, how):
    """As an error of the Invoke API; nothing of the invocation has begun."""
    host.invoke()
    if how == "timeout":
        effects = host.wait(10_000)
    else:
        host.send(core.RuntimeRestoreError(error_type="Runtime.AfterRestoreError"))
        effects = host.runtime_exits("exit status 65")
    error_types = {"timeout": "SnapStartTimeoutException", "error": "SnapStartException"}
    assert the(core.Respond, effects).error_type == error_types[how]
    assert the(core.InvocationEnded, effects).request_id == "r1"
    assert not host.records("platform.start")
    assert host.environment.request_id is None


def test_a_repeated_init_makes_no_snapshot(host):
    """So the runtime's wait for the restore is over at once."""
    host.send(core.Restore())
    host.runtime_exits()
    host.extension_exits("otel")
    host.invoke()
    assert host.phase == "Invoke"
    host.register("otel", "INVOKE")
    host.next("otel")
    assert the(core.DeliverRestore, host.send(core.RuntimeRestoreNext()))
    assert the(core.DeliverInvocation, host.runtime_next()).request_id == "r1"
    assert len(host.records("platform.restoreStart")) == 1


def test_there_is_no_restore_without_snap_start():
    host = Host()
    host.send(core.Init())
    with pytest.raises(core.RemoteLifecycleError) as refusal:
        host.send(core.RuntimeRestoreNext())
    assert refusal.value.status == 404
    host.runtime_next()
    with pytest.raises(core.LocalLifecycleError, match="on-demand"):
        host.send(core.Restore())
    with pytest.raises(core.RemoteLifecycleError):
        host.send(core.RuntimeRestoreError())
