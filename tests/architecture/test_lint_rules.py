"""The stricter law for what ships is in force: ruff refuses what would cost the function."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

SEEDS = {
    "wrapkit/payload/internal/_seed.py": {
        "print(1)": "T201",
        "import os\n\nos.environ.clear()": "TID251",
        "import os\n\nos.getenv('A')": "TID251",
        "import http.client\n\nhttp.client.OK.name": "TID253",
        "import typing\n\ntyping.cast(int, 1)": "TID253",
        "match 1:\n    case 2:\n        pass": "invalid-syntax",
        "try:\n    repr(1)\nexcept Exception:\n    repr(2)": "BLE001",
    },
    "wrapkit/lifecycle/_seed.py": {
        "print(1)": "T201",
        "import os\n\nos.environ.clear()": "TID251",
        "import dataclasses\n\ndataclasses.fields(1)": "TID253",
    },
    "wrapkit/tooling/cli/_seed.py": {"print(1)": "T201"},
}
CASES = [(path, source, code) for path, seeds in SEEDS.items() for source, code in seeds.items()]


def findings(path, source):
    """The codes that ruff reports for a source, as if it lay at this path of the tree."""
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise"]
    answer = subprocess.run(
        [*ruff, "--stdin-filename", path, "-"],
        cwd=ROOT,
        input=f"{source}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert not answer.stderr, answer.stderr
    return answer.stdout


@pytest.mark.parametrize(("path", "source", "code"), CASES)
def test_ruff_refuses_what_would_cost_the_function(path, source, code):
    """Each ban reports its own code, at the place that it governs."""
    reported = findings(path, source)

    assert code in reported


def test_one_module_may_read_the_environment():
    """The payload's `_env.py` is the one exception to the ban."""
    reported = findings("wrapkit/payload/_env.py", "import os\n\nos.environ.clear()")

    assert "TID251" not in reported
