"""Function and extension logs as OTLP logs: whose they are, and when there are none."""

from __future__ import annotations

import pytest

from tests.payload.external.host import Host
from tests.payload.external.test_phases import BEGAN, attributes, init_records
from tests.payload.shared.test_otlp import value_of

LOGS = "/v1/logs"
SERVER = 2
FIRST, SECOND = "8286a188-ba32-4475-8077-530cd35c09a1", "8286a188-ba32-4475-8077-530cd35c09a2"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
X_RAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
ON = {"WRAPKIT_LOGS": "function", "WRAPKIT_FLUSH": "end"}
DONE = {"status": "success", "metrics": {"durationMs": 5.0}}


def end_of(scene, reason="spindown"):
    scene.host.shut_down(reason)
    code, said = scene.runner.wait()
    assert (code, said) == (0, [])


def records(scene):
    """Every log record that was delivered."""
    return [
        record
        for request in scene.sink.delivered(LOGS)
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def by_body(scene):
    return {value_of(record.body): record for record in records(scene)}


def spans(scene):
    return {
        attributes(span.attributes)["faas.invocation_id"]: span
        for span in scene.sink.spans()
        if span.kind == SERVER
    }


def ids(record):
    return record.trace_id, record.span_id


def line(text, at):
    return ("function", text, BEGAN + at)


def test_lines_belong_to_the_hooks_span(scene):
    """By the request id where there is one, else by the time."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook(FIRST, span=SPAN)
    scene.host.wait_for_next(2)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        # The platform's records and the lines come from different sources, so not in order.
        ("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.010),
        line("printed\n", 0.002),
        line(f"[ERROR]\t2023-11-14T22:13:20.003Z\t{FIRST}\tfailed\n", 0.003),
        line("printed after the end\n", 0.020),
    )
    end_of(scene)

    found = by_body(scene)
    (request,) = scene.sink.delivered(LOGS)
    assert found.keys() == {"printed", "failed", "printed after the end"}
    for body in ("printed", "failed"):
        assert (found[body].trace_id.hex(), found[body].span_id.hex()) == (TRACE, SPAN)
        assert attributes(found[body].attributes) == {
            "aws.lambda.log.type": "function",
            "faas.invocation_id": FIRST,
        }
    assert found["failed"].severity_number == 17
    assert found["failed"].severity_text == "ERROR"
    assert found["printed"].severity_number == 0
    assert found["printed"].time_unix_nano == 1_700_000_000_002_000_000
    assert found["printed after the end"].span_id == b""
    resource = attributes(request.resource_logs[0].resource.attributes)
    assert resource["service.name"] == "orders"


def test_subscribed_is_what_is_wanted(scene):
    """And nothing more: each record costs the platform and the runner."""
    scene.start(WRAPKIT_LOGS="extension, function")
    scene.host.wait_for_next(1)

    assert scene.host.subscriptions[0][1]["types"] == ["platform", "function", "extension"]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"WRAPKIT_LOGS": "none"},
        {"WRAPKIT_LOGS": "function", "OTEL_LOGS_EXPORTER": "none"},
        {"WRAPKIT_LOGS": "function", "OTEL_SDK_DISABLED": "true"},
        {"WRAPKIT_LOGS": "function", "OTEL_EXPORTER_OTLP_ENDPOINT": None},
        {"OTEL_LOGS_EXPORTER": "otlp"},  # that is for the function's SDK, which has the same lines
    ],
)
def test_without_being_asked_it_subscribes_to_no_logs(scene, variables):
    """Nobody pays for records that are thrown away."""
    scene.start(**variables)
    scene.host.wait_for_next(1)

    assert scene.host.subscriptions[0][1]["types"] == ["platform"]


def test_a_setting_that_makes_no_sense_is_one_line(scene):
    """It counts as unset."""
    scene.start(WRAPKIT_LOGS="everything")
    scene.host.wait_for_next(1)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert said == [
        "wrapkit: WRAPKIT_LOGS is neither none nor a list of function, extension; using none"
    ]


def test_without_a_hook_lines_have_the_ids_of_the_span_that_telemetry_makes(scene):
    """Also those that are encoded while the invocation runs."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.invoke(FIRST, trace_header=X_RAY)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        *[line(f"line {number}", 0.001) for number in range(600)],
    )
    scene.host.report(("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.005))
    scene.host.wait_for_next(2)
    end_of(scene)

    span = spans(scene)[FIRST]
    assert len(records(scene)) == 600
    assert {ids(record) for record in records(scene)} == {(span.trace_id, span.span_id)}
    assert span.trace_id.hex() == "5759e988bd862e3fe1be46a994272793"


def test_lines_that_come_with_the_next_invocation_belong_to_their_own(scene):
    """Telemetry stays behind in a freeze."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook(FIRST, span="1" * 16)
    scene.host.wait_for_next(2)
    scene.host.invoke(SECOND)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        line("of the first", 0.001),
        ("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.002),
        ("platform.start", {"requestId": SECOND}, BEGAN + 60),
        line("of the second", 60.001),
    )
    scene.host.report(("platform.runtimeDone", {"requestId": SECOND, **DONE}, BEGAN + 60.002))
    scene.host.wait_for_next(3)
    end_of(scene)

    found, made = by_body(scene), spans(scene)
    assert found["of the first"].span_id.hex() == "1" * 16
    assert ids(found["of the second"]) == (made[SECOND].trace_id, made[SECOND].span_id)


def test_what_was_printed_before_an_invocation_is_not_its_own(scene):
    """By the time: between two invocations a thread of the function may go on."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook(FIRST, span="1" * 16)
    scene.host.wait_for_next(2)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        ("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.002),
    )
    scene.host.report(("platform.start", {"requestId": SECOND}, BEGAN + 60))
    scene.host.report(line("late", 0.001), line("before", -1), line("between", 30))
    end_of(scene)

    found = {body: record.span_id.hex() for body, record in by_body(scene).items()}
    assert found == {"late": "1" * 16, "before": "", "between": ""}


def test_a_record_that_cannot_be_read_does_not_spoil_its_batch(scene):
    """It is left out, with one line; the rest of the batch is the invocation's end."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.invoke(FIRST)
    done = ("platform.runtimeDone", {"requestId": FIRST, **DONE})
    scene.host.report(("function", "of the year 33658", 1e12), ("function", None), done)
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert said == ["wrapkit: a record of platform telemetry cannot be read; leaving it out"]
    assert len(spans(scene)) == 1


def test_lines_of_the_init_belong_to_its_span(scene):
    """What is written while modules are imported."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.report(init_records()[0], line("importing", 0.05), *init_records()[1:])
    end_of(scene)

    (init,) = scene.sink.spans()
    assert ids(by_body(scene)["importing"]) == (init.trace_id, init.span_id)


def test_an_invocation_that_dies_has_its_last_lines(scene):
    """They come behind SHUTDOWN, and are waited for with the platform's word."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.invoke(FIRST, timeout_s=0.2)
    scene.host.wait_for_next(2)
    scene.host.shut_down("failure")
    died = {"requestId": FIRST, "status": "error", "errorType": "Runtime.ExitError"}
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        line("last words", 0.001),
        ("platform.runtimeDone", died, BEGAN + 0.002),
    )
    scene.runner.wait()

    assert ids(by_body(scene)["last words"])[1] == spans(scene)[FIRST].span_id


def test_objects_are_records_with_attributes(scene):
    """The JSON log format."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    content = {"level": "WARN", "message": "low", "requestId": FIRST, "stock": {"left": 2}}
    scene.host.report(("function", content, BEGAN))
    end_of(scene)

    (record,) = records(scene)
    assert value_of(record.body) == "low"
    assert record.severity_number == 13
    assert {pair.key: value_of(pair.value) for pair in record.attributes} == {
        "aws.lambda.log.type": "function",
        "faas.invocation_id": FIRST,
        "stock": {"left": 2},
    }


def test_the_runners_own_lines_are_not_exported(scene):
    """Else what is said about an export that failed would be exported, and fail."""
    scene.start(WRAPKIT_LOGS="extension", WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.report(
        ("extension", "wrapkit: the endpoint refused logs: it answered 400", BEGAN),
        ("extension", "another extension's line", BEGAN),
    )
    end_of(scene)

    assert by_body(scene).keys() == {"another extension's line"}


def test_side_by_side_only_a_request_id_tells_whose_line_it_is(scene):
    """Managed instances: two are running, and a printed line says nothing."""
    scene.start(AWS_LAMBDA_INITIALIZATION_TYPE="lambda-managed-instances", **ON)
    scene.host.wait_for_next(1)
    for request_id, span in ((FIRST, "1" * 16), (SECOND, "2" * 16)):
        start = {"time": int(BEGAN * 1e9), "trace": TRACE, "span": span, "flags": 1}
        scene.runner.hook(t="start", id=request_id, cold=False, **start)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        ("platform.start", {"requestId": SECOND}, BEGAN),
        line("printed", 0.001),
        line(f"[INFO]\t2023-11-14T22:13:20.003Z\t{SECOND}\tlogged\n", 0.001),
    )
    end_of(scene)

    found = by_body(scene)
    assert found["printed"].span_id == b""
    assert found["logged"].span_id.hex() == "2" * 16


def test_in_internal_mode_lines_have_no_span(scene):
    """The hook alone knows its ids; the request id is there."""
    scene.start(WRAPKIT_MODE="internal", **ON)
    scene.host.wait_for_next(1)
    scene.host.invoke(FIRST)
    scene.host.report(
        ("platform.start", {"requestId": FIRST}, BEGAN),
        line("printed", 0.001),
        ("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.002),
    )
    scene.host.wait_for_next(2)
    end_of(scene)

    (record,) = records(scene)
    assert record.span_id == b""
    assert attributes(record.attributes)["faas.invocation_id"] == FIRST


def test_a_flood_of_lines_is_bounded_and_spans_survive_it(scene):
    """The outbox drops the oldest lines, counts them, and says so once."""
    scene.start(host=Host(), **ON)
    scene.host.wait_for_next(1)
    scene.host.invoke(FIRST)
    for _ in range(14):
        scene.host.report(*[line("x" * 10_000, 0.001)] * 100)
    scene.host.report(("platform.runtimeDone", {"requestId": FIRST, **DONE}, BEGAN + 0.005))
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert len(spans(scene)) == 1
    assert len(records(scene)) <= 1400
    assert len(said) <= 2
