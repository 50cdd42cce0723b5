"""FaaS metrics from the runner's process: what is counted, when it is exported, and when not."""

from __future__ import annotations

import time

import pytest

from tests.payload.external.host import Host
from tests.payload.external.sink import Sink
from tests.payload.external.test_phases import BEGAN, attributes, init_records

METRICS = "/v1/metrics"
DELTA, CUMULATIVE = 1, 2
MB = 1024 * 1024
ON = {"WRAPKIT_METRICS": "true", "WRAPKIT_FLUSH": "end"}
# So short that every export has metrics with it.
ALWAYS = {**ON, "OTEL_METRIC_EXPORT_INTERVAL": "1"}


def end_of(scene, reason="spindown"):
    scene.host.shut_down(reason)
    code, said = scene.runner.wait()
    assert (code, said) == (0, [])


def metrics(request):
    """The metrics of one request by name."""
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def point(metric):
    (found,) = (metric.sum if metric.HasField("sum") else metric.histogram).data_points
    return found


def report(request_id, **changes):
    record = {
        "requestId": request_id,
        "status": "success",
        "metrics": {
            "durationMs": 12.3,
            "billedDurationMs": 13,
            "memorySizeMB": 128,
            "maxMemoryUsedMB": 73,
        },
        "spans": [{"name": "extensionOverhead", "durationMs": 2.5}],
    }
    return ("platform.report", {**record, **changes})


def test_what_an_environment_has_seen_is_exported_at_its_end(scene):
    """Counters, durations and the platform's figures, once each, in one request."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.report(*init_records())
    for number in (1, 2):
        scene.invoke_with_hook(f"r{number}")
        scene.host.wait_for_next(number + 1)
        scene.host.report(report(f"r{number}"))
    scene.host.invoke("r3")
    start = {"time": int(BEGAN * 1e9), "trace": "1" * 32, "span": "2" * 16, "flags": 1}
    scene.runner.hook(t="start", id="r3", cold=True, **start, dropped=4)
    error = {"type": "KeyError", "message": "x"}
    scene.runner.hook(t="end", id="r3", time=int((BEGAN + 0.3) * 1e9), error=error)
    scene.host.wait_for_next(4)
    scene.host.report(
        report("r3"),
        ("platform.logsDropped", {"droppedRecords": 6, "droppedBytes": 9, "reason": "slow"}),
    )
    end_of(scene)

    (request,) = scene.sink.delivered(METRICS)
    found = metrics(request)
    counts = {
        name: point(metric).as_int for name, metric in found.items() if metric.HasField("sum")
    }
    assert counts == {
        "faas.invocations": 2,
        "faas.errors": 1,
        "faas.coldstarts": 1,
        "aws.lambda.logs_dropped": 6,
        "wrapkit.datagrams.dropped": 4,
    }
    assert point(found["faas.invoke_duration"]).count == 3
    assert point(found["faas.invoke_duration"]).max == pytest.approx(0.3)
    assert point(found["faas.init_duration"]).sum == pytest.approx(0.1235)
    assert point(found["aws.lambda.billed_duration"]).sum == pytest.approx(0.039)
    assert point(found["aws.lambda.extension_overhead"]).sum == pytest.approx(0.0075)
    assert point(found["faas.mem_usage"]).max == 73 * MB
    assert {metric.unit for metric in found.values()} >= {"s", "By", "{invocation}", "{error}"}
    resource = attributes(request.resource_metrics[0].resource.attributes)
    assert resource["faas.name"] == "orders"
    assert resource["faas.instance"] == "2024/05/02[$LATEST]abc"


def test_the_last_report_is_waited_for_at_shutdown(scene):
    """It lags by its buffering and more, behind SHUTDOWN."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    scene.host.report(report("r1"))
    scene.runner.wait()

    assert point(metrics(scene.sink.delivered(METRICS)[0])["faas.mem_usage"]).count == 1


