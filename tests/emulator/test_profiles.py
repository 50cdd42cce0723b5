"""Freezing, and the profile of AWS's own emulator, with real processes."""

from __future__ import annotations

import pytest

from tests.emulator.environments import Watched, gated, run

BACKGROUND = """
import threading
def background():
    pass_gate("background")
    say("went on")
    pass_gate("done")
me = Party()
id, _, _ = me.next_invocation()
threading.Thread(target=background, daemon=True).start()
me.respond(id, b"1")
me.next_invocation()
"""


@pytest.mark.parametrize("settings", [{"freezes": False}, {"profile": "rie"}])
def test_without_a_freeze_background_work_goes_on(deployment, settings):
    """Between two invocations; Lambda would stop it."""
    deployment.runtime(BACKGROUND)

    async def scenario():
        async with gated(deployment, emulator=settings) as (environment, gates):
            await environment.invoke(b"{}")
            await gates.open("background")
            await gates.reached("done")
            return environment.lines

    assert "went on" in run(scenario())


def test_the_emulator_of_aws_has_neither_telemetry_nor_traces(deployment):
    """202 Telemetry.NotSupported, no trace header, Max Memory Used as configured, text timeouts."""
    deployment.handler("""
import os, signal
def handler(event, context):
    if event:
        signal.pause()
    return os.environ.get("_X_AMZN_TRACE_ID")
""").extension(
        "listener",
        """
me.register("INVOKE", "SHUTDOWN")
status, _, body = me.subscribe({"protocol": "TCP", "port": 4243})
say(status, json.loads(body)["errorType"])
while me.next_event()["eventType"] != "SHUTDOWN":
    pass
""",
    )

    async def scenario():
        function = deployment.function(timeout_ms=2000)
        async with Watched(function, profile="rie") as environment:
            good = await environment.invoke(b"null", trace_header="Root=1-a;Parent=b;Sampled=1")
            late = await environment.invoke(b"1")
            return environment, good, late

    environment, good, late = run(scenario())
    assert "202 Telemetry.NotSupported" in environment.lines
    assert (good.payload, good.max_memory_used_mb) == (b"null", 128)
    assert (late.payload, late.function_error) == (b"Task timed out after 2.00 seconds", None)
