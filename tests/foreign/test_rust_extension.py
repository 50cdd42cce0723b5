"""An extension in Rust, with the crate that everybody uses, unmodified in the emulator."""

from __future__ import annotations

import shutil
import socket

import pytest

from wrapkit.tooling.emulator import Function, LambdaEnvironment, echo_task_root

from .parties import rust

pytestmark = pytest.mark.slow


@pytest.fixture
def layer(tmp_path):
    """A layer with the extension."""
    extension = rust()
    extensions = tmp_path / "layer/extensions"
    extensions.mkdir(parents=True)
    shutil.copy(extension, extensions / "listener")
    return extensions.parent


def function(task_root, layer):
    """A function with the layer; the port is free, since environments share the machine's."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    return Function(
        task_root,
        "app.handler",
        layers=(layer,),
        timeout_ms=30_000,
        environment={"TELEMETRY_PORT": port},
    )


def test_it_hears_of_invocations_lines_and_shutdown(layer, tmp_path):
    """Registration, events, the Telemetry API over HTTP, and an orderly end."""
    (tmp_path / "app.py").write_text("def handler(event, context): print('a line'); return event")
    with LambdaEnvironment(function(tmp_path, layer)) as environment:
        init = environment.init()
        results = [environment.invoke({"n": number}) for number in range(2)]
        shutdown = environment.shutdown()

    log = environment.log
    assert (init.status, set(init.extensions)) == ("success", {"listener"}), log
    for result in results:
        assert f"heard INVOKE {result.request_id}" in log
        assert f"heard done {result.request_id}" in log
    assert log.count("heard line a line") == 2
    assert shutdown.statuses["listener"] == "exit status 0", log


def test_it_hears_why_it_is_shut_down(layer):
    with LambdaEnvironment(function(echo_task_root(), layer)) as environment:
        environment.init()
        environment.shutdown()

    assert "heard SHUTDOWN spindown" in environment.log
