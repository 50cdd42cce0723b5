"""The platform's limits: memory, CPU, /tmp, and what cannot be deployed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import zipfile

import pytest

from tests.emulator.environments import Watched, gated, run, until
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.emulator import _limits
from wrapkit.tooling.emulator._control_group import ControlGroup
from wrapkit.tooling.emulator._memory_limit import MemoryLimit

MB = 1024 * 1024
HUNGRY = """
import os, time
def take(mb):
    kept = bytearray(mb * 1024 * 1024)
    time.sleep(20)
def handler(event, context):
    if event == "take":
        take(400)
    if event == "child":
        if os.fork() == 0:
            take(400)
        time.sleep(20)
    if event == "give back":
        bytearray(400 * 1024 * 1024)
        time.sleep(20)
    return event
"""


@pytest.mark.parametrize("how", ["take", "give back", "child"])
def test_a_function_beyond_its_memory_is_killed(deployment, how):
    """Runtime.ExitError, signal: killed; also what it took for a moment, or a child takes."""
    deployment.handler(HUNGRY)

    async def scenario():
        function = deployment.function(memory_mb=256, timeout_ms=20_000)
        async with Watched(function) as environment:
            await environment.init()
            dead = await environment.invoke(json.dumps(how).encode())
            return environment, dead, await environment.invoke(b'"small"')

    environment, dead, good = run(scenario())
    assert json.loads(dead.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {dead.request_id} Error: Runtime exited with error: "
        "signal: killed",
    }
    assert (dead.max_memory_used_mb, good.payload) == (256, b'"small"')
    (line,) = [line for line in environment.lines if line.endswith("Runtime.ExitError")]
    assert "\tMax Memory Used: 256 MB\t" in line


def test_an_extension_that_takes_the_memory_is_killed(deployment):
    """Whoever takes most: the kernel would choose the same."""
    deployment.handler("def handler(event, context): return 1").extension(
        "hungry",
        "me.register('INVOKE')\nme.next_event()\nkept = bytearray(400 * 1024 * 1024)\n"
        "me.next_event()",
    )

    async def scenario():
        function = deployment.function(memory_mb=256, timeout_ms=20_000)
        async with Watched(function, freezes=False) as environment:
            await environment.invoke(b"{}")
            await until(lambda: "hungry" in environment._host.processes.statuses)
            return environment._host.processes.statuses["hungry"]

    assert run(scenario()) == "signal: killed"


def test_pages_that_are_shared_after_a_fork_count_once():
    """Four processes with the same 50 MB take 50 MB, not 200."""
    kept = bytearray(50 * MB)
    for place in range(0, len(kept), 4096):
        kept[place] = 1
    children = []
    try:
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                with contextlib.suppress(BaseException):
                    signal.pause()
                os._exit(0)
            children.append(pid)
        pids = [os.getpid(), *children]
        own = MemoryLimit(1)._sizes(os.getpid())[1]
        assert MemoryLimit(own + 60 * MB).exceeded_by({"runtime": pids}) is None
        assert MemoryLimit(own // 2).exceeded_by({"runtime": pids}) == "runtime"
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


def test_the_emulator_of_aws_has_no_such_limit(deployment):
    """With its profile nobody is killed."""
    deployment.handler("def handler(event, context): return len(bytearray(300 * 1024 * 1024))")

    async def scenario():
        async with Watched(deployment.function(timeout_ms=20_000), profile="rie") as environment:
            return await environment.invoke(b"{}")

    assert run(scenario()).payload == b"314572800"


@pytest.mark.usefixtures("needs_namespaces")
def test_tmp_has_the_configured_size(deployment):
    """512 MB unless more is asked for."""
    deployment.handler(
        "import shutil\ndef handler(event, context): return shutil.disk_usage('/tmp').total"
    )

    async def scenario(**settings):
        async with Watched(deployment.function(**settings)) as environment:
            return int((await environment.invoke(b"{}")).payload) // MB

    assert run(scenario()) == 512
    assert run(scenario(ephemeral_storage_mb=600)) == 600


def _control_group():
    try:
        return ControlGroup(885)
    except OSError as error:
        pytest.skip(f"no control group for the CPU here: {error}")


def test_a_control_group_limits_what_it_holds():
    """Half a core for 885 MB: counted by the kernel, which throttles a loop."""
    group = _control_group()
    try:
        group.limit()
        pid = os.fork()
        if pid == 0:
            group.enter()
            begun = os.times()
            while os.times().elapsed - begun.elapsed < 0.5:
                pass
            spent = os.times().user + os.times().system - begun.user - begun.system
            os._exit(round(spent * 100))
        spent_s = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) / 100
    finally:
        group.close()
    assert 0 < spent_s < 0.4
    assert not os.path.exists(group._folder)


def test_the_cpu_is_limited_after_init(deployment):
    """An environment joins its processes to the group, and leaves nothing of it behind."""
    _control_group().close()
    deployment.handler("def handler(event, context): return open('/proc/self/cgroup').read()")

    async def scenario():
        function = deployment.function(memory_mb=1024, timeout_ms=20_000)
        async with Watched(function, limits_cpu=True) as environment:
            result = await environment.invoke(b"{}")
            return result, environment._sandbox.control_group._folder

    result, folder = run(scenario())
    assert os.path.basename(folder) in json.loads(result.payload)
    assert not os.path.exists(folder)


def test_where_no_control_group_is_allowed_it_is_said(deployment, monkeypatch, caplog):
    """In one line, with what the share would have been."""

    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("wrapkit.tooling.emulator._environment.ControlGroup", refuse)
    deployment.handler("def handler(event, context): return 1")

    async def scenario():
        async with Watched(deployment.function(), limits_cpu=True) as environment:
            return await environment.invoke(b"{}")

    assert run(scenario()).payload == b"1"
    (message,) = [record.message for record in caplog.records]
    assert "no control group for the CPU" in message
    assert "128 MB are 0.07 of a core" in message


@pytest.mark.parametrize(
    ("settings", "reference", "words"),
    [
        ({"memory_mb": 127}, "invalid-memory-size", "127 MB"),
        ({"ephemeral_storage_mb": 11_000}, "invalid-ephemeral-storage", "11000 MB"),
        (
            {"environment": {"SECRET": "s3cret" * 700}},
            "environment-too-large",
            "exceeded the 4KB limit",
        ),
    ],
)
def test_settings_beyond_a_limit(deployment, settings, reference, words):
    """The platform's words, and none of the values."""
    with pytest.raises(DiagnosticError) as refusal:
        _limits.check_limits(deployment.function(**settings))
    assert refusal.value.reference == reference
    assert words in refusal.value.message
    assert "s3cret" not in refusal.value.message


