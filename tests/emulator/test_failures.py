"""What goes wrong in an invocation, and the reset after it."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.emulator.environments import Watched, gated, run

WITNESS = """
me.register("INVOKE", "SHUTDOWN")
while True:
    event = me.next_event()
    say(event["eventType"], event.get("shutdownReason", ""))
    if event["eventType"] == "SHUTDOWN":
        break
"""


def report_line(environment):
    return next(line for line in environment.lines if line.startswith("REPORT"))


def test_a_handler_that_takes_too_long(deployment):
    """Sandbox.Timedout for the caller, SHUTDOWN timeout, a reset, and a good next one (35)."""
    deployment.handler(
        "import signal\ndef handler(event, context):\n if event: signal.pause()\n return 'ok'"
    ).extension("witness", WITNESS)

    async def scenario():
        async with Watched(deployment.function(timeout_ms=2000)) as environment:
            await environment.init()
            late = await environment.invoke(b'{"hang":1}', request_id="11111111")
            good = await environment.invoke(b"{}")
            return environment, late, good

    environment, late, good = run(scenario())
    assert json.loads(late.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: 11111111 Error: Task timed out after 2.00 seconds",
    }
    assert (late.function_error, late.status, late.duration_ms) == ("Unhandled", "timeout", 2000.0)
    assert report_line(environment).endswith("\tStatus: timeout")
    lines = environment.lines
    assert lines.index("SHUTDOWN timeout") < lines.index(report_line(environment))
    assert json.loads(good.payload) == "ok"
    assert good.init_duration_ms is None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_a_runtime_that_dies(deployment, code, text):
    """Runtime.ExitError for the caller, SHUTDOWN failure, an init in the next one (34)."""
    deployment.handler(
        f"import os\ndef handler(event, context):\n if event: {code}\n return 'ok'"
    ).extension("witness", WITNESS)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            await environment.init()
            dead = await environment.invoke(b'{"die":1}')
            good = await environment.invoke(b"{}")
            return environment, dead, good

    environment, dead, good = run(scenario())
    assert json.loads(dead.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {dead.request_id} Error: {text}",
    }
    assert (dead.status, dead.error_type) == ("error", "Runtime.ExitError")
    assert report_line(environment).endswith("\tStatus: error\tError Type: Runtime.ExitError")
    assert "SHUTDOWN failure" in environment.lines
    assert (json.loads(good.payload), good.status) == ("ok", "success")
    phases = [one.record["phase"] for one in environment.records if "initStart" in one.type]
    assert phases == ["init", "invoke"]


@pytest.mark.case(36)
def test_an_init_that_takes_too_long_is_repeated(deployment, monkeypatch):
    """INIT_REPORT with status timeout; the invocation repeats the init (36)."""
    # Hangs, however late it is there, until the first Init has been given up.
    deployment.handler(
        "import os, signal\n"
        "if not os.path.exists('given-up'):\n"
        " signal.pause()\n"
        "def handler(event, context): return 'ok'"
    )
    monkeypatch.setattr("wrapkit.lifecycle._deadlines.ON_DEMAND_INIT_TIMEOUT_MS", 500)

    async def scenario():
        async with Watched(deployment.function(timeout_ms=20_000)) as environment:
            init = await environment.init()
            (deployment.task / "given-up").touch()
            return environment, init, await environment.invoke(b"{}")

    environment, init, result = run(scenario())
    assert init.status == "timeout"
    assert json.loads(result.payload) == "ok"
    (line,) = [one for one in environment.lines if one.startswith("INIT_REPORT")]
    assert re.fullmatch(
        r"INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: timeout", line
    )


def test_a_command_that_does_not_exist(deployment):
    """The runtime cannot be started: Runtime.InvalidEntrypoint, and the file in the message."""

    async def scenario():
        async with Watched(deployment.function(command=("/no/such/runtime",))) as environment:
            return await environment.init()

    init = run(scenario())
    assert init.error_type == "Runtime.InvalidEntrypoint"
    assert init.error_message == "/no/such/runtime does not exist"


SIZED = """
me = Party()
while True:
    id, _, event = me.next_invocation()
    say(me.respond(id, b"x" * int(event))[0])
