"""The runner as a real process, from a relocated copy, against a scripted host and a sink."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.payload.external.host import WAIT_S, Host
from tests.payload.external.sink import Sink

PACKAGE = Path(__file__).resolve().parents[3] / "wrapkit"


@pytest.fixture(scope="session")
def layer(tmp_path_factory):
    """The part of /opt that the runner needs, as the layer has it: relocated, with byte code."""
    folder = tmp_path_factory.mktemp("opt")
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("lifecycle", "payload"):
        shutil.copytree(PACKAGE / part, folder / "_wrapkit" / part, ignore=ignore)
    shutil.copy(PACKAGE / "__init__.py", folder / "_wrapkit")
    shutil.copy(PACKAGE / "payload/runner.py", folder)
    compileall.compile_dir(folder / "_wrapkit", quiet=1)
    return folder


class RunnerProcess:
    """The process under test, and the hook's end of its socket."""

    def __init__(self, layer, environ, script="runner.py", python=sys.executable, within=()):
        self.socket_path = environ["WRAPKIT_SOCKET"]
        self.process = subprocess.Popen(
            [*within, python, "-I", "-S", str(layer / script), "wrapkit"],
            env=environ,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._hook = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def hook(self, **datagram):
        """Sends one datagram, as the hook does."""
        self._hook.sendto(json.dumps(datagram).encode(), self.socket_path)

    def hook_bytes(self, data):
        self._hook.sendto(data, self.socket_path)

    def wait(self):
        """The exit code, and what the runner said, line by line."""
        _, said = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, said.splitlines()

    def close(self):
        self._hook.close()
        if self.process.poll() is None:
            self.process.kill()
        if not self.process.stderr.closed:
            self.process.communicate(timeout=WAIT_S)


class Scene:
    """Host, sink and runner, wired; ``start`` takes variables on top of the usual ones, and
    ``within``, a command that runs the runner.
    """

    def __init__(self, layer, folder):
        self.layer = layer
        self.folder = folder
        self.host = None
        self.sink = None
        self.runner = None
        # Bound and not listening: nobody else is given the port, and the runner may listen on it.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.otlp_port = self._reserved.getsockname()[1]

    def start(
        self,
        *,
        host=None,
        sink=None,
        script="runner.py",
        python=sys.executable,
        within=(),
        **variables,
    ):
        self.host = host or Host()
        self.sink = sink or Sink()
        environ = {
            "AWS_LAMBDA_RUNTIME_API": self.host.server.authority,
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_REGION": "eu-central-1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.sink.endpoint,
            "WRAPKIT_SOCKET": str(self.folder / "hook.sock"),
            "WRAPKIT_OTLP_ADDRESS": f"127.0.0.1:{self.otlp_port}",
            "WRAPKIT_FLUSH": "end",  # None for the default; most tests want to see each export
            "TMPDIR": str(self.folder),
            "PATH": os.environ["PATH"],
            **variables,
        }
        environ = {name: value for name, value in environ.items() if value is not None}
        self.runner = RunnerProcess(self.layer, environ, script, python, within)
        return self

    def invoke_with_hook(self, request_id, *, span="b7ad6b7169203331", now_s=None, **extra):
        """One invocation as the hook tells it."""
        self.host.invoke(request_id, now_s=now_s)
        start = {"time": time.time_ns(), "trace": "0af7651916cd43dd8448eb211c80319c", "span": span}
        self.runner.hook(t="start", id=request_id, flags=1, cold=False, **start, **extra)
        self.runner.hook(t="end", id=request_id, time=time.time_ns())

    def close_life(self):
        """Ends this life of the environment; ``start`` begins the next, with the same /tmp."""
        for part in (self.runner, self.host, self.sink):
            if part is not None:
                part.close()
        self.runner = self.host = self.sink = None

    def close(self):
        self._reserved.close()
        self.close_life()


@pytest.fixture
def scene(layer, tmp_path):
    made = Scene(layer, tmp_path)
    yield made
    made.close()


def free_port():
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
