"""What attaching and detaching make of a configuration: reversible, never more than asked for."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.attach import Attachment, FunctionConfiguration, LayerVersion, diff
from wrapkit.tooling.attach._plan import (
    MAX_VARIABLES_BYTES,
    as_configuration,
    attached_record,
    plan_attach,
    plan_detach,
    variables_bytes,
)
from wrapkit.tooling.attach._record import RECORD, Record, decode

LAYERS = "arn:aws:lambda:eu-west-1:123456789012:layer"
OURS = f"{LAYERS}:wrapkit-python:3"
OTHER = [f"{LAYERS}:other-{letter}:1" for letter in "abcde"]
WRAPPER, CHAIN = "AWS_LAMBDA_EXEC_WRAPPER", "WRAPKIT_CHAIN"


def function(layers=(), variables=None, **fields):
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    fields = {"runtime": "python3.12", **fields}
    return FunctionConfiguration(
        "orders", arn, layers=tuple(layers), variables=variables or {}, **fields
    )


def attachment(arn=OURS, **fields):
    return Attachment(LayerVersion(arn), **fields)


def attached(before, **fields):
    return as_configuration(plan_attach(before, attachment(**fields)))


NAMES = st.text(string.ascii_uppercase, min_size=2, max_size=4)
VALUES = st.text(max_size=12)


@given(
    layers=st.lists(st.sampled_from(OTHER), unique=True, max_size=4),
    variables=st.dictionaries(NAMES | st.sampled_from([WRAPPER, CHAIN]), VALUES, max_size=5),
    wanted=st.dictionaries(NAMES, VALUES, max_size=4),
    override=st.booleans(),
    chain=st.booleans(),
    replaced=st.lists(st.sampled_from(["other-a", "*-b", OTHER[2]]), max_size=2),
    again=st.booleans(),
)
def test_detaching_restores_precisely_what_was_before(
    layers, variables, wanted, override, chain, replaced, again
):
    """Whatever was there and whatever was asked for, once or twice, with another version or not."""
    before = function(layers, variables)
    asked = {
        "variables": wanted,
        "override": override,
        "chain": chain,
        "replace_layers": tuple(replaced),
    }
    now = attached(before, **asked)
    if again:
        now = attached(now, **{**asked, "arn": f"{LAYERS}:wrapkit-python:4"})
    back = as_configuration(plan_detach(now))

    assert now.layers.count(OURS) + now.layers.count(f"{LAYERS}:wrapkit-python:4") == 1
    assert back == before


@given(
    layers=st.lists(st.sampled_from(OTHER), unique=True, max_size=4),
    variables=st.dictionaries(NAMES | st.just(WRAPPER), VALUES, max_size=5),
    wanted=st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_attaching_twice_changes_nothing(layers, variables, wanted):
    now = attached(function(layers, variables), variables=wanted)

    assert not plan_attach(now, attachment(variables=wanted)).changes
    assert not plan_attach(now, attachment()).changes


def test_other_layers_keep_their_order_and_the_new_one_is_last():
    assert attached(function(OTHER[:3])).layers == (*OTHER[:3], OURS)


def test_a_new_version_takes_the_place_of_the_old_one():
    """Layers that were added since stay behind it."""
    now = attached(function(OTHER[:1]))
    extended = function((*now.layers, OTHER[1]), now.variables)

    new = attached(extended, arn=f"{LAYERS}:wrapkit-python:4")

    assert new.layers == (OTHER[0], f"{LAYERS}:wrapkit-python:4", OTHER[1])


def test_a_layer_that_makes_room_comes_back_in_its_place():
    before = function([OTHER[0], f"{LAYERS}:aws-otel-python-amd64:1", OTHER[1]])
    now = attached(before, replace_layers=("aws-otel-*",))

    assert now.layers == (OTHER[0], OTHER[1], OURS)
    assert as_configuration(plan_detach(now)) == before


def test_a_layer_with_the_same_wrapper_is_in_the_way():
    before = function([f"{LAYERS}:opentelemetry-python-0_9:1"])

    with pytest.raises(DiagnosticError, match="the same path") as error:
        plan_attach(before, attachment())
    assert "--replace-layer 'opentelemetry-python-0_9'" in error.value.hint


def test_an_exec_wrapper_that_is_there_is_chained():
    variables = attached(function(variables={WRAPPER: "/opt/datadog_wrapper"})).variables

    assert variables[WRAPPER] == "/opt/otel-handler"
    assert variables[CHAIN] == "/opt/datadog_wrapper"


def test_an_exec_wrapper_that_is_there_is_put_in_front_of_a_chain_that_is_there():
    before = function(variables={WRAPPER: "/opt/first", CHAIN: "/opt/second:/opt/third"})

    assert attached(before).variables[CHAIN] == "/opt/first:/opt/second:/opt/third"


def test_an_exec_wrapper_may_be_replaced():
    variables = attached(function(variables={WRAPPER: "/opt/bootstrap"}), chain=False).variables

    assert variables[WRAPPER] == "/opt/otel-handler"
    assert CHAIN not in variables


@pytest.mark.parametrize(
    "wrapper", ["/opt/otel-handler", "/opt/otel-instrument", "/opt/wrapkit-handler"]
)
def test_a_wrapper_by_a_name_of_ours_stays(wrapper):
    """opentelemetry-lambda's and ADOT's names are wrapkit's as well; only the layer changes."""
    variables = attached(function(variables={WRAPPER: wrapper})).variables

    assert variables[WRAPPER] == wrapper
    assert CHAIN not in variables


