"""Runs the scenarios of scenarios.toml and writes their records to bench/results.

    python bench/run.py [SCENARIO...]

A scenario's record is `SCENARIO-pythonX.Y.json`; one that exists is replaced by the new one when
that is complete. The HTML reports go to build/bench. Exit code: that of the first run that fails.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import rivals

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ROOT / "bench/scenarios.toml"
RESULTS = ROOT / "bench/results"
REPORTS = ROOT / "build/bench"


def command(scenario: dict[str, Any], record: Path, report: Path) -> list[str]:
    """The command line of a scenario, with the services that it needs around it."""
    line = [sys.executable, "-m", "wrapkit.tooling.cli", "bench"]
    line += ["--task", scenario["task"], "--handler", scenario["handler"], *scenario["arguments"]]
    for name in scenario.get("environment", ()):
        line += ["--env", name]
    for rival in rivals.variants(scenario.get("rivals", [])):
        line += ["--variant", rival]
    if "event" in scenario:
        line += ["--event", scenario["event"]]
    line += ["--output", str(record), "--html", str(report)]
    if "services" in scenario:
        line = [sys.executable, scenario["services"], *line]
    return line


def run(name: str, scenario: dict[str, Any]) -> int:
    """Measure one scenario; return the exit code."""
    version = "{}.{}".format(*sys.version_info)
    record = RESULTS / f"{name}-python{version}.json"
    made = REPORTS / record.name
    made.unlink(missing_ok=True)
    print(f"\n== {name}: {scenario['about']}", flush=True)
    line = command(scenario, made, made.with_suffix(".html"))
    code = subprocess.run(line, cwd=ROOT, check=False).returncode
    if code == 0:
        made.replace(record)
    return code


def main(names: list[str]) -> int:
    """Run what is asked for, or all; return the exit code."""
    scenarios = tomllib.loads(SCENARIOS.read_text())
    unknown = [name for name in names if name not in scenarios]
    if unknown:
        print(f"error: no scenario {unknown[0]}", file=sys.stderr)
        print(f"hint: there are {', '.join(scenarios)}", file=sys.stderr)
        return 2
    REPORTS.mkdir(parents=True, exist_ok=True)
    codes = [run(name, scenarios[name]) for name in names or scenarios]
    return next((code for code in codes if code), 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
