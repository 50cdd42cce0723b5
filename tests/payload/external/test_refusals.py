"""What an endpoint says beside its status, and how often it is asked: through the real runner."""

from __future__ import annotations

import json
import time
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tests.payload.external.sink import Sink

PROTOBUF = (("Content-Type", "application/x-protobuf"),)
JSON = (("Content-Type", "application/json"),)


def begin(scene, sink):
    scene.start(sink=sink)
    scene.host.wait_for_next(1)


def invoke(scene, count=1):
    for _ in range(count):
        calls = scene.host.next_calls
        scene.invoke_with_hook(f"r{calls}", span=f"{calls:016x}")
        scene.host.wait_for_next(calls + 1)


def shut_down(scene, **how):
    scene.host.shut_down(**how)
    return scene.runner.wait()


def test_what_was_rejected_of_a_batch_is_counted_and_not_sent_again(scene):
    """Partial success is final: one line with the endpoint's reason, the sum at the end."""
    partial = ExportTracePartialSuccess(rejected_spans=2, error_message="too\nold")
    answer = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    begin(scene, Sink(headers=PROTOBUF, body=answer))
    invoke(scene, 3)
    code, said = shut_down(scene)

    assert code == 0
    assert len(scene.sink.requests) == 3
    assert said == [
        "wrapkit: the endpoint rejected 2 items of traces (it says: too old)",
        "wrapkit: 6 items were rejected",
    ]


def test_an_answer_that_does_not_end_costs_no_memory_and_is_not_asked_for_twice(scene):
    """The status says that the spans have arrived; the body is let go."""
    begin(scene, Sink(body=b"x" * 40_000_000))
    invoke(scene, 2)
    status = Path(f"/proc/{scene.runner.process.pid}/status").read_text(encoding="ascii")
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    code, said = shut_down(scene)

    assert (code, said) == (0, [])
    assert len(scene.sink.spans()) == 2
    assert peak_kb < 35_000  # the body has 40 MB


def test_partial_success_in_json_is_understood(scene):
    """Some backends answer in JSON whatever they were asked in."""
    answer = {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no"}}
    begin(scene, Sink(headers=JSON, body=json.dumps(answer).encode()))
    invoke(scene)
    _, said = shut_down(scene)

    assert said[-1] == "wrapkit: 1 items were rejected"


def test_the_reason_of_a_refusal_is_said(scene):
    """The body of a 400 is what a user needs to see; the status alone explains little."""
    answer = json.dumps({"code": 3, "message": "unknown api key"}).encode()
    begin(scene, Sink(statuses=[400] * 3, headers=JSON, body=answer))
    invoke(scene, 3)
    code, said = shut_down(scene)

    assert code == 0
    assert "it answered 400; they are dropped (it says: unknown api key)" in said[0]
    assert said[1:] == ["wrapkit: 3 requests were dropped"]


def test_shutdown_has_the_time_for_another_attempt(scene):
    """Two failures in a row at SHUTDOWN: the second attempt waits its backoff, then succeeds."""
    begin(scene, Sink(statuses=[503, 429]))
    invoke(scene)
    began = time.monotonic()
    # More than the platform's 2 s, in which the random half of the backoffs need not fit.
    code, _ = shut_down(scene, budget_ms=8000)

    assert code == 0
    assert [status for *_, status in scene.sink.requests] == [503, 429, 200]
    assert time.monotonic() - began > 0.5  # half of the first backoff is not random
    assert len(scene.sink.spans()) == 1


def test_a_date_in_retry_after_is_kept(scene):
    """The second invocation comes before it; SHUTDOWN does not wait for what is beyond its end."""
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 120))
    begin(scene, Sink(statuses=[503], headers=(("Retry-After", later),)))
    invoke(scene, 2)
    assert len(scene.sink.requests) == 1
    shut_down(scene)

    assert len(scene.sink.spans()) == 2
