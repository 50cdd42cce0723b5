"""Environments side by side: each has the loopback port that it expects, or is told of another."""

from __future__ import annotations

import json
import socket
from contextlib import AsyncExitStack

import pytest

from tests.emulator.environments import Watched, run

HANDLER = "import os\ndef handler(event, context): return os.environ.get('MY_ADDRESS')"


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def addresses(function, count=1):
    """What the functions of ``count`` environments at once find in their variable."""
    async with AsyncExitStack() as stack:
        environments = [
            await stack.enter_async_context(Watched(function, isolation="none"))
            for _ in range(count)
        ]
        return [json.loads((await one.invoke(b"{}")).payload) for one in environments]


def test_two_at_once(deployment, port, caplog):
    """The first has the expected port, the second another, and a line says so."""
    function = deployment.handler(HANDLER).function(loopback_ports={"MY_ADDRESS": port})

    first, second = run(addresses(function, 2))

    assert first is None
    host, _, other = second.partition(":")
    assert host == "127.0.0.1"
    assert 0 < int(other) != port
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.endswith(f"MY_ADDRESS={second}")


def test_one_after_the_other(deployment, port):
    """A port is free again with the end of its environment."""
    function = deployment.handler(HANDLER).function(loopback_ports={"MY_ADDRESS": port})

    assert run(addresses(function)) + run(addresses(function)) == [None, None]


def test_a_port_that_another_program_has(deployment, port):
    """It is left to that program."""
    function = deployment.handler(HANDLER).function(loopback_ports={"MY_ADDRESS": port})

    with socket.create_server(("127.0.0.1", port)):
        (address,) = run(addresses(function))

    assert address is not None


def test_an_address_that_the_user_sets(deployment, port):
    """It stays, taken or not."""
    function = deployment.handler(HANDLER).function(
        loopback_ports={"MY_ADDRESS": port}, environment={"MY_ADDRESS": "mine"}
    )

    assert run(addresses(function, 2)) == ["mine", "mine"]
