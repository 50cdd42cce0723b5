"""Exactly one span for each invocation, whichever of the four sources speaks first."""

from __future__ import annotations

import json
import time

import pytest

from tests.payload.external.host import ARN, Host

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
X_RAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def start(request_id, **changes):
    known = {
        "t": "start",
        "id": request_id,
        "time": 1_700_000_000_000_000_000,
        "trace": TRACE,
        "span": "00f067aa0ba902b7",
        "flags": 1,
        "cold": True,
    }
    return {**known, **changes}


def only_span(scene):
    (span,) = scene.sink.spans()
    return span


def end_of(scene, reason="spindown"):
    """Shuts the environment down and returns what the runner said."""
    scene.host.shut_down(reason)
    code, said = scene.runner.wait()
    assert code == 0, said
    return said


def test_the_hooks_datagrams_become_the_invocation_span(scene):
    """Ids and times are the hook's, the ARN is from INVOKE, the resource from the environment."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", trace_header=X_RAY)
    scene.runner.hook(**start("r1", parent=PARENT, state="vendor=1"))
    scene.runner.hook(t="end", id="r1", time=1_700_000_000_250_000_000)
    scene.host.wait_for_next(2)

    (request,) = scene.sink.delivered()
    resource = attributes(request.resource_spans[0].resource.attributes)
    span = only_span(scene)
    assert span.trace_id.hex() == TRACE
    assert span.span_id.hex() == "00f067aa0ba902b7"
    assert span.parent_span_id.hex() == PARENT
    assert (span.name, span.kind, span.trace_state) == ("orders", 2, "vendor=1")
    assert span.start_time_unix_nano == 1_700_000_000_000_000_000
    assert span.end_time_unix_nano == 1_700_000_000_250_000_000
    assert attributes(span.attributes) == {
        "faas.invocation_id": "r1",
        "faas.coldstart": True,
        "cloud.resource_id": ARN.removesuffix(":live"),
        "aws.lambda.invoked_arn": ARN,
    }
    assert resource["service.name"] == "orders"
    assert resource["cloud.account.id"] == "123456789012"
    assert resource["faas.max_memory"] == 128 * 1024 * 1024
    assert request.resource_spans[0].scope_spans[0].scope.name == "wrapkit"


def test_an_error_of_the_handler_is_the_spans(scene):
    """The hook's error is status, error.type and exception event."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook(**start("r1"))
    error = {"type": "KeyError", "message": "'id'", "stack": "Traceback ..."}
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000, error=error)
    scene.host.wait_for_next(2)

    span = only_span(scene)
    assert (span.status.code, span.status.message) == (2, "'id'")
    assert attributes(span.attributes)["error.type"] == "KeyError"
    assert attributes(span.events[0].attributes) == {
        "exception.type": "KeyError",
        "exception.message": "'id'",
        "exception.stacktrace": "Traceback ...",
    }


def test_what_invoked_the_function(scene):
    """Attributes and links of the start, and what the end adds of the response."""
    links = [[TRACE, PARENT, 0, "a=1"], [TRACE, "00f067aa0ba902b8", 1, ""]]
    asked = {"faas.trigger": "http", "http.request.method": "GET"}
    answered = {"http.response.status_code": 503, "error.type": "503"}
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook(**start("r1", attributes=asked, links=links))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000, attributes=answered)
    scene.host.wait_for_next(2)

    span = only_span(scene)
    assert {**asked, **answered}.items() <= attributes(span.attributes).items()
    *senders, _init = span.links
    assert [
        [link.trace_id.hex(), link.span_id.hex(), link.flags & 0xFF, link.trace_state]
        for link in senders
    ] == links
    assert (span.status.code, len(span.events)) == (2, 0)


@pytest.mark.parametrize("links", [[5], [[]], [["x" * 32, PARENT, 1, ""]], [[TRACE]]], ids=str)
def test_links_of_no_shape(scene, links):
    """The datagram is left out as a whole, and said; telemetry makes the span."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook(**start("r1", links=links))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.host.wait_for_next(2)

    assert only_span(scene).trace_id.hex() != TRACE
    assert any("a datagram of the hook cannot be read" in line for line in end_of(scene))


def test_without_a_hook_telemetry_makes_the_span(scene):
    """External mode: the trace is INVOKE's, start and duration are the platform's."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", trace_header=X_RAY)
    began = time.time()
    scene.host.report(("platform.start", {"requestId": "r1"}, began))
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 12.345}}
    scene.host.report(("platform.runtimeDone", done, began + 0.013))
    scene.host.wait_for_next(2)

    span = only_span(scene)
    assert span.trace_id.hex() == "5759e988bd862e3fe1be46a994272793"
    assert span.parent_span_id.hex() == "53995c3f42cd8ad8"
    assert span.end_time_unix_nano - span.start_time_unix_nano == 12_345_000
    assert abs(span.start_time_unix_nano - began * 1e9) < 2_000_000
    assert attributes(span.attributes)["faas.coldstart"] is True
    assert span.status.code == 0