def test_six_layers_are_too_many(deployment, tmp_path):
    with pytest.raises(DiagnosticError, match="more than 5 layers"):
        _limits.check_limits(deployment.function(layers=(tmp_path,) * 6))


def test_code_and_layers_have_250_mb_together(deployment, tmp_path):
    """Unzipped; a zip file is asked for its contents' size."""
    (deployment.task / "large").touch()
    os.truncate(deployment.task / "large", 200_000_000)
    layer = tmp_path / "layer.zip"
    with zipfile.ZipFile(layer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(62_144_000))
    function = deployment.function(layers=(layer,))
    _limits.check_limits(function)
    (deployment.task / "one-more").write_text("!")
    with pytest.raises(DiagnosticError) as refusal:
        _limits.check_limits(function)
    assert "262144000 bytes. The actual size is 262144001 bytes." in refusal.value.message


@pytest.mark.parametrize("session", ["own", "its own"])
def test_what_left_its_process_group_is_frozen_too(deployment, session):
    """A process in another session stands still between invocations, and goes on after."""
    deployment.runtime(f"""
import subprocess
me = Party()
child = subprocess.Popen(
    [sys.executable, "-c", "import signal; signal.pause()"],
    start_new_session={session == "its own"},
)
say("child", child.pid)
id, _, event = me.next_invocation()
pass_gate("invoked")
me.respond(id, event)
me.next_invocation()
""")

    async def scenario():
        async with gated(deployment, timeout_ms=20_000) as (environment, gates):
            await environment.init()
            (line,) = [one for one in environment.lines if one.startswith("child ")]
            pid = int(line.split()[1])
            await until(lambda: _state(pid) == "T")
            invocation = environment.send(b"1")
            await gates.reached("invoked")
            await until(lambda: _state(pid) != "T")
            await gates.open("invoked")
            await invocation.ended
            await until(lambda: _state(pid) == "T")

    run(scenario())


def _state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]
