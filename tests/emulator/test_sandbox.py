"""The file system of the sandbox, and that nothing of it stays."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.emulator.environments import LIMIT_S, Watched, is_running, run, until
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.emulator import ExecutionEnvironment

LOOK = """
import json, os, socket
def attempt(path):
    try:
        open(path, "w").close()
        return "written"
    except OSError as error:
        return error.strerror
def handler(event, context):
    return {
        "written": {path: attempt(path) for path in event},
        "opt": sorted(os.listdir("/opt")),
        "host": socket.gethostbyname("sandbox.localdomain"),
    }
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A place of this test's own for sandbox folders, so that other runs' do not count."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def sandboxes():
    """The sandbox folders that there are."""
    return set(Path(tempfile.gettempdir()).glob("wrapkit-*"))


def mounts():
    return Path("/proc/self/mountinfo").read_text()


async def answer(function, event=b"{}", **settings):
    async with Watched(function, **settings) as environment:
        result = await environment.invoke(event)
        assert result.function_error is None, result.payload
        return json.loads(result.payload)


@pytest.mark.usefixtures("needs_namespaces")
def test_the_places_are_lambdas(deployment):
    """/opt and /var/task are read-only, /tmp is fresh, sandbox.localdomain is the loopback."""
    deployment.handler(LOOK)
    before = mounts()
    paths = ["/opt/x", "/var/task/x", "/tmp/x", "/wrapkit-test"]

    seen = run(answer(deployment.function(), json.dumps(paths).encode(), isolation="namespace"))

    assert seen["written"] == {
        "/opt/x": "Read-only file system",
        "/var/task/x": "Read-only file system",
        "/tmp/x": "written",
        "/wrapkit-test": "Read-only file system",
    }
    assert seen["host"] == "127.0.0.1"
    assert not Path("/tmp/x").exists()
    assert mounts() == before


@pytest.mark.usefixtures("needs_namespaces")
def test_tmp_survives_a_reset(deployment):
    """/tmp belongs to the environment, not to its processes."""
    deployment.handler(
        "import os\n"
        "def handler(event, context):\n"
        "    if event:\n"
        "        open('/tmp/kept', 'w').close()\n"
        "        os._exit(1)\n"
        "    return os.path.exists('/tmp/kept')"
    )

    async def scenario():
        async with Watched(deployment.function(), isolation="namespace") as environment:
            await environment.invoke(b'{"die":1}')
            return await environment.invoke(b"{}")

    assert json.loads(run(scenario()).payload) is True


def test_layers_are_merged_in_order(deployment, tmp_path, isolation):
    """A later layer wins; zip files keep modes and links."""
    deployment.handler(
        "import os, sys\n"
        "opt = [one for one in sys.path if one.endswith('/python')][0][:-7]\n"
        "def handler(event, context): return [open(opt + '/which').read(),"
        " os.access(opt + '/tool', os.X_OK), os.readlink(opt + '/link'), sorted(os.listdir(opt))]"
    )
    (deployment.layer / "which").write_text("first")
    (deployment.layer / "only-first").write_text("")
    archive = tmp_path / "second.zip"
    with zipfile.ZipFile(archive, "w") as second:
        second.writestr("which", "second")
        tool = zipfile.ZipInfo("tool")
        tool.external_attr = (stat.S_IFREG | 0o755) << 16
        second.writestr(tool, "#!/bin/sh\n")
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        second.writestr(link, "tool")
        second.writestr("python/module.py", "")
    function = deployment.function(layers=(deployment.layer, archive))

    seen = run(answer(function, isolation=isolation))

    files = ["extensions", "link", "only-first", "python", "tool", "which"]
    assert seen == ["second", True, "tool", files]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.zip", None, "it does not exist"),
        ("text.zip", b"no archive", "not a zip file"),
        ("slip.zip", {"../outside": "x"}, "lies outside the layer"),
    ],
)
def test_an_unreadable_layer_is_named(deployment, tmp_path, name, content, reason):
    """Before anything is started."""
    layer = tmp_path / name
    if isinstance(content, dict):
        with zipfile.ZipFile(layer, "w") as archive:
            for entry, text in content.items():
                archive.writestr(entry, text)
    elif content is not None:
        layer.write_bytes(content)

    with pytest.raises(DiagnosticError) as failure:
        run(answer(deployment.handler("").function(layers=(layer,))))

    assert failure.value.reference == "layer-unreadable"
    assert str(layer) in failure.value.message
    assert reason in failure.value.message
    assert failure.value.exit_code == 2


