"""Real extension processes: gates, events, failures and the Shutdown phase.

Numbers in parentheses are those of the platform's conformance cases, as in tests/conformance.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from tests.emulator.environments import Watched, gated, is_running, run, until

HANDLER = "def handler(event, context):\n    print('handled')\n    return 'done'"
ORDINARY = """
me.register("INVOKE", "SHUTDOWN")
event = me.next_event()
while event["eventType"] != "SHUTDOWN":
    say("seen", event["requestId"])
    event = me.next_event()
say("bye", event["shutdownReason"])
"""


def test_events_reach_an_extension(deployment, isolation):
    """INVOKE with each invocation, SHUTDOWN at the end, and a good exit."""
    deployment.handler(HANDLER).extension("watcher", ORDINARY)

    async def scenario():
        async with Watched(deployment.function(), isolation=isolation) as environment:
            init = await environment.init()
            result = await environment.invoke(b"{}")
            usage = environment.usage()
            return environment, init, result, usage, await environment.shutdown()

    environment, init, result, usage, ended = run(scenario())
    watcher = init.extensions["watcher"]
    assert 0 < watcher.exec_ms < watcher.registered_ms < watcher.next_ms <= init.duration_ms
    assert watcher.registered_ms < init.runtime.exec_ms
    assert watcher.cpu_ms > 0
    assert watcher.rss_bytes > 1_000_000
    assert result.post_runtime_extensions_duration_ms >= 0
    assert set(result.cpu_ms) == {"runtime", "watcher"}
    assert set(result.next_ms) == {"runtime", "watcher"}
    assert result.next_ms["runtime"] >= result.response_latency_ms
    assert set(usage) == {"runtime", "watcher"}
    assert usage["watcher"].cpu_ms > watcher.cpu_ms
    assert usage["watcher"].max_resident_bytes >= usage["watcher"].resident_bytes > 1_000_000
    assert "EXTENSION\tName: watcher\tState: Ready\tEvents: [INVOKE,SHUTDOWN]" in environment.lines
    assert f"seen {result.request_id}" in environment.lines
    assert environment.lines[-1] == "bye spindown"
    assert ended.statuses["watcher"] == "exit status 0"
    assert ended.killed == ()
    assert 0 < ended.exited_ms["watcher"] <= ended.duration_ms


@pytest.mark.case(19)
def test_the_invoke_event_is_the_runtimes(deployment):
    """The same request id, deadline, ARN and trace as the runtime's headers (conformance 19)."""
    deployment.runtime("""
me = Party()
id, headers, _ = me.next_invocation()
me.respond(id, json.dumps({
    "requestId": id,
    "deadlineMs": int(headers["Lambda-Runtime-Deadline-Ms"]),
    "invokedFunctionArn": headers["Lambda-Runtime-Invoked-Function-Arn"],
    "tracing": {"type": "X-Amzn-Trace-Id", "value": headers["Lambda-Runtime-Trace-Id"]},
    "eventType": "INVOKE",
}))
me.next_invocation()
""").extension(
        "watcher",
        "me.register('INVOKE')\nsay(json.dumps(me.next_event()))\nme.next_event()",
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            result = await environment.invoke(b"{}", trace_header="Root=1-a;Parent=b;Sampled=0")
            return environment, json.loads(result.payload)

    environment, expected = run(scenario())
    (seen,) = [json.loads(line) for line in environment.lines if line.startswith("{")]
    assert seen == expected


@pytest.mark.case(14)
def test_the_runtime_waits_for_registrations(deployment):
    """The runtime's process is not started before every external has registered (14)."""
    deployment.handler("print('runtime is here')\n" + HANDLER).extension(
        "slow", "pass_gate('before register')\n" + ORDINARY
    ).extension("fast", ORDINARY)

    async def scenario():
        async with gated(deployment) as (environment, gates):
            init = asyncio.ensure_future(environment.init())
            await gates.reached("before register")
            await until(lambda: "fast" in environment._host.progress._extensions)
            assert environment._host.processes.pid("runtime") is None
            await gates.open("before register")
            return await init

    init = run(scenario())
    assert init.status == "success"
    assert init.extensions["slow"].registered_ms <= init.runtime.exec_ms


@pytest.mark.case(17)
def test_the_caller_does_not_wait_for_extensions(deployment):
    """The answer comes at once; the invocation ends when the extension is done (17)."""
    deployment.handler(HANDLER).extension(
        "busy",
        """
me.register("INVOKE")
while True:
    me.next_event()
    pass_gate("busy")
""",
    )

    async def scenario():
        async with gated(deployment) as (environment, gates):
            await environment.init()
            invocation = asyncio.ensure_future(environment.invoke(b"{}"))
            await gates.reached("busy")
            await until(lambda: "platform.runtimeDone" in environment.types())
            before = environment.types()
            await gates.open("busy")
            return before, await invocation

    before, result = run(scenario())
    assert "platform.report" not in before
    assert result.post_runtime_extensions_duration_ms > 0
    assert result.response_latency_ms < result.duration_ms
    assert result.duration_ms >= result.post_runtime_extensions_duration_ms


def test_an_extension_that_never_calls_next_lets_the_function_time_out(deployment):
    """The caller has its answer, the invocation times out, and the next one starts anew (18)."""
    deployment.handler(HANDLER).extension(
        "stuck",
        """
me.register("INVOKE", "SHUTDOWN")
me.next_event()
say("stuck")
import signal; signal.pause()
""",
    )

    async def scenario():
        async with Watched(deployment.function(timeout_ms=300)) as environment:
            first = await environment.invoke(b"{}")
            second = await environment.invoke(b"{}")
            return environment, first, second

    environment, first, second = run(scenario())
    assert (json.loads(first.payload), first.function_error) == ("done", None)
    assert (first.status, first.duration_ms) == ("timeout", 300.0)
    assert second.init_duration_ms is None
    assert environment.types().count("platform.initStart") == 2


@pytest.mark.parametrize(
    ("script", "error_type"),
    [
        ("sys.exit(0)", "Extension.Crash"),
        ("me.register('INVOKE')\nsys.exit(0)", "Extension.Crash"),
        (
            """
me.register()
me.call("POST", EXTENSIONS + "/init/error", b"{}",
    Lambda_Extension_Function_Error_Type="Extension.NoConfig")
sys.exit(1)
""",
            "Extension.InitError",
        ),
    ],
)
@pytest.mark.case(21, 22)
def test_an_extension_that_ends_fails_init(deployment, script, error_type):
    """Any exit is a failure, 0 included (21, 22); the caller of the next invocation hears of it."""
    deployment.handler(HANDLER).extension("brief", script)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.init(), await environment.invoke(b"{}")

    init, result = run(scenario())
    assert (init.status, init.error_type) == ("error", error_type)
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorType"] == error_type


@pytest.mark.parametrize(
    ("content", "mode", "reason", "hint"),
    [
        ("#!/bin/sh\n", 0o644, "is not executable", "chmod +x bad"),
        ("#!/bin/sh\r\nexit\r\n", 0o755, "ends its first line with CRLF", "LF line ends"),
        ("#!/no/such/interpreter\n", 0o755, "/no/such/interpreter", "execution environment"),
        ("exit 0\n", 0o755, "exec format error", "start a script with #!"),
    ],
)
@pytest.mark.case(25)
def test_an_extension_that_cannot_start_is_explained(
    deployment, isolation, content, mode, reason, hint
):
    """Extension.LaunchError with file, reason and hint; the runtime is not started (25)."""
    deployment.handler(HANDLER)
    path = deployment.layer / "extensions/bad"
    path.write_bytes(content.encode())
    path.chmod(mode)

    async def scenario():
        async with Watched(deployment.function(), isolation=isolation) as environment:
            return environment, await environment.init(), await environment.invoke(b"{}")

    environment, init, result = run(scenario())
    assert (init.status, init.error_type) == ("error", "Extension.LaunchError")
    assert "/extensions/bad" in init.error_message
    assert reason in init.error_message
    assert hint in init.hint
    assert init.runtime.exec_ms is None
    assert reason in json.loads(result.payload)["errorMessage"]
    assert any("\tState: LaunchError\t" in line for line in environment.lines)


@pytest.mark.case(26)
def test_folders_in_the_extensions_folder_are_ignored(deployment):
    """Discovery is not recursive (26)."""
    deployment.handler(HANDLER)
    (deployment.layer / "extensions/folder").mkdir()
    (deployment.layer / "extensions/folder/inner").write_text("not started")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.init()

    init = run(scenario())
    assert (init.status, init.extensions) == ("success", {})


@pytest.mark.case(37)
def test_shutdown_without_extensions_kills_at_once(deployment):
    """No SIGTERM (37)."""
    deployment.runtime("""
import signal
signal.signal(signal.SIGTERM, lambda *_: say("SIGTERM"))
Party().next_invocation()
""")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            return environment, await environment.shutdown()

    environment, ended = run(scenario())
    assert "SIGTERM" not in environment.lines
    assert ended.statuses == {"runtime": "signal: killed"}


TERMINABLE = """
import signal
def leave(*_):
    say("runtime leaves")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
"""


@pytest.mark.case(39)
def test_shutdown_ends_the_runtime_before_the_extensions_hear_of_it(deployment):
    """SIGTERM to the runtime first; SHUTDOWN only when it is gone (39)."""
    deployment.runtime(TERMINABLE + "Party().next_invocation()").extension("watcher", ORDINARY)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            return environment, await environment.shutdown()

    environment, ended = run(scenario())
    assert environment.lines[-2:] == ["runtime leaves", "bye spindown"]
    assert ended.killed == ()


@pytest.mark.case(38)
def test_an_internal_extension_gets_the_runtime_a_sigterm(deployment):
    """With internal extensions only, the runtime is terminated and has 500 ms (38)."""
    deployment.runtime(
        TERMINABLE
        + """
import threading
internal = Party("internal")
internal.register("INVOKE")
# The signal is for the main thread: delivered to the other one, it would not end main's wait.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
threading.Thread(target=internal.next_event, daemon=True).start()
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
Party().next_invocation()
"""
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            init = await environment.init()
            return environment, init, await environment.shutdown()

    environment, init, ended = run(scenario())
    assert "runtime leaves" in environment.lines
    assert ended.statuses == {"runtime": "exit status 0"}
    assert init.extensions["internal"].next_ms > init.extensions["internal"].registered_ms


@pytest.mark.case(40)
def test_an_extension_that_ignores_shutdown_is_killed(deployment):
    """At its deadline (40)."""
    deployment.handler(HANDLER).extension(
        "deaf",
        "me.register('SHUTDOWN')\nme.next_event()\nsay('heard')\nimport signal; signal.pause()",
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            return environment, await environment.shutdown()

    environment, ended = run(scenario())
    assert environment.lines[-1] == "heard"
    assert ended.killed == ("deaf",)
    assert ended.statuses["deaf"] == "signal: killed"


def test_shutdown_only_extensions_are_not_invoked(deployment):
    """They get no INVOKE and the invocation ends without them (16)."""
    deployment.handler(HANDLER).extension(
        "late", "me.register('SHUTDOWN')\nsay('first', me.next_event()['eventType'])"
    )

    async def scenario():
        async with Watched(deployment.function()) as environment:
            result = await environment.invoke(b"{}")
            await environment.shutdown()
            return environment, result

    environment, result = run(scenario())
    assert result.status == "success"
    assert environment.lines[-1] == "first SHUTDOWN"


def test_processes_are_frozen_between_invocations(deployment):
    """After the last ``next`` everything stands still, until the next invocation."""
    deployment.handler(HANDLER).extension("watcher", ORDINARY)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            pids = [environment._host.processes.pid(name) for name in ("runtime", "watcher")]
            await until(lambda: all(map(_is_stopped, pids)))
            return await environment.invoke(b"{}")

    assert run(scenario()).status == "success"


def _is_stopped(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"


def test_children_of_an_extension_die_with_it(deployment, isolation):
    """The whole process group goes, and what left the group, too."""
    deployment.handler(HANDLER).extension(
        "parent",
        """
import subprocess
child = subprocess.Popen(["sleep", "60"])
stray = subprocess.Popen(["sleep", "60"], start_new_session=True)
say("children", child.pid, stray.pid)
me.register("INVOKE")
me.next_event()
""",
    )

    async def scenario():
        async with Watched(deployment.function(), isolation=isolation) as environment:
            assert environment.isolation == isolation
            await environment.init()
            (line,) = [one for one in environment.lines if one.startswith("children ")]
        return [int(pid) for pid in line.split()[1:]]

    child, stray = run(scenario())
    _gone(child)
    _gone(stray)


DAEMON = """
import os, sys, time

def handler(event, context):
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(write, str(os.getpid()).encode())
            while True:
                time.sleep(60)
        os._exit(0)
    print("daemon", int(os.read(read, 10)))
    os._exit(1)
"""


def test_a_daemon_does_not_outlive_the_reset(deployment, isolation):
    """A runtime that dies takes with it what it has sent away by a double fork."""
    deployment.handler(DAEMON)

    async def scenario():
        async with Watched(deployment.function(), isolation=isolation) as environment:
            await environment.invoke(b"{}")
            (line,) = [one for one in environment.lines if one.startswith("daemon ")]
            _gone(int(line.split()[1]))

    run(scenario())


def _gone(pid):
    """Killed processes need a moment; whoever inherited them reaps them."""
    for _ in range(500):
        if not is_running(pid):
            return
        os.sched_yield()
        signal.sigtimedwait([], 0.01)
    pytest.fail(f"process {pid} is still running")
