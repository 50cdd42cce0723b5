"""The main job from end to end: generate a layer, run the example with it, read its traces."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import BOUND_S

ORDERS = Path(__file__).parents[2] / "examples/python-orders"
EVENTS = sorted((ORDERS / "events").glob("*.json"))
PARENT_TRACE, PARENT_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def orders(wrapkit, tmp_path):
    """Runs the example's events with the layer of a mode between its services."""

    def run(mode, *options):
        layer = tmp_path / "layer"
        own = "{}.{}".format(*sys.version_info)
        code, _, stderr = wrapkit(
            *("generate", "--lang", "python", "--mode", mode, "--output", layer, "--python", own)
        )
        assert code == 0, stderr
        command = [
            *(sys.executable, ORDERS / "services.py", sys.executable, "-m", "wrapkit.tooling.cli"),
            *("run", "--task", ORDERS, "--handler", "app.handler", "--layer", layer),
            # Botocore takes most of the default timeout's seconds to load on a busy machine.
            *("--env", "AWS_ENDPOINT_URL_DYNAMODB", "--env", "PRICES_URL", "--timeout", "30"),
            *(*options, "--event", *EVENTS),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("mode", ["internal", "external", "both"])
def test_each_mode_gives_each_invocation_one_trace_of_the_same_shape(orders, mode):
    document = json.loads(orders(mode, "--json"))
    assert document["telemetry"]["duplicate_span_ids"] == []
    outcomes = [invocation["function_error"] for invocation in document["invocations"]]
    assert outcomes == [None, None, "Unhandled"]
    spans, calls = {}, {}
    # Init is no invocation: where the extension runs, its span has a trace of its own.
    inits = [trace for trace in document["traces"] if not trace["request_ids"]]
    assert [trace["spans"][0]["name"] for trace in inits] == ["init"] * (mode != "internal")
    for trace in document["traces"]:
        if trace in inits:
            continue
        (request_id,) = trace["request_ids"]
        root, *below = sorted(trace["spans"], key=lambda span: span["start_time_unix_nano"])
        spans[request_id] = root
        assert {span["parent_span_id"] for span in below} <= {root["span_id"]}
        calls[request_id] = [(span["name"], span["kind"]) for span in below]
    order = [(name, "CLIENT") for name in ("DynamoDB.GetItem", "GET", "DynamoDB.PutItem")]
    whole = [order, order, order[:1]]
    assert [calls[item["request_id"]] for item in document["invocations"]] == (
        whole if mode != "external" else [[], [], []]
    )
    first, second, third = (spans[item["request_id"]] for item in document["invocations"])
    assert (first["trace_id"], first["parent_span_id"]) == (
        (PARENT_TRACE, PARENT_SPAN) if mode != "external" else (first["trace_id"], "")
    )
    assert [span["attributes"]["faas.coldstart"] for span in (first, second, third)] == [
        True,
        False,
        False,
    ]
    for span in (first, second, third):
        assert (span["name"], span["kind"]) == ("python-orders", "SERVER")
        assert span["resource"]["faas.name"] == "python-orders"
        assert span["scope_name"] == "wrapkit"
        assert span["end_time_unix_nano"] > span["start_time_unix_nano"]
    assert "ERROR" not in (first["status_code"], second["status_code"])
    if mode != "external":
        assert third["status_code"] == "ERROR"
        (exception,) = third["events"]
        assert exception["attributes"]["exception.message"] == "there is no order A-9999"
        assert "in handler" in exception["attributes"]["exception.stacktrace"]


def test_the_terminal_shows_phases_log_outcomes_and_waterfalls(orders):
    shown = orders("both")
    for text in (
        "  extension wrapkit ",
        "  runtime ",
        "EXTENSION  Name: wrapkit  State: Ready",
        "order A-1001: 13.50 EUR",
        "error OrderNotFoundError",
        "wrapkit: exit status 0",
        "TRACES  4 traces, 11 spans in ",
        "├─ DynamoDB.GetItem ",
        "├─ GET ",
        f"trace {PARENT_TRACE}  continues span {PARENT_SPAN}",
        "OrderNotFoundError: there is no order A-9999",
        "3 invocations, 2 succeeded, 1 failed",
    ):
        assert text in shown