@pytest.mark.parametrize("first_is_folder", [False, True])
def test_a_layer_cannot_write_through_a_link(deployment, tmp_path, isolation, first_is_folder):
    """Neither through one of its own, nor through one of an earlier layer."""
    outside = tmp_path / "outside"
    outside.mkdir()
    archive, layers = tmp_path / "layer.zip", [deployment.layer]
    with zipfile.ZipFile(archive, "w") as layer:
        if first_is_folder:
            (deployment.layer / "python").symlink_to(outside)
        else:
            link = zipfile.ZipInfo("python")
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            layer.writestr(link, str(outside))
        layer.writestr("python/module.py", "")
    layers.append(archive)

    with pytest.raises(DiagnosticError, match="lies outside the layer") as failure:
        run(answer(deployment.handler("").function(layers=layers), isolation=isolation))

    assert failure.value.reference == "layer-unreadable"
    assert list(outside.iterdir()) == []


def test_a_missing_task_folder_is_named(deployment, tmp_path):
    """And the exit code is that of a usage error."""
    deployment.task.rmdir()

    with pytest.raises(DiagnosticError, match="is not a directory") as failure:
        run(answer(deployment.function()))

    assert (failure.value.reference, failure.value.exit_code) == ("task-folder-missing", 2)


def test_a_taken_port_is_named(deployment):
    """And the sandbox that was made before is gone."""
    before = sandboxes()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        function = deployment.handler("").function()
        with pytest.raises(DiagnosticError) as failure:
            run(answer(function, isolation="none", runtime_api_port=port))

    assert failure.value.reference == "port-not-available"
    assert str(port) in failure.value.message
    assert sandboxes() == before


def test_a_chosen_port_is_used(deployment):
    """The runtime API listens where it was told to."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    deployment.handler(
        "import os\ndef handler(event, context): return os.environ['AWS_LAMBDA_RUNTIME_API']"
    )

    assert run(answer(deployment.function(), runtime_api_port=port)) == f"127.0.0.1:{port}"


HANGING = "import signal\ndef handler(event, context): signal.pause()"


@pytest.mark.parametrize("end", ["cancel", "error"])
def test_nothing_stays_behind(deployment, isolation, end):
    """However the environment is left: no process, no folder, no mount, no open descriptor."""
    deployment.handler(HANGING).extension(
        "watcher", "me.register('INVOKE')\nwhile True: me.next_event()"
    )
    before = sandboxes(), mounts()
    pids = []

    async def use():
        async with Watched(
            deployment.function(timeout_ms=20_000), isolation=isolation
        ) as environment:
            await environment.init()
            pids.extend(environment._host.processes.pid(name) for name in ("runtime", "watcher"))
            invocation = asyncio.ensure_future(environment.invoke(b"{}"))
            await until(lambda: "platform.start" in environment.types())
            if end == "error":
                invocation.cancel()
                raise ValueError("the caller's own")
            await invocation

    async def scenario():
        task = asyncio.ensure_future(use())
        await until(lambda: len(pids) == 2 or task.done())
        if end == "cancel":
            task.cancel()
        expected = asyncio.CancelledError if end == "cancel" else ValueError
        with pytest.raises(expected):
            await task

    open_before = len(os.listdir("/proc/self/fd"))
    run(scenario())

    assert not [pid for pid in pids if is_running(pid)]
    assert (sandboxes(), mounts()) == before
    assert len(os.listdir("/proc/self/fd")) == open_before


MAIN = """
import asyncio, sys
from pathlib import Path
from wrapkit.tooling.emulator import ExecutionEnvironment, Function

async def main():
    task, layer, isolation = sys.argv[1:]
    function = Function(Path(task), "app.handler", layers=(Path(layer),), timeout_ms=20000)
    async with ExecutionEnvironment(function, isolation=isolation, on_log_line=say) as environment:
        await environment.init()
        await environment.invoke(b"{}")

