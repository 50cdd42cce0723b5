"""Functions, layers and scripted parties for tests, and the environments to run them in."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from wrapkit.tooling.emulator import ExecutionEnvironment, Function

HERE = Path(__file__).parent
LIMIT_S = 30
# The scripts find their interpreter and their prelude wherever the checkout and its .venv lie: what
# is in this machine's /tmp is not in the sandbox's.
INTERPRETER = os.path.realpath(sys.executable)
PRELUDE = (HERE / "party.py").read_text()


def run(scenario):
    """Runs a scenario with a bound."""
    return asyncio.run(asyncio.wait_for(scenario, LIMIT_S))


class Deployment:
    """A function's task folder and one layer, filled by the test."""

    def __init__(self, folder):
        self.task, self.layer = folder / "task", folder / "layer"
        self.task.mkdir()
        (self.layer / "extensions").mkdir(parents=True)

    def handler(self, code):
        """A Python handler, run by the real runtime client."""
        (self.task / "app.py").write_text(code)
        return self

    def runtime(self, script):
        """A scripted runtime, started as the function's command."""
        (self.task / "runtime.py").write_text(PRELUDE + script)
        return self

    def extension(self, name, script):
        """A scripted external extension."""
        path = self.layer / "extensions" / name
        path.write_text(f"#!{INTERPRETER}\n{PRELUDE}me = Party({name!r})\n{script}")
        path.chmod(0o755)
        return self

    def function(self, **settings):
        if (self.task / "runtime.py").exists():
            settings.setdefault("command", (INTERPRETER, "runtime.py"))
        settings.setdefault("handler", "app.handler")
        settings.setdefault("layers", (self.layer,))
        return Function(task_root=self.task, **settings)


class Watched(ExecutionEnvironment):
    """An environment that remembers its log lines and records."""

    def __init__(self, function, **settings):
        self.lines, self.records = [], []
        super().__init__(
            function,
            on_log_line=self.lines.append,
            on_record=self.records.append,
            **settings,
        )

    def types(self):
        return [record.type for record in self.records]

    def record(self, kind):
        return next(record.record for record in self.records if record.type == kind)


class Gates:
    """Points in scripted parties that the test lets them pass, one connection each."""

    def __init__(self):
        self._arrived: dict[str, asyncio.Future] = {}

    def _gate(self, name):
        return self._arrived.setdefault(name, asyncio.get_running_loop().create_future())

    async def _connected(self, reader, writer):
        name = (await reader.readline()).decode().strip()
        self._gate(name).set_result(writer)

    async def reached(self, name):
        """Waits until somebody stands at the gate."""
        return await self._gate(name)

    async def open(self, name):
        """Lets whoever stands, or will stand, at the gate pass."""
        writer = await self._gate(name)
        writer.write(b"!")
        await writer.drain()
        writer.close()

    def close(self):
        for gate in self._arrived.values():
            if gate.done() and not gate.cancelled():
                gate.result().close()

    @asynccontextmanager
    async def serving(self):
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            self.close()


@asynccontextmanager
async def gated(deployment, *, isolation="auto", environment=None, emulator=None, **settings):
    """An environment whose parties may stand at gates: (environment, gates).

    ``emulator`` are settings of the environment, the others of the function.
    """
    gates = Gates()
    async with gates.serving() as port:
        function = deployment.function(
            environment={**(environment or {}), "GATES_PORT": str(port)}, **settings
        )
        async with Watched(function, isolation=isolation, **(emulator or {})) as watched:
            yield watched, gates


def is_running(pid):
    """Whether the process exists and is not merely waiting to be reaped."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


async def until(condition):
    """Waits for a condition, within the scenario's bound."""
    while not condition():
        await asyncio.sleep(0.01)


def may_isolate():
    """Whether this machine lets us make mount namespaces."""
    pid = os.fork()
    if pid == 0:
        try:
            from wrapkit.tooling.emulator._namespace import _unshare

            _unshare()
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0
