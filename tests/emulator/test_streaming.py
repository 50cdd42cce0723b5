"""Streamed responses: the caller has each piece when the runtime sends it."""

from __future__ import annotations

import pytest

from tests.emulator.environments import Watched, gated, run

STREAM = """
me = Party()
id, _, how = me.next_invocation()
me.connection.putrequest("POST", RUNTIME + "/invocation/" + id + "/response")
me.connection.putheader("Lambda-Runtime-Function-Response-Mode", "Streaming")
me.connection.putheader("Transfer-Encoding", "chunked")
CONTENT_TYPE
me.connection.endheaders()
me.connection.send(b"5\\r\\nfirst\\r\\n")
if how == b"gate":
    pass_gate("half")
if how == b"break":
    me.connection.close()
    Party().next_invocation()
me.connection.send(b"6\\r\\nsecond\\r\\n0\\r\\n\\r\\n")
me.connection.getresponse().read()
me.next_invocation()
"""


def runtime(deployment, content_type=None):
    header = f"me.connection.putheader('Content-Type', {content_type!r})" if content_type else ""
    return deployment.runtime(STREAM.replace("CONTENT_TYPE", header))


@pytest.mark.parametrize("content_type", [None, "text/event-stream"])
def test_pieces_come_before_the_end(deployment, content_type):
    """With the content type first; the Node client's default where there is none."""
    runtime(deployment, content_type)
    pieces = []

    async def scenario():
        async with gated(deployment) as (environment, gates):
            await environment.init()
            invocation = environment.send(b"gate", on_piece=pieces.append)
            await gates.reached("half")
            early = list(pieces), invocation.response_content_type
            await gates.open("half")
            return early, await invocation.answered

    early, answer = run(scenario())
    assert early == ([b"first"], content_type or "application/octet-stream")
    assert b"".join(pieces) == answer.payload == b"firstsecond"
    assert (answer.content_type, answer.function_error) == (early[1], None)


def test_what_was_streamed_before_a_break_is_the_callers(deployment):
    """Runtime.TruncatedResponse, after the part that had come."""
    runtime(deployment)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.invoke(b"break")

    result = run(scenario())
    assert result.payload == b"first"
    assert (result.function_error, result.error_type) == ("Unhandled", "Runtime.TruncatedResponse")


def test_a_stream_has_its_own_limit(deployment, monkeypatch):
    """200 MB instead of 6 MB; beyond it the stream ends with Function.ResponseSizeTooLarge."""
    monkeypatch.setattr("wrapkit.tooling.emulator._api._MAX_STREAM_BYTES", 8)
    runtime(deployment)

    async def scenario():
        async with Watched(deployment.function()) as environment:
            return await environment.invoke(b"")

    result = run(scenario())
    assert result.payload == b"first"
    assert result.error_type == "Function.ResponseSizeTooLarge"
