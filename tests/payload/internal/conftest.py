"""The real runtime client on each Python, a function, and a layer around it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.interpreters import interpreter
from wrapkit.tooling.wrapping import generate_layer

from .backend import Backend
from .datagrams import bound_socket, received
from .packages import install
from .runtime_api import run_function

OWN = "{}.{}".format(*sys.version_info[:2])
TASK = Path(__file__).parent / "task"
# As AWS's own bootstrap.py does it: the task's folder comes first, then the client runs.
BOOTSTRAP = """\
import os, sys
sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
import awslambdaric.__main__ as runtime
runtime.main([os.environ["LAMBDA_TASK_ROOT"], os.environ["_HANDLER"]])
"""


@dataclass(frozen=True)
class Runtime:
    """A stand-in of /var/lang and /var/runtime for one Python version."""

    version: str
    python: str
    folder: Path

    @property
    def command(self) -> list[str]:
        return [self.python, str(self.folder / "bootstrap.py")]

    def environ(self, handler: str, task: Path = TASK) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "LAMBDA_TASK_ROOT": str(task),
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{self.version}",
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_LAMBDA_FUNCTION_VERSION": "7",
            "AWS_REGION": "eu-west-1",
            "TZ": ":UTC",
            "_HANDLER": handler,
        }

    def run_bare(self, handler, events=(), *, environ=None, task=TASK):
        return run_function(
            self.command, {**self.environ(handler, task), **(environ or {})}, events
        )

    def run_wrapped(self, layer, handler, events=(), *, environ=None, task=TASK, **calls):
        command = [str(layer / "otel-handler"), *self.command]
        variables = {**self.environ(handler, task), **(environ or {})}
        return run_function(command, variables, events, **calls)


@pytest.fixture(scope="session")
def runtimes(request):
    """Call with a Python version: its Runtime. Skips where it cannot be had."""

    def runtime(version: str) -> Runtime:
        python = interpreter(version)
        if python is None:
            pytest.skip(f"no Python {version} on this machine")
        real = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        ).stdout.strip()
        folder = request.config.cache.mkdir("runtimes") / version
        install(real, folder, "awslambdaric")
        _write_whole(folder / "bootstrap.py", BOOTSTRAP)
        return Runtime(version, real, folder)

    return runtime


def _write_whole(path, text):
    """At once, or not at all: a runtime of another worker may be reading the file, and an empty
    script ends well and does nothing.
    """
    if path.exists() and path.read_text() == text:
        return
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as file:
        file.write(text)
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)


@pytest.fixture(scope="session")
def layers(tmp_path_factory):
    """Call with a mode: its layer folder."""
    made: dict[str, Path] = {}

    def layer(mode: str) -> Path:
        if mode not in made:
            made[mode] = tmp_path_factory.mktemp("layer") / mode
            generate_layer("python", made[mode], mode=mode)
        return made[mode]

    return layer


@pytest.fixture
def runner_socket():
    """A bound datagram socket in the runner's place."""
    with bound_socket() as sock:
        yield sock


@pytest.fixture
def told(runtimes, layers, runner_socket):
    """Call with events: the datagrams of their invocations and the run."""

    def tell(events, handler="app.handler", version=OWN, refuse=None, **environ):
        messages = []
        at_post = []
        run = runtimes(version).run_wrapped(
            layers("both"),
            handler,
            events,
            environ={"WRAPKIT_SOCKET": runner_socket.getsockname(), **environ},
            on_post=lambda: at_post.append(received(runner_socket)),
            on_next=lambda: messages.append(at_post[-1] + received(runner_socket)),
            refuse=refuse,
        )
        assert {message["t"] for sent in at_post for message in sent} <= {"start"}
        left = (at_post[-1] if refuse else []) + received(runner_socket)
        return messages + [left for left in [left] if left], run

    return tell


@pytest.fixture
def backend():
    with Backend() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def exported(runtimes, layers, backend):
    """Call with events: their run, which exports to `backend`."""

    def run(events, handler="app.handler", on_post=None, refuse=None, **environ):
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": backend.url,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/24/[7]abc",
            **environ,
        }
        variables = {name: value for name, value in variables.items() if value is not None}
        return runtimes(OWN).run_wrapped(
            layers("internal"),
            handler,
            events,
            environ=variables,
            on_post=on_post,
            refuse=refuse,
        )

    return run


@pytest.fixture
def compared(runtimes, layers, runner_socket):
    """Call with a version and the function: its wrapped run, which went like the bare one."""

    def compare(version, handler, events=(), *, mode="both", environ=None, **options):
        runtime = runtimes(version)
        variables = {
            "WRAPKIT_SOCKET": runner_socket.getsockname(),
            # The one variable that the wrapper sets, where it is unset.
            "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
            **(environ or {}),
        }
        bare = runtime.run_bare(handler, events, environ=variables, **options)
        wrapped = runtime.run_wrapped(layers(mode), handler, events, environ=variables, **options)
        for got, expected in zip(wrapped.posts, bare.posts, strict=False):
            assert got == expected
        assert len(wrapped.posts) == len(bare.posts)
        assert wrapped.stdout == bare.stdout
        assert wrapped.stderr == bare.stderr
        assert wrapped.exit_code == bare.exit_code
        return wrapped

    return compare