def invoked_without_hook(scene, **environ):
    scene.start(**environ)
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", trace_header=X_RAY)
    scene.host.report(("platform.start", {"requestId": "r1"}, time.time()))
    scene.host.report(
        ("platform.runtimeDone", {"requestId": "r1", "status": "success"}, time.time())
    )
    scene.host.wait_for_next(2)


@pytest.mark.parametrize(
    ("sampler", "argument", "sampled"), [("always_off", "", 0), ("traceidratio", "1", 1)]
)
def test_without_a_hook_the_runner_samples(scene, sampler, argument, sampled):
    """External mode: the sampler is asked by who makes the ids."""
    environ = {"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": argument}
    invoked_without_hook(scene, **environ)

    assert len(scene.sink.spans()) == sampled


def test_without_a_hook_and_without_its_header(scene):
    """External mode: a trace of its own where Lambda's header is not to be looked at."""
    invoked_without_hook(scene, OTEL_PROPAGATORS="tracecontext")

    span = only_span(scene)
    assert (span.trace_id.hex() != "5759e988bd862e3fe1be46a994272793", span.parent_span_id) == (
        True,
        b"",
    )


def test_a_span_on_the_console(scene, capfd):
    """The extension prints it, and exports nothing where only that is asked for."""
    invoked_without_hook(scene, OTEL_TRACES_EXPORTER="console")

    end_of(scene)
    (line,) = capfd.readouterr().out.splitlines()
    span = json.loads(line)
    assert span["context"]["trace_id"] == "0x5759e988bd862e3fe1be46a994272793"
    assert span["parent_id"] == "0x53995c3f42cd8ad8"
    assert span["attributes"]["faas.invocation_id"] == "r1"
    assert span["resource"]["attributes"]["cloud.account.id"] == "123456789012"
    assert scene.sink.spans() == []


def test_the_limits_of_a_span(scene):
    """They are OpenTelemetry's."""
    invoked_without_hook(scene, OTEL_ATTRIBUTE_COUNT_LIMIT="2")

    span = only_span(scene)
    assert len(span.attributes) == 2
    assert span.dropped_attributes_count > 0


def test_the_second_invocation_is_not_a_cold_start(scene):
    """Without a hook the first invocation of the process is the cold one."""
    scene.start()
    for number in (1, 2):
        scene.host.wait_for_next(number)
        scene.host.invoke(f"r{number}")
        done = {"requestId": f"r{number}", "status": "success", "metrics": {"durationMs": 5.0}}
        scene.host.report(("platform.runtimeDone", done))
    scene.host.wait_for_next(3)

    cold = [attributes(span.attributes)["faas.coldstart"] for span in scene.sink.spans()]
    assert cold == [True, False]


def test_late_telemetry_makes_no_second_span(scene):
    """platform.runtimeDone and platform.report after the hook's end change nothing."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.invoke("r2")
    scene.host.report(
        ("platform.start", {"requestId": "r1"}),
        ("platform.runtimeDone", {"requestId": "r1", "status": "success"}),
        ("platform.report", {"requestId": "r1", "status": "success"}),
    )
    scene.runner.hook(t="end", id="r1", time=time.time_ns())
    scene.runner.hook(**start("r2"))
    scene.runner.hook(t="end", id="r2", time=1_700_000_001_000_000_000)
    scene.host.wait_for_next(3)
    end_of(scene)

    ids = [attributes(span.attributes)["faas.invocation_id"] for span in scene.sink.spans()]
    assert ids == ["r1", "r2"]


def test_datagrams_that_come_before_invoke_count(scene):
    """The hook may be faster than the event: its end is remembered until INVOKE comes."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.runner.hook(**start("r1"))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.host.invoke("r1")
    scene.host.wait_for_next(2)

    assert only_span(scene).trace_id.hex() == TRACE


def test_a_timeout_ends_the_span_at_shutdown(scene):
    """A start without an end, then SHUTDOWN: the span is an error of type timeout."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", timeout_s=0.2)
    scene.runner.hook(**start("r1"))
    scene.host.wait_for_next(2)  # shortly before the deadline: else SHUTDOWN could not come
    end_of(scene, "timeout")

    span = only_span(scene)
    assert span.status.code == 2
    assert attributes(span.attributes)["error.type"] == "timeout"
    assert span.span_id.hex() == "00f067aa0ba902b7"


def test_a_dead_runtime_ends_the_span_with_the_platforms_error(scene):
    """platform.runtimeDone names the error type of a runtime that exited; SHUTDOWN adds no span."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook(**start("r1"))
    done = {"requestId": "r1", "status": "error", "errorType": "Runtime.ExitError"}
    scene.host.report(("platform.runtimeDone", done))
    scene.host.wait_for_next(2)
    end_of(scene, "failure")

    span = only_span(scene)
    assert attributes(span.attributes)["error.type"] == "Runtime.ExitError"
    assert span.trace_id.hex() == TRACE


