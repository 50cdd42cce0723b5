"""Variants, their order, when to stop, and what they cost."""

from __future__ import annotations

import json
import zipfile
from collections import Counter

import pytest

from tests.tooling.bench.records import simulated, start
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.bench import StopRule, Traffic, find_price, parse_variants
from wrapkit.tooling.bench._deployment import deploy
from wrapkit.tooling.bench._plan import cells, round_of
from wrapkit.tooling.bench._variant import mode_variant
from wrapkit.tooling.emulator import Function


def test_every_round_has_every_cell_and_no_cell_keeps_its_place():
    all_cells = cells(("bare", "internal", "both"), (128, 512))
    rounds = [round_of(all_cells, number) for number in range(12)]
    assert all({planned.cell for planned in one} == set(all_cells) for one in rounds)
    places = Counter((planned.cell, planned.position) for one in rounds for planned in one)
    assert set(places.values()) == {2}


@pytest.fixture
def layer(tmp_path):
    folder = tmp_path / "layer"
    (folder / "python").mkdir(parents=True)
    (folder / "python/module.py").write_text("x = 1\n" * 100)
    (folder / "otel-instrument").write_text('#!/bin/sh\nexec "$@"\n')
    return folder


def test_a_variant_is_a_name_a_layer_and_variables(layer):
    (variant,) = parse_variants(
        [f"rival={layer},OTEL_RESOURCE_ATTRIBUTES=a=b,c=d,handler=other.handler,FLAG="]
    )
    assert (variant.name, variant.layers, variant.handler) == ("rival", (layer,), "other.handler")
    # A comma with NAME= behind it ends a value; the README of the option says so.
    assert variant.environment == {"OTEL_RESOURCE_ATTRIBUTES": "a=b", "c": "d", "FLAG": ""}


def test_a_comma_within_a_value_stays_there(layer):
    (variant,) = parse_variants([f"rival={layer},OTEL_PROPAGATORS=tracecontext,baggage,B=2"])
    assert variant.environment == {"OTEL_PROPAGATORS": "tracecontext,baggage", "B": "2"}


def test_a_name_that_comes_again_adds_a_layer_and_one_without_a_layer_has_variables(layer):
    first, second = parse_variants([f"two={layer},A=1", "plain=B=2", f"two={layer},A=3"])
    assert (first.layers, first.environment) == ((layer, layer), {"A": "3"})
    assert (second.layers, second.environment) == ((), {"B": "2"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rival", "is not NAME=LAYER"),
        ("=layer", "is not NAME=LAYER"),
        ("a b=layer", "is not NAME=LAYER"),
        ("both=layer", "a variant of wrapkit itself"),
        ("rival=missing.zip", "missing.zip does not exist"),
        ("rival=task=missing", "missing does not exist"),
    ],
)
def test_an_unusable_variant_is_explained(text, reason):
    with pytest.raises(DiagnosticError, match=reason) as failure:
        parse_variants([text])
    assert failure.value.exit_code == 2


def test_a_foreign_layer_is_deployed_with_its_own_wrapper_and_weighed(layer, tmp_path):
    archive = tmp_path / "layer.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in layer.rglob("*"):
            target.write(path, path.relative_to(layer))
    task = tmp_path / "task"
    task.mkdir()
    (task / "app.py").write_text("1\n")
    bare = Function(task_root=task, handler="app.handler", environment={"SECRET": "hush"})
    out = tmp_path / "out"
    out.mkdir()
    zipped, folder = parse_variants([f"zipped={archive},A=1", f"folder={layer}"])
    found = deploy(zipped, bare, out, "3.12")
    other = deploy(folder, bare, out, "3.12")
    wrapper = found.function.environment["AWS_LAMBDA_EXEC_WRAPPER"]
    assert wrapper == "/opt/otel-instrument"
    assert found.packed_bytes == archive.stat().st_size
    assert found.unpacked_bytes == other.unpacked_bytes == 600 + 20
    assert 0 < other.packed_bytes < 620
    assert found.task_bytes == 2
    assert "hush" not in json.dumps(found.as_document())
    assert found.as_document()["variables"] == ["A", "AWS_LAMBDA_EXEC_WRAPPER", "SECRET"]


def test_the_bare_function_has_no_layer(tmp_path):
    bare = Function(task_root=tmp_path, handler="app.handler")
    found = deploy(mode_variant("bare"), bare, tmp_path, "3.12")
    assert (found.function, found.packed_bytes, found.digest) == (bare, 0, "")


def test_rounds_end_when_precise_enough():
    rule = StopRule(rounds=100, precision=0.5)
    starts = simulated(1, 20, 0, noise=0.02).starts
    assert rule.reason(starts, rounds_done=20, rounds_timed=20, elapsed_s=1) == "precision"
    assert not rule.reason(starts, rounds_done=4, rounds_timed=4, elapsed_s=1)
    strict = StopRule(rounds=100, precision=0.0001)
    assert not strict.reason(starts, rounds_done=20, rounds_timed=20, elapsed_s=1)


def test_no_round_begins_that_would_end_after_the_budget():
    rule = StopRule(rounds=100, budget_s=60)
    assert not rule.reason([], rounds_done=0, rounds_timed=0, elapsed_s=0)
    assert not rule.reason([], rounds_done=5, rounds_timed=5, elapsed_s=40)
    assert rule.reason([], rounds_done=5, rounds_timed=5, elapsed_s=55) == "budget"
    assert not rule.reason([], rounds_done=5, rounds_timed=0, elapsed_s=0)
    assert rule.expected_rounds(rounds_done=5, rounds_timed=5, elapsed_s=40) == 7
    assert rule.expected_rounds(rounds_done=0, rounds_timed=0, elapsed_s=0) == 100
    assert rule.reason([start(0, "bare", 1)], rounds_done=100, rounds_timed=9, elapsed_s=1)


def test_a_million_invocations_cost_requests_and_gigabyte_seconds():
    """One GB for 100 ms, at us-east-1's first tier: 0.20 + 100 000 GB-s."""
    traffic = Traffic(find_price("us-east-1", "x86_64"), 0.5)
    assert traffic.million_usd(1024, 150, 50) == pytest.approx(0.20 + 1.66667)
    arm = Traffic(find_price("us-east-1", "arm64"), 0)
    assert arm.million_usd(1024, 999, 100) == pytest.approx(0.20 + 1.33334)


def test_a_price_that_is_not_known_is_not_guessed(tmp_path):
    with pytest.raises(DiagnosticError, match="has no price for arm64 in il-central-1") as failure:
        find_price("il-central-1", "arm64")
    assert "eu-west-1" in failure.value.hint
    broken = tmp_path / "prices.json"
    broken.write_text("{}")
    with pytest.raises(DiagnosticError, match="cannot be read"):
        find_price("us-east-1", "x86_64", broken)
