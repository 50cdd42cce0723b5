"""What a caller gets while its invocation goes on: the answer first, or its pieces."""

from __future__ import annotations

import json

from tests.emulator.environments import gated, run
from wrapkit.tooling.emulator import Answer

LATE_EXTENSION = """
me.register("INVOKE")
me.next_event()
pass_gate("after the response")
me.next_event()
"""
ANSWERING = """
me = Party()
while True:
    request_id, headers, event = me.next_invocation()
    names = ("Lambda-Runtime-Invoked-Function-Arn", "Lambda-Runtime-Aws-Tenant-Id")
    me.respond(request_id, json.dumps([headers[name] for name in names]))
"""
STREAMING = """
import base64
me = Party()
request_id, _, _ = me.next_invocation()
connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
connection.putrequest("POST", f"{RUNTIME}/invocation/{request_id}/response")
connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
connection.putheader("Transfer-Encoding", "chunked")
connection.endheaders()
connection.send(b"5\\r\\nfirst\\r\\n")
pass_gate("between the pieces")
connection.send(b"6\\r\\nsecond\\r\\n0\\r\\n")
error = base64.b64encode(b'{"errorType":"Oops","errorMessage":"broken"}').decode()
connection.send(f"Lambda-Runtime-Function-Error-Type: Function.Oops\\r\\n".encode())
connection.send(f"Lambda-Runtime-Function-Error-Body: {error}\\r\\n\\r\\n".encode())
connection.getresponse().read()
me.next_invocation()
"""


def test_the_answer_comes_before_the_extensions_are_done(deployment):
    """A caller does not wait for what extensions do after the response."""
    deployment.runtime(ANSWERING).extension("late", LATE_EXTENSION)

    async def scenario():
        async with gated(deployment) as (environment, gates):
            invocation = environment.send(b"{}", invoked_function_arn="arn:x:prod", tenant_id="t1")
            answer = await invocation.answered
            await gates.reached("after the response")
            was_over = invocation.ended.done()
            await gates.open("after the response")
            await invocation.ended
            return answer, was_over, invocation.result()

    answer, was_over, result = run(scenario())

    assert answer == Answer(b'["arn:x:prod", "t1"]')
    assert not was_over
    assert result.payload == answer.payload


def test_pieces_of_a_streamed_response_come_as_they_are_written(deployment):
    """The first is there while the function holds the second back; then it says what broke."""
    deployment.runtime(STREAMING)
    pieces = []

    async def scenario():
        async with gated(deployment) as (environment, gates):
            invocation = environment.send(b"{}", on_piece=pieces.append)
            await gates.reached("between the pieces")
            before = list(pieces)
            await gates.open("between the pieces")
            return before, await invocation.answered

    before, answer = run(scenario())

    assert (before, pieces) == ([b"first"], [b"first", b"second"])
    assert answer.payload == b"firstsecond"
    assert (answer.function_error, answer.error_type) == ("Unhandled", "Function.Oops")
    assert json.loads(answer.error_details)["errorMessage"] == "broken"