def test_a_timeout_is_counted_as_one(scene):
    """And not as an error, nor as an invocation that succeeded."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.host.invoke("r1", timeout_s=0.2)
    scene.host.wait_for_next(2)
    scene.host.shut_down("timeout")
    scene.host.report(("platform.runtimeDone", {"requestId": "r1", "status": "timeout"}))
    scene.runner.wait()

    found = metrics(scene.sink.delivered(METRICS)[0])
    assert point(found["faas.timeouts"]).as_int == 1
    assert not {"faas.errors", "faas.invocations"} & found.keys()


@pytest.mark.parametrize(("preference", "temporality"), [(None, DELTA), ("lowmemory", DELTA),
                                                         ("Cumulative", CUMULATIVE)])  # fmt: skip
def test_each_export_says_what_changed_or_all_of_it(scene, preference, temporality):
    """Delta by default: an environment lives too short for its counters to be compared."""
    variables = {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": preference}
    scene.start(**ALWAYS, **variables)
    scene.host.wait_for_next(1)
    scene.host.report()  # answered by a runner that has loaded everything
    time.sleep(0.005)  # the interval: 1 ms
    for number in (1, 2, 3):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"r{number}")
    scene.host.wait_for_next(4)
    end_of(scene)

    found = [metrics(request).get("faas.invocations") for request in scene.sink.delivered(METRICS)]
    found = [metric for metric in found if metric is not None]
    assert {metric.sum.aggregation_temporality for metric in found} == {temporality}
    counted = [point(metric).as_int for metric in found]
    starts = [point(metric).start_time_unix_nano for metric in found]
    ends = [point(metric).time_unix_nano for metric in found]
    if temporality == DELTA:
        assert counted == [1, 1, 1]
        assert starts[1:] == ends[:-1]
    else:
        assert counted[:3] == [1, 2, 3]
        assert len(set(starts)) == 1


def test_metrics_ride_on_an_export_once_in_their_interval(scene):
    """A minute by default: of three exports none has metrics with it, but the last has."""
    scene.start(**ON)
    for number in (1, 2, 3):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"r{number}")
    scene.host.wait_for_next(4)
    before = [path for path, *_ in scene.sink.requests]
    end_of(scene)

    assert before == ["/v1/traces"] * 3
    assert len(scene.sink.delivered(METRICS)) == 1


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 0),  # a backend for traces only would refuse them
        ({"OTEL_METRICS_EXPORTER": "otlp"}, 1),
        ({"OTEL_METRICS_EXPORTER": "console, otlp"}, 1),
        ({"OTEL_METRICS_EXPORTER": "otlp", "WRAPKIT_METRICS": "false"}, 0),
        ({"OTEL_METRICS_EXPORTER": "none", "WRAPKIT_METRICS": "true"}, 0),
        ({"OTEL_SDK_DISABLED": "true", "WRAPKIT_METRICS": "true"}, 0),
    ],
)
def test_who_gets_metrics(scene, variables, expected):
    """Who has named them for export, or asked wrapkit for them."""
    scene.start(WRAPKIT_FLUSH="end", **variables)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    end_of(scene)

    assert len(scene.sink.delivered(METRICS)) == expected


def test_an_endpoint_of_their_own_turns_them_on(scene):
    """And they go there, without any traces."""
    sink = Sink()
    scene.start(
        sink=sink,
        OTEL_EXPORTER_OTLP_ENDPOINT=None,
        OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=sink.endpoint + METRICS,
    )
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    end_of(scene)

    assert [path for path, *_ in sink.requests] == [METRICS]


def test_in_internal_mode_telemetry_counts(scene):
    """The spans are the hook's; the metrics are nobody else's."""
    scene.start(host=Host(), WRAPKIT_MODE="internal", **ON)
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 5.0}}
    scene.host.report(("platform.start", {"requestId": "r1"}), ("platform.runtimeDone", done))
    scene.host.wait_for_next(2)
    end_of(scene)

    (request,) = scene.sink.delivered(METRICS)
    assert point(metrics(request)["faas.invocations"]).as_int == 1
    assert scene.sink.spans() == []


@pytest.mark.parametrize(
    "figures",
    [
        None,
        [],
        "x",
        {"billedDurationMs": "13"},
        {"maxMemoryUsedMB": -1},
        {"billedDurationMs": True, "maxMemoryUsedMB": 1e300},
    ],
)
def test_figures_that_make_no_sense_are_left_out(scene, figures):
    """The platform's word is data from outside."""
    scene.start(**ON)
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.report(report("r1", metrics=figures, spans=figures))
    end_of(scene)

    found = metrics(scene.sink.delivered(METRICS)[0])
    assert found.keys() == {"faas.invocations", "faas.invoke_duration"}


def test_what_the_runner_could_not_deliver_is_counted(scene):
    """Its own counters go the same way as what they count, with the next export."""
    scene.start(sink=Sink(statuses=[400]), **ON)
    for number in (1, 2):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"r{number}")
    scene.host.wait_for_next(3)
    scene.host.shut_down()
    scene.runner.wait()

    found = metrics(scene.sink.delivered(METRICS)[0])
    assert point(found["wrapkit.requests.dropped"]).as_int == 1


def test_what_came_out_of_the_spool_is_counted(scene):
    """The next life of the environment tells what the last one saved."""
    spool = {"TMPDIR": str(scene.folder)}
    scene.start(sink=Sink(statuses=[503] * 8), **spool, WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    scene.runner.wait()
    for part in (scene.runner, scene.host, scene.sink):
        part.close()
    scene.start(**spool, **ON)
    for number in (1, 2):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"next{number}")
    scene.host.wait_for_next(3)
    end_of(scene)

    found = metrics(scene.sink.delivered(METRICS)[0])
    assert len(scene.sink.spans()) == 3
    assert point(found["wrapkit.requests.recovered"]).as_int == 1
