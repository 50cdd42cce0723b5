"""InvokeWithResponseStream: pieces as they come, an end that says what happened."""

from __future__ import annotations

import base64
import json

import pytest
from botocore.exceptions import ClientError

from tests.emulator.environments import INTERPRETER, PRELUDE
from wrapkit.tooling.invoke_api import ServedFunction

from .conftest import served

STREAMING = """
import base64
me = Party()
while True:
    request_id, _, event = me.next_invocation()
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    connection.putrequest("POST", f"{RUNTIME}/invocation/{request_id}/response")
    connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for piece in json.loads(event)["pieces"]:
        connection.send(f"{len(piece):x}\\r\\n{piece}\\r\\n".encode())
        os.sched_yield()
    connection.send(b"0\\r\\n")
    if json.loads(event).get("broken"):
        error = base64.b64encode(b'{"errorType":"Oops","errorMessage":"broken"}').decode()
        connection.send(b"Lambda-Runtime-Function-Error-Type: Function.Oops\\r\\n")
        connection.send(f"Lambda-Runtime-Function-Error-Body: {error}\\r\\n".encode())
    connection.send(b"\\r\\n")
    connection.getresponse().read()
"""


@pytest.fixture
def streaming(deployment):
    (deployment.task / "runtime.py").write_text(PRELUDE + STREAMING)
    function = deployment.function(command=(INTERPRETER, "runtime.py"))
    with served(ServedFunction(function)) as serving:
        yield serving


def stream(serving, event, **options):
    """The payload's pieces, and the stream's end."""
    answer = serving.client.invoke_with_response_stream(
        FunctionName="function", Payload=json.dumps(event).encode(), **options
    )
    assert answer["ExecutedVersion"] == "$LATEST"
    *pieces, complete = answer["EventStream"]
    answer["EventStream"].close()
    return [piece["PayloadChunk"]["Payload"] for piece in pieces], complete["InvokeComplete"]


def test_what_the_runtime_streams_arrives_whole(streaming):
    event = {"pieces": ["one", "two " * 1000, "three"]}

    pieces, complete = stream(streaming, event, LogType="Tail")

    assert b"".join(pieces).decode() == "".join(event["pieces"])
    assert "ErrorCode" not in complete
    assert "REPORT RequestId" in base64.b64decode(complete["LogResult"]).decode()


def test_the_next_invocation_of_the_same_environment_streams_as_well(streaming):
    for text in ("first", "second"):
        pieces, _ = stream(streaming, {"pieces": [text]})
        assert b"".join(pieces) == text.encode()

    assert len(streaming.journal.of("started")) == 1


def test_a_stream_that_breaks_off_ends_with_the_functions_error(streaming):
    pieces, complete = stream(streaming, {"pieces": ["half"], "broken": True})

    assert b"".join(pieces) == b"half"
    assert complete["ErrorCode"] == "Function.Oops"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "broken"


def test_invoke_of_a_streaming_function_gets_the_whole(streaming):
    answer = streaming.invoke(b'{"pieces": ["[1,", "2]"]}')

    assert answer["Payload"] == b"[1,2]"


def test_a_buffered_answer_is_a_stream_of_one(serve):
    with serve("def handler(event, context): return {'n': event['n']}") as serving:
        pieces, complete = stream(serving, {"n": 3})

    assert ([json.loads(piece) for piece in pieces], complete) == ([{"n": 3}], {})


def test_an_exception_is_in_the_end_of_the_stream(serve):
    with serve("def handler(event, context): raise ValueError('no')") as serving:
        pieces, complete = stream(serving, {})

    assert (pieces, complete["ErrorCode"]) == ([], "Unhandled")
    assert json.loads(complete["ErrorDetails"])["errorType"] == "ValueError"


def test_a_refusal_is_an_error_and_no_stream(serve):
    with serve("def handler(event, context): return 1") as serving:
        with pytest.raises(ClientError) as failure:
            serving.client.invoke_with_response_stream(FunctionName="other")
        dry_run = serving.client.invoke_with_response_stream(
            FunctionName="function", InvocationType="DryRun"
        )
        dry_run["EventStream"].close()

    assert type(failure.value).__name__ == "ResourceNotFoundException"
    assert dry_run["StatusCode"] == 204