def test_a_collector_in_the_function_is_pointed_out():
    """It was in a layer that goes; wrapkit listens in its place."""
    before = function(variables={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"})
    backend = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com"}

    assert "names a collector in the function" in plan_attach(before, attachment()).notes[0]
    assert plan_attach(before, attachment(variables=backend, override=True)).notes == ()


def test_an_extension_alone_sets_no_wrapper():
    plan = plan_attach(function(), Attachment(LayerVersion(OURS, wrapper="")))

    assert set(plan.variables) == {RECORD}


def test_a_variable_that_is_there_wins():
    before = function(variables={"OTEL_SERVICE_NAME": "mine"})
    plan = plan_attach(before, attachment(variables={"OTEL_SERVICE_NAME": "theirs"}))

    assert plan.variables["OTEL_SERVICE_NAME"] == "mine"
    assert plan.notes == (
        "OTEL_SERVICE_NAME is set already and stays as it is; --override replaces it",
    )


def test_a_new_layer_version_keeps_the_variables_that_were_set_before():
    now = attached(function(), variables={"OTEL_SERVICE_NAME": "orders"})
    new = attached(now, arn=f"{LAYERS}:wrapkit-python:4")

    assert new.variables["OTEL_SERVICE_NAME"] == "orders"
    assert as_configuration(plan_detach(new)) == function()


def test_what_was_changed_since_stays_unless_forced():
    before = function(variables={WRAPPER: "/opt/old"})
    now = attached(before)
    changed = function(now.layers, {**now.variables, WRAPPER: "/opt/theirs"})
    plan = plan_detach(changed)

    assert plan.variables[WRAPPER] == "/opt/theirs"
    assert plan.notes == (
        "AWS_LAMBDA_EXEC_WRAPPER has been changed since and stays as it is; --force restores it",
    )
    assert as_configuration(plan_detach(changed, force=True)) == before


def test_a_function_without_a_record_is_not_detached():
    plan = plan_detach(function([OURS], {WRAPPER: "/opt/otel-handler"}))

    assert not plan.changes
    assert "no record of what was before" in plan.notes[0]
    assert plan_detach(function(OTHER[:1])).notes == ("not attached",)


@pytest.mark.parametrize(
    ("before", "asked", "reference"),
    [
        (function(OTHER), {}, "too-many-layers"),
        (function(variables={"A": "x" * 4000}), {}, "variables-too-large"),
        (function(variables_error="kms"), {}, "variables-not-readable"),
        (function(runtime="provided.al2023"), {}, "wrapper-not-honoured"),
        (function(variables={RECORD: "form=2&layer=x"}), {}, "record-too-new"),
        (function(variables={RECORD: "nonsense"}), {}, "record-damaged"),
        (function(variables={RECORD: "form=1&layer=x&set=A"}), {}, "record-damaged"),
    ],
)
def test_what_cannot_be_attached_is_refused_beforehand(before, asked, reference):
    with pytest.raises(DiagnosticError) as error:
        plan_attach(before, attachment(**asked))
    assert error.value.reference == reference


@pytest.mark.parametrize(
    ("layer", "reference"),
    [
        (LayerVersion(OURS, runtimes=("python3.11",)), "other-runtime"),
        (LayerVersion(OURS, architectures=("arm64",)), "other-architecture"),
    ],
)
def test_a_layer_for_another_runtime_or_architecture_is_refused(layer, reference):
    with pytest.raises(DiagnosticError) as error:
        plan_attach(function(), Attachment(layer))
    assert error.value.reference == reference


def test_the_limit_of_the_variables_is_reached_to_the_byte():
    """As Lambda measures: the JSON object."""
    overhead = variables_bytes(attached(function(variables={"A": ""})).variables)
    room = MAX_VARIABLES_BYTES - overhead

    assert attached(function(variables={"A": "x" * room}))
    with pytest.raises(DiagnosticError, match="4097 bytes"):
        plan_attach(function(variables={"A": "x" * (room + 1)}), attachment())


def test_variables_that_cannot_be_read_are_not_written():
    """Writing back what Lambda did not show would delete it."""
    with pytest.raises(DiagnosticError, match="does not show its variables"):
        plan_detach(function(variables_error="KMS key is disabled"))


@given(
    st.dictionaries(NAMES, VALUES, max_size=3),
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(OTHER)), max_size=2),
)
def test_a_record_reads_as_it_was_written(replaced, layers):
    checksums = dict.fromkeys(replaced, "01234567")
    record = Record("1.0", OURS, tuple(layers), checksums, replaced)

    assert decode(record.encode(), "orders") == record


def test_the_record_is_small():
    """It counts towards the 4 KB of all variables."""
    now = attached(function(variables={WRAPPER: "/opt/datadog_wrapper"}))

    assert len(json.dumps(now.variables[RECORD])) < 250
    assert attached_record(now).layer == OURS


def test_a_diff_shows_no_value_of_the_users():
    before = function([OTHER[0]], {"PASSWORD": "hush", WRAPPER: "/opt/bootstrap"})
    plan = plan_attach(before, attachment(variables={"PASSWORD": "hush-2"}, override=True))
    lines = [str(line) for line in diff(plan)]

    assert not any("hush" in line for line in lines)
    assert "  ~ variable PASSWORD" in lines
    assert f"    layer {OTHER[0]}" in lines
    assert f"  + layer {OURS}" in lines
    assert "  ~ variable AWS_LAMBDA_EXEC_WRAPPER = /opt/bootstrap -> /opt/otel-handler" in lines
