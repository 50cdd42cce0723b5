"""The committed scenarios: what they name is there, and the command understands it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT
from wrapkit.tooling.cli._bench import bench

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SCENARIOS = tomllib.loads((ROOT / "bench/scenarios.toml").read_text())
RIVALS = tomllib.loads((ROOT / "bench/rivals/rivals.toml").read_text())


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_scenario_is_understood(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    scenario = SCENARIOS[name]
    assert scenario["about"].endswith(".")
    for key in ("task", "event", "services"):
        assert (ROOT / scenario.get(key, "bench")).exists()
    assert set(scenario.get("rivals", ())) <= set(RIVALS)
    arguments = ["--task", scenario["task"], "--handler", scenario["handler"]]
    context = bench.make_context("bench", [*arguments, *scenario["arguments"]])
    assert context.params["handler"] == "app.handler"


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_says_what_it_is_and_what_it_lacks(name):
    rival = RIVALS[name]
    assert rival["about"]
    assert rival["requirements"]
    assert {"about", "requirements", "nodeps", "missing", "source", "variant"} >= rival.keys()
    for wrapper in (ROOT / "bench/rivals" / name).glob("opt/otel-*"):
        assert wrapper.stat().st_mode & 0o111


def test_an_unknown_scenario_is_refused():
    answer = subprocess.run(
        [sys.executable, ROOT / "bench/run.py", "nonsense"], capture_output=True, text=True
    )
    assert answer.returncode == 2
    assert "hint: there are noop, memory, " in answer.stderr