"""


@pytest.mark.case(28)
def test_the_largest_response(deployment):
    """6 MiB and 100 bytes pass, one more is 413 and Function.ResponseSizeTooLarge (28)."""
    deployment.runtime(SIZED)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            sizes = (b"6291556", b"6291557", b"1")
            return environment, [await environment.invoke(size) for size in sizes]

    environment, (largest, too_large, small) = run(scenario())
    assert (len(largest.payload), largest.function_error) == (6291556, None)
    assert too_large.function_error == "Unhandled"
    assert json.loads(too_large.payload)["errorType"] == "Function.ResponseSizeTooLarge"
    assert small.payload == b"x"
    answers = [line for line in environment.lines if line.isdigit()]
    assert answers == ["202", "413", "202"]


@pytest.mark.case(30)
def test_a_streamed_response_that_breaks_off(deployment):
    """The caller has the partial body and the error of the trailers (30)."""
    deployment.runtime("""
import base64
me = Party()
id, _, _ = me.next_invocation()
body = base64.b64encode(b'{"errorType":"Broken"}')
pieces = b"4\\r\\npart\\r\\n0\\r\\n"
trailers = b"Lambda-Runtime-Function-Error-Type: Function.Broken\\r\\n"
trailers += b"Lambda-Runtime-Function-Error-Body: " + body + b"\\r\\n\\r\\n"
me.connection.putrequest("POST", RUNTIME + "/invocation/" + id + "/response")
me.connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
me.connection.putheader("Transfer-Encoding", "chunked")
me.connection.endheaders()
me.connection.send(pieces + trailers)
say(me.connection.getresponse().read())
me.connection.close()
me.next_invocation()
""")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.invoke(b"{}")

    result = run(scenario())
    assert result.payload == b"part"
    assert (result.function_error, result.error_type) == ("Unhandled", "Function.Broken")


def test_a_response_that_is_cut_short(deployment):
    """Runtime.TruncatedResponse for the caller."""
    deployment.runtime("""
import os
me = Party()
id, _, _ = me.next_invocation()
me.connection.putrequest("POST", RUNTIME + "/invocation/" + id + "/response")
me.connection.putheader("Content-Length", "100")
me.connection.endheaders()
me.connection.send(b"half")
me.connection.close()
Party().next_invocation()
""")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.invoke(b"{}")

    assert json.loads(run(scenario()).payload)["errorType"] == "Runtime.TruncatedResponse"


def test_a_shutdown_during_an_invocation_answers_the_caller(deployment):
    """Nobody waits for ever."""
    deployment.runtime(
        "me = Party()\nme.next_invocation()\npass_gate('handling')\nimport signal; signal.pause()"
    )

    async def scenario():
        async with gated(deployment, timeout_ms=20_000) as (environment, gates):
            invocation = asyncio.ensure_future(environment.invoke(b"{}"))
            await gates.reached("handling")
            await environment.shutdown("failure")
            return await invocation

    result = run(scenario())
    assert json.loads(result.payload)["errorType"] == "Sandbox.Failure"


def test_the_cause_of_an_error_stays_with_the_platform(deployment):
    """Of the content type that says so; the X-Ray cause is not for the caller."""
    deployment.runtime("""
me = Party()
id, _, _ = me.next_invocation()
body = json.dumps({"errorType": "Mine", "errorCause": {"stack": []}})
me.call(
    "POST", f"{RUNTIME}/invocation/{id}/error", body,
    Content_Type="application/vnd.aws.lambda.error.cause+json",
)
me.next_invocation()
""")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.invoke(b"{}")

    assert json.loads(run(scenario()).payload) == {"errorType": "Mine"}
