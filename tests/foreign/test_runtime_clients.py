"""AWS's runtime clients of other languages and of every Python, unmodified, in the emulator."""

from __future__ import annotations

import json

import pytest

from tests.architecture.interpreters import VERSIONS, interpreter
from tests.emulator.environments import Deployment
from wrapkit.tooling.emulator import Function, LambdaEnvironment

from .parties import go, java, node, runtime_client

pytestmark = pytest.mark.slow

PYTHON = """
def handler(event, context):
    if event.get("fail"):
        raise RuntimeError("as asked")
    print("heard", context.aws_request_id)
    return {"n": event["n"] + 1}
"""
LIMIT_S = 120


@pytest.fixture(params=[go, node, java], ids=lambda build: build.__name__)
def foreign(request):
    """A function in another language than ours, in an environment that has not begun."""
    function, isolation = request.param()
    function = Function(**{**function.__dict__, "timeout_ms": 60_000})
    with LambdaEnvironment(function, isolation=isolation, limit_s=LIMIT_S) as environment:
        yield environment


def check(environment):
    """Init, invocations, an error of the handler that is survived, and Shutdown."""
    init = environment.init()
    assert (init.status, init.error_message) == ("success", None), environment.log
    first = environment.invoke({"n": 1})
    failed = environment.invoke({"fail": True, "n": 0})
    last = environment.invoke({"n": 2})
    shutdown = environment.shutdown()

    assert (first.json()["n"], last.json()["n"]) == (2, 3)
    assert f"heard {first.request_id}" in "\n".join(environment.log)
    assert (failed.function_error, failed.status) == ("Unhandled", "success")
    assert failed.json()["errorMessage"] == "as asked"
    assert shutdown.killed == ("runtime",)


def test_a_runtime_client_of_another_language(foreign):
    check(foreign)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_runtime_client_of_every_python(version, tmp_path):
    """From 3.8 on, each with the newest awslambdaric that it can have."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    deployment = Deployment(tmp_path).handler(PYTHON)
    function = deployment.function(python=runtime_client(version, python), timeout_ms=30_000)
    with LambdaEnvironment(function, limit_s=LIMIT_S) as environment:
        check(environment)


def test_the_node_client_streams(tmp_path):
    """awslambda.streamifyResponse: what is written arrives in pieces, before the end."""
    function, isolation = node()
    command = (*function.command[:-1], "app.stream")
    function = Function(**{**function.__dict__, "handler": "app.stream", "command": command})
    pieces = []
    with LambdaEnvironment(function, isolation=isolation, limit_s=LIMIT_S) as environment:
        assert environment.init().status == "success", environment.log
        result = environment.invoke({"pieces": ["one", "two"]}, on_piece=pieces.append)

    assert b"".join(pieces) == result.payload == b"onetwo", json.dumps(environment.log)
