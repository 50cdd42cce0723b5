"""Asynchronous invocations: taken at once, made in turn, tried again with the same request id."""

from __future__ import annotations

from .conftest import LIMIT_S

# Fails as often as its event says, counting in a file that outlives the environment's processes.
STUBBORN = """
from pathlib import Path
def handler(event, context):
    counter = Path("/tmp/attempts")
    attempt = len(counter.read_text()) if counter.exists() else 0
    counter.write_text("x" * (attempt + 1))
    if attempt < event:
        raise RuntimeError(attempt)
"""


def test_an_event_is_taken_at_once_and_made_later(serve):
    with serve("def handler(event, context): print('made', event)") as serving:
        answer = serving.invoke(b'"it"', InvocationType="Event")
        (place, result), *_ = serving.journal.wait_for("invocation")

    assert (answer["StatusCode"], answer["Payload"]) == (202, b"")
    assert (place, result.payload) == ("function/1", b"null")
    assert answer["ResponseMetadata"]["RequestId"] == result.request_id


def test_invoke_async_is_the_older_name_of_it(serve):
    with serve("def handler(event, context): return event") as serving:
        answer = serving.client.invoke_async(FunctionName="function", InvokeArgs=b"7")
        (_, result), *_ = serving.journal.wait_for("invocation")

    assert (answer["Status"], result.payload) == (202, b"7")


def test_an_event_that_fails_is_tried_again_twice(serve):
    """A minute and two minutes later; here a hundredth of a second and two."""
    with serve(STUBBORN, concurrency=1, event_retry_delay_s=0.01) as serving:
        serving.invoke(b"2", InvocationType="Event")
        results = [result for _, result in serving.journal.wait_for("invocation", 3)]
        retries = serving.journal.of("retried")

    assert len({result.request_id for result in results}) == 1
    assert [result.function_error for result in results] == ["Unhandled", "Unhandled", None]
    assert [delay for _, delay in retries] == [0.01, 0.02]
    assert serving.journal.of("given up") == []


def test_an_event_that_fails_for_good_is_given_up(serve):
    with serve(STUBBORN, event_retry_delay_s=0, event_retries=1) as serving:
        request_id = serving.invoke(b"9", InvocationType="Event")["ResponseMetadata"]["RequestId"]
        ((given_up, reason),) = serving.journal.wait_for("given up")

    assert given_up == request_id
    assert reason.endswith("in attempt 2 of 2")
    assert len(serving.journal.of("invocation")) == 2


def test_events_wait_for_an_environment_instead_of_being_throttled(serve):
    with serve("def handler(event, context): return event", concurrency=1) as serving:
        for number in range(5):
            serving.invoke(str(number).encode(), InvocationType="Event")
        results = serving.journal.wait_for("invocation", 5)

    assert [result.payload for _, result in results] == [b"0", b"1", b"2", b"3", b"4"]
    assert {place for place, _ in results} == {"function/1"}


def test_an_event_that_became_too_old_is_given_up(serve):
    with serve(STUBBORN, event_retry_delay_s=LIMIT_S, event_max_age_s=0.5) as serving:
        serving.invoke(b"9", InvocationType="Event")
        ((_, reason),) = serving.journal.wait_for("given up")

    assert reason == "older than 0.5 s"


def test_what_waits_at_the_end_is_said(serve):
    """Stopping the service loses no event without a word."""
    with serve(STUBBORN, event_retry_delay_s=LIMIT_S) as serving:
        serving.invoke(b"9", InvocationType="Event")
        serving.journal.wait_for("retried")

    ((_, reason),) = serving.journal.of("given up")
    assert reason == "the service was stopped"
