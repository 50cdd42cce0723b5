"""cfn-lint over many templates at once: each start of it takes seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BOUND_S = 120
FOLDER = Path(__file__).parent
ARN = "arn:aws:lambda:eu-west-1:123456789012:layer:wrapkit-python:3"


@pytest.fixture(scope="session")
def cfn_lint():
    """Fails with what cfn-lint says; for SAM it runs AWS's own translator first."""

    def check(*paths, ignored=()):
        command = Path(sys.executable).with_name("cfn-lint")
        ignore = ["--ignore-checks", *ignored] if ignored else []
        done = subprocess.run(
            [command, "--regions", "eu-west-1", *ignore, "--", *paths],
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return check