def test_the_platforms_word_that_comes_after_shutdown_is_waited_for(scene):
    """Telemetry lags by its buffering: the error type is the platform's, not a guess."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", timeout_s=0.2)
    scene.runner.hook(**start("r1"))
    scene.host.wait_for_next(2)
    scene.host.shut_down("failure")
    done = {"requestId": "r1", "status": "error", "errorType": "OutOfMemory"}
    scene.host.report(("platform.runtimeDone", done))
    scene.runner.wait()

    assert attributes(only_span(scene).attributes)["error.type"] == "OutOfMemory"


def test_an_unsampled_trace_is_not_exported(scene):
    """A W3C parent's unset sampled flag is a decision."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook(**start("r1", flags=0))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.host.wait_for_next(2)
    end_of(scene)

    assert scene.sink.requests == []


@pytest.mark.parametrize(
    "datagram",
    [
        b"not json",
        b"[]",
        b'{"t":"start","id":"r1"}',
        b'{"t":"end","id":"r1","time":"soon"}',
        b'{"t":"start","id":"r1","time":-1,"trace":"xyz","span":"1"}',
        b'{"t":"unheard-of","id":"r1"}',
        b"\xff\xfe",
    ],
)
def test_a_malformed_datagram_is_left_out(scene, datagram):
    """What the hook would never send disturbs nothing."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    scene.runner.hook_bytes(datagram)
    scene.runner.hook(**start("r1"))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.host.wait_for_next(2)

    assert only_span(scene).trace_id.hex() == TRACE


def test_managed_instances_export_by_the_clock(scene):
    """Without INVOKE events spans of invocations side by side are exported after an interval."""
    scene.start(AWS_LAMBDA_INITIALIZATION_TYPE="lambda-managed-instances")
    scene.host.wait_for_next(1)
    assert scene.host.registrations[0][1] == {"events": ["SHUTDOWN"]}
    scene.runner.hook(**start("r1", span="1" * 16))
    scene.runner.hook(**start("r2", span="2" * 16))
    scene.runner.hook(t="end", id="r2", time=1_700_000_001_000_000_000)
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.sink.wait_for(1)
    end_of(scene)

    assert {span.span_id.hex() for span in scene.sink.spans()} == {"1" * 16, "2" * 16}
    resource = scene.sink.delivered()[0].resource_spans[0].resource
    assert attributes(resource.attributes)["cloud.account.id"] == "123456789012"


def test_a_span_that_telemetry_makes_has_the_platforms_figures(scene):
    """On managed instances platform.report is the end of an invocation."""
    scene.start(AWS_LAMBDA_INITIALIZATION_TYPE="lambda-managed-instances")
    scene.host.wait_for_next(1)
    figures = {"durationMs": 5.0, "billedDurationMs": 6, "maxMemoryUsedMB": 73, "other": 1}
    scene.host.report(("platform.report", {"requestId": "r1", "metrics": figures}))
    scene.sink.wait_for(1)
    end_of(scene)

    found = attributes(only_span(scene).attributes)
    assert found["aws.lambda.billed_duration_ms"] == 6
    assert found["aws.lambda.max_memory_used_mb"] == 73
    assert not any("other" in key or "init" in key for key in found)


def test_without_telemetry_the_hook_is_enough(scene):
    """A host that answers 202 has no telemetry; once the hook has spoken its end is waited for."""
    scene.start(host=Host(telemetry_status=202))
    for number in (1, 2):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"r{number}")
    scene.host.wait_for_next(3)
    assert end_of(scene) == []

    ids = [attributes(span.attributes)["faas.invocation_id"] for span in scene.sink.spans()]
    assert ids == ["r1", "r2"]


def test_a_retry_has_a_span_of_its_own(scene):
    """An asynchronous retry has the request id of the first try, whose telemetry comes with it."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1", span="1" * 16)
    scene.host.wait_for_next(2)
    scene.host.invoke("r1")
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 5.0}}
    scene.host.report(("platform.start", {"requestId": "r1"}), ("platform.runtimeDone", done))
    scene.host.report(("platform.report", done))
    assert scene.host.next_calls == 2  # the retry is still under way
    scene.runner.hook(**start("r1", span="2" * 16))
    scene.runner.hook(t="end", id="r1", time=1_700_000_001_000_000_000)
    scene.host.wait_for_next(3)
    end_of(scene)

    assert [span.span_id.hex() for span in scene.sink.spans()] == ["1" * 16, "2" * 16]


def test_in_internal_mode_the_runner_makes_no_spans(scene):
    """WRAPKIT_MODE may overrule the layer's: the hook exports by itself then."""
    scene.start(WRAPKIT_MODE="internal")
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 5.0}}
    scene.host.report(("platform.start", {"requestId": "r1"}), ("platform.runtimeDone", done))
    scene.host.wait_for_next(2)

    assert end_of(scene) == []
    assert scene.sink.requests == []