def say(line):
    print(line, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_killed_host_leaves_no_process(deployment, isolation, number):
    """The kernel ends the processes with the host, and a guardian what left their sessions."""
    deployment.handler(
        "import os, signal, subprocess\n"
        "def handler(event, context):\n"
        "    daemon = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "    print('pids', os.getpid(), daemon.pid)\n"
        "    signal.pause()"
    ).extension(
        "watcher",
        "import os\nsay('pids', os.getpid())\nme.register('INVOKE')\nwhile True: me.next_event()",
    )
    before = sandboxes()
    host = subprocess.Popen(
        [sys.executable, "-c", MAIN, deployment.task, deployment.layer, isolation],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        pids = []
        while len(pids) < 3:
            line = host.stdout.readline()
            assert line, "the host ended early"
            if line.startswith("pids "):
                pids += map(int, line.split()[1:])
        host.send_signal(number)
        host.wait(LIMIT_S)
        run(until(lambda: not any(map(is_running, pids)) and sandboxes() == before))
    finally:
        host.kill()
        host.wait()
        host.stdout.close()


def test_a_failing_clean_up_leaves_no_folder(deployment, monkeypatch):
    """What comes after the step that failed is done all the same."""
    from wrapkit.tooling.emulator._processes import Processes

    def fail(processes):
        raise OSError(24, "Too many open files", "/proc")

    deployment.handler("def handler(event, context): return 1")
    before = sandboxes()
    monkeypatch.setattr(Processes, "destroy", fail)

    with pytest.raises(OSError, match="Too many open files"):
        run(enter_and_leave(deployment.function()))

    assert sandboxes() == before


async def enter_and_leave(function):
    async with Watched(function, isolation="none"):
        pass


def test_where_namespaces_are_refused(deployment, monkeypatch, caplog):
    """``auto`` goes on in folders and says so in one line; ``namespace`` refuses with a hint."""

    def refuse(flags):
        raise PermissionError(1, "unshare: Operation not permitted")

    monkeypatch.setattr("wrapkit.tooling.emulator._namespace.unshare", refuse)
    deployment.handler("def handler(event, context): return 'ok'")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return environment.isolation, (await environment.invoke(b"{}")).payload

    assert run(scenario()) == ("none", b'"ok"')
    (said,) = [record.getMessage() for record in caplog.records]
    assert "unshare: Operation not permitted" in said
    with pytest.raises(DiagnosticError) as failure:
        run(answer(deployment.function(), isolation="namespace"))
    assert failure.value.reference == "namespace-refused"
    assert "isolation none" in failure.value.hint


@pytest.mark.usefixtures("needs_namespaces")
def test_without_privileges_a_user_namespace_does(deployment, monkeypatch):
    """Where a mount namespace alone is not allowed."""
    from wrapkit.tooling.emulator import _kernel, _namespace

    def unshare(flags):
        if not flags & _kernel.CLONE_NEWUSER:
            raise PermissionError(1, "unshare: Operation not permitted")
        _kernel.unshare(flags)

    monkeypatch.setattr(_namespace, "unshare", unshare)
    deployment.handler(
        "import os\ndef handler(event, context): return [os.getuid(), os.listdir('/tmp')]"
    )

    assert run(answer(deployment.function(), isolation="namespace")) == [os.getuid(), []]


def test_an_environment_is_used_within_its_context(deployment):
    """Outside of ``async with`` it says what is missing."""

    async def scenario():
        await ExecutionEnvironment(deployment.handler("").function()).init()

    with pytest.raises(RuntimeError, match="async with"):
        run(scenario())


UNPRIVILEGED = """
import asyncio, ctypes, os, sys
from pathlib import Path
import encodings.idna
import wrapkit.lifecycle
from wrapkit.tooling.emulator import ExecutionEnvironment, Function

async def main():
    script = "id -u; ls /opt; touch /var/task/x; touch /tmp/x && echo fresh; kill -9 $$"
    task, layer = map(Path, sys.argv[1:])
    function = Function(task, "", (layer,), command=("/bin/sh", "-c", script))
    async with ExecutionEnvironment(function, isolation="namespace", on_log_line=print) as one:
        print((await one.init()).error_message)

[getattr(wrapkit.lifecycle, name) for name in wrapkit.lifecycle.__all__]
os.setgroups([])
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, lost by the change of user
asyncio.run(main())
"""


@pytest.mark.usefixtures("needs_namespaces")
@pytest.mark.skipif(os.getuid() != 0, reason="every other test runs unprivileged here")
@pytest.mark.skipif(
    any(not folder.stat().st_mode & stat.S_IXOTH for folder in Path(sys.executable).parents),
    reason="this checkout is in a folder that no other user may enter",
)
def test_an_ordinary_user_gets_a_namespace():
    """Through a user namespace that maps this user only; no privilege is left in it."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - for that other user
        layer = Path(folder, "layer")
        (layer / "extensions").mkdir(parents=True)
        task = Path(folder, "task")
        task.mkdir()
        ended = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, task, layer],
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
        )
    assert ended.stderr == ""
    assert ended.stdout.splitlines()[1:5] == [
        "65534",
        "extensions",
        "touch: cannot touch '/var/task/x': Read-only file system",
        "fresh",
    ]
