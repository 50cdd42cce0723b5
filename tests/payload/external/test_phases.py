"""Init and Restore as spans, and the link of the first invocation's span."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.payload.external.host import Host
from wrapkit.payload.external._phases import Phases

INTERNAL, SERVER, ERROR = 1, 2, 2
BEGAN = 1_700_000_000.0
COMMON = {"initializationType": "on-demand", "phase": "init"}
STARTED = {**COMMON, "instanceId": "2024/05/02[$LATEST]abc", "runtimeVersion": "python:3.13.v43"}
DONE = {**COMMON, "status": "success"}
REPORTED = {**DONE, "metrics": {"durationMs": 123.5}}


def attributes(pairs):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def init_records(began=BEGAN):
    return [
        ("platform.initStart", STARTED, began),
        ("platform.initRuntimeDone", DONE, began + 0.1),
        ("platform.initReport", REPORTED, began + 0.124),
    ]


def of_kind(scene, kind):
    return [span for span in scene.sink.spans() if span.kind == kind]


def end_of(scene, reason="spindown"):
    scene.host.shut_down(reason)
    code, said = scene.runner.wait()
    assert (code, said) == (0, [])


def test_init_is_a_span_and_the_first_invocation_links_to_it(scene):
    """A trace of its own, the platform's times, and one link from the first invocation only."""
    scene.start(WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.report(*init_records())
    for number in (1, 2):
        scene.invoke_with_hook(f"r{number}")
        scene.host.wait_for_next(number + 1)
    end_of(scene)

    (init,) = of_kind(scene, INTERNAL)
    first, second = of_kind(scene, SERVER)
    assert init.name == "init"
    assert init.parent_span_id == b""
    assert init.trace_id != first.trace_id
    assert init.start_time_unix_nano == BEGAN * 1e9
    assert init.end_time_unix_nano - init.start_time_unix_nano == 123_500_000
    assert init.status.code == 0
    assert attributes(init.attributes) == {
        "faas.coldstart": True,
        "aws.lambda.initialization_type": "on-demand",
        "aws.lambda.phase": "init",
        "aws.lambda.runtime_version": "python:3.13.v43",
    }
    assert [event.name for event in init.events] == ["platform.initRuntimeDone"]
    assert [(link.trace_id, link.span_id) for link in first.links] == [
        (init.trace_id, init.span_id)
    ]
    assert not second.links


def test_a_report_that_comes_after_the_first_invocation_makes_the_span_that_was_linked_to(scene):
    """The ids are there from initStart on."""
    scene.start(WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.report(init_records()[0])
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.report(*init_records()[1:])
    end_of(scene)

    (init,) = of_kind(scene, INTERNAL)
    (first,) = of_kind(scene, SERVER)
    assert first.links[0].span_id == init.span_id


@pytest.mark.parametrize("status", [200, 202])
def test_a_link_needs_telemetry_that_is_promised_and_not_that_it_has_come(scene, status):
    """The invocation's span does not wait for it; that of Init has the ids that it named."""
    scene.start(host=Host(telemetry_status=status), WRAPKIT_FLUSH="end")
    for number in (1, 2):
        scene.host.wait_for_next(number)
        scene.invoke_with_hook(f"r{number}")
    scene.host.wait_for_next(3)
    if status == 200:
        scene.host.report(*init_records())
    end_of(scene)

    first, second = of_kind(scene, SERVER)
    phases = [(span.trace_id, span.span_id) for span in of_kind(scene, INTERNAL)]
    assert [(link.trace_id, link.span_id) for link in first.links] == phases
    assert len(phases) == (1 if status == 200 else 0)
    assert not second.links


def test_in_external_mode_it_is_the_same(scene):
    """One batch may hold the Init and the whole first invocation."""
    scene.start(WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 5.0}}
    scene.host.report(
        *init_records(),
        ("platform.start", {"requestId": "r1"}, BEGAN + 0.125),
        ("platform.runtimeDone", done, BEGAN + 0.130),
    )
    scene.host.wait_for_next(2)
    end_of(scene)

    (init,) = of_kind(scene, INTERNAL)
    (first,) = of_kind(scene, SERVER)
    assert first.links[0].span_id == init.span_id


def test_an_init_that_fails_and_is_repeated_has_two_spans(scene):
    """In one process, as where extensions outlive the reset: both are linked to."""
    again = {**STARTED, "phase": "invoke"}
    failed = {**COMMON, "status": "error", "errorType": "Runtime.ExitError"}
    scene.start(WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.report(
        ("platform.initStart", STARTED, BEGAN),
        ("platform.initRuntimeDone", failed, BEGAN + 0.1),
        ("platform.initReport", {**failed, "metrics": {"durationMs": 101.0}}, BEGAN + 0.101),
        ("platform.initStart", again, BEGAN + 1),
        ("platform.initReport", {**REPORTED, "phase": "invoke"}, BEGAN + 1.124),
        ("platform.initReport", {**REPORTED, "phase": "invoke"}, BEGAN + 1.124),
    )
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    end_of(scene)

    first, second = of_kind(scene, INTERNAL)
    assert first.status.code == ERROR
    assert attributes(first.attributes)["error.type"] == "Runtime.ExitError"
    assert second.status.code == 0
    assert attributes(second.attributes)["aws.lambda.phase"] == "invoke"
    (invocation,) = of_kind(scene, SERVER)
    assert [link.span_id for link in invocation.links] == [first.span_id, second.span_id]


def test_an_init_that_is_cut_off_has_its_span_from_shutdown(scene):
    """What the platform owes is waited for, briefly; then the reason is all there is to say."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.report(init_records(time.time())[0])
    end_of(scene, "failure")

    (init,) = of_kind(scene, INTERNAL)
    assert attributes(init.attributes)["error.type"] == "failure"
    assert init.start_time_unix_nano < init.end_time_unix_nano


def test_the_platforms_word_on_a_failed_init_is_waited_for(scene):
    """It lags by its buffering, behind SHUTDOWN."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.report(init_records(time.time())[0])
    scene.host.shut_down("failure")
    failed = {**COMMON, "status": "error", "errorType": "Runtime.ImportModuleError"}
    scene.host.report(("platform.initReport", failed))
    scene.runner.wait()

    (init,) = of_kind(scene, INTERNAL)
    assert attributes(init.attributes)["error.type"] == "Runtime.ImportModuleError"


def test_a_restore_is_a_span_and_its_snapshots_init_is_not(scene):
    """The Init's success is copied into every environment; each would export its span."""
    restored = {"status": "success"}
    snap_start = {"initializationType": "snap-start", "phase": "snap-start"}
    scene.start(WRAPKIT_FLUSH="end")
    scene.host.wait_for_next(1)
    scene.host.report(
        ("platform.initStart", snap_start, BEGAN),
        ("platform.initReport", {**snap_start, "status": "success"}, BEGAN + 3),
        ("platform.restoreStart", {"instanceId": "i"}, BEGAN + 9),
        ("platform.restoreRuntimeDone", restored, BEGAN + 9.2),
        ("platform.restoreReport", {**restored, "metrics": {"durationMs": 250}}, BEGAN + 9.3),
    )  # fmt: skip
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    end_of(scene)

    (restore,) = of_kind(scene, INTERNAL)
    (invocation,) = of_kind(scene, SERVER)
    assert restore.name == "restore"
    assert restore.end_time_unix_nano - restore.start_time_unix_nano == 250_000_000
    assert [link.span_id for link in invocation.links] == [restore.span_id]


def test_in_internal_mode_there_is_no_span(scene):
    """The spans are the hook's there."""
    scene.start(WRAPKIT_MODE="internal")
    scene.host.wait_for_next(1)
    scene.host.report(*init_records())
    end_of(scene)

    assert scene.sink.requests == []


RECORD = st.tuples(
    st.sampled_from(
        [f"platform.{name}{part}" for name in ("init", "restore")
         for part in ("Start", "RuntimeDone", "Report")]
    ),
    st.fixed_dictionaries(
        {},
        optional={
            "phase": st.sampled_from(["init", "invoke", "snap-start"]),
            "initializationType": st.sampled_from(["on-demand", "snap-start"]),
            "status": st.sampled_from(["success", "error", "timeout", None, 1]),
            "errorType": st.sampled_from(["Runtime.ExitError", None]),
            "metrics": st.just({"durationMs": 5.5}) | st.just("none"),
        },
    ),
)  # fmt: skip


@given(st.lists(RECORD, max_size=12), st.booleans())
def test_no_phase_has_two_spans_and_no_link_leads_nowhere(records, expects_init):
    """Whatever comes, in whatever order; where Init is expected, its first record does."""
    records = [("platform.initStart", {"phase": "init"})] * expects_init + records
    phases, spans, linked = Phases(expects_init=expects_init), [], set()
    linked.update(link.span_id for link in phases.links())
    for time_ns, (kind, record) in enumerate(records):
        spans.append(phases.take(kind, record, time_ns))
        linked.update(link.span_id for link in phases.links())
    spans.append(phases.shut_down("failure", 1 << 40))

    ids = [span.span_id for span in spans if span is not None]
    starts = sum(kind.endswith("Start") for kind, _ in records)
    assert len(ids) == len(set(ids)) <= starts
    assert linked <= set(ids)
    assert not phases
    assert all(s.start_time_unix_nano <= s.end_time_unix_nano for s in spans if s is not None)
