"""The benchmark checks itself: it finds nothing where nothing is, and a known cost as it is.

Twenty times the bare function against itself (A/A), and once a function that sleeps for 20 ms in
Init. `make bench-check` runs it, in some three minutes; the machine should have nothing else to do.
Exit codes: 0 as promised, 1 not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

REPETITIONS = 20
# What may differ by chance: with 95 % confidence one comparison in twenty.
CHANCE = 1 / 20
SLEEP_MS = 20
MEASURES = ("init_ms", "warm_duration_ms")
NOOP = Path(__file__).with_name("noop")
SLEEPING = f"""import time
time.sleep({SLEEP_MS / 1000})


def handler(event, context):
    return event
"""


def bench(*arguments: str) -> dict[str, object]:
    """The findings of a run, by measure, of the variant that is not bare."""
    command = [sys.executable, "-m", "wrapkit.tooling.cli", "bench"]
    command += ["--task", str(NOOP), "--handler", "app.handler", "--mode", "bare", "--json"]
    answer = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    found = json.loads(answer.stdout)["findings"]
    return {one["measure"]: one for one in found if one["variant"] != "bare"}


def compare_with_itself() -> dict[str, int]:
    """In how many repetitions each measure differed."""
    differences = dict.fromkeys(MEASURES, 0)
    for number in range(REPETITIONS):
        found = bench("--variant", "again=", "--cold", "8", "--warm", "30")
        for measure in MEASURES:
            one = found[measure]
            differences[measure] += one["verdict"] in ("more", "less")
            print(f"A/A {number + 1:2} {measure:18} {said(one)}  {one['verdict']}", flush=True)
    return differences


def find_the_sleep() -> bool:
    """Whether the sleep lies within its interval."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(SLEEPING)
        found = bench("--variant", f"sleeping=task={folder}", "--cold", "20", "--warm", "1")
    added = found["init_ms"]["added"]
    print(f"a sleep of {SLEEP_MS} ms in Init is found as {said(found['init_ms'])} ms")
    # The sleep itself takes some 0.1 ms longer than it was asked for.
    return added["low"] - 0.5 <= SLEEP_MS <= added["high"] + 0.5


def said(found: dict) -> str:
    added = found["added"]
    return f"{added['median']:+.3f} ({added['low']:+.3f} to {added['high']:+.3f})"


def main() -> int:
    """Run both; return the exit code."""
    differences = compare_with_itself()
    is_found = find_the_sleep()
    for measure, count in differences.items():
        print(f"{measure}: a difference in {count} of {REPETITIONS} comparisons with itself")
    is_silent = sum(differences.values()) <= CHANCE * REPETITIONS * len(MEASURES)
    print("as promised" if is_found and is_silent else "not as promised")
    return 0 if is_found and is_silent else 1


if __name__ == "__main__":
    sys.exit(main())
