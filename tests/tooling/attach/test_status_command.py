"""`wrapkit status`: what has wrapkit, and what was changed behind its back."""

from __future__ import annotations

import json

import pytest

from .lambda_service import ARN


@pytest.fixture
def layer(service):
    return service.publish()


@pytest.fixture
def attached(service, wrapkit, layer):
    for name in ("orders", "billing", "site"):
        service.add(name)
    assert wrapkit("attach", "orders", "billing", "--layer", layer, "--yes").returncode == 0
    return service.functions


def test_functions_with_wrapkit_are_listed(attached, wrapkit, layer):
    done = wrapkit("status")

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["billing", "orders"]
    assert done.stdout.count(layer) == 2
    assert done.stderr == "2 of 3 functions have wrapkit\n"


def test_drift_is_said_and_sets_the_exit_code(attached, wrapkit, service):
    """A variable changed, one removed, and the layer in another version."""
    newer = service.publish()
    attached["orders"].layers = [newer]
    attached["orders"].variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/theirs"
    del attached["billing"].variables["AWS_LAMBDA_EXEC_WRAPPER"]
    attached["billing"].layers = []
    done = wrapkit("status", "--json")
    drift = {each["name"]: each["drift"] for each in json.loads(done.stdout)}

    assert done.returncode == 1
    assert drift == {
        "billing": [
            "AWS_LAMBDA_EXEC_WRAPPER has been removed",
            "the layer wrapkit-python is no longer there",
        ],
        "orders": [
            "AWS_LAMBDA_EXEC_WRAPPER has been changed",
            "the layer wrapkit-python is now in version 2",
        ],
        "site": [],
    }


def test_a_layer_that_was_added_by_other_means_is_recognised(attached, wrapkit, layer):
    attached["site"].layers = [f"{ARN}:layer:mine:1", layer]
    states = {each["name"]: each["state"] for each in wrapkit.record("status", "site")}

    assert states == {"site": "by other means"}


def test_a_damaged_record_is_drift_and_no_end(attached, wrapkit):
    attached["site"].variables = {"WRAPKIT_ATTACHED": "nonsense"}
    done = wrapkit("status", "site")

    assert done.returncode == 1
    assert "drift: site: the record in WRAPKIT_ATTACHED cannot be read" in done.stdout
