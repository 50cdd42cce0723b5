"""kill -9 between any two calls: the function is as it was, or attached, and can be mended."""

from __future__ import annotations

import threading

import pytest

from .conftest import BOUND_S
from .lambda_service import ARN

MINE = f"{ARN}:layer:mine:3"
BEFORE = ([MINE], {"A": "1", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"})
# An upper bound of what an attach with --verify and a new archive calls; the last of these kills
# come after the command has ended.
MOST_CALLS = 14

pytestmark = pytest.mark.slow


def state(function):
    return list(function.layers), dict(function.variables or {})


class KillAtCall:
    """Kills the command once the service has carried out its nth call, before the answer.

    Which is also what it leaves when it is killed on its way to the call after that.
    """

    def __init__(self, service, number):
        self.left = number
        self.process = None
        self.started = threading.Event()
        service.after_call = self.call

    def call(self, _call):
        self.started.wait(BOUND_S)
        self.left -= 1
        if self.left == 0:
            self.process.kill()

    def run(self, process):
        self.process = process
        self.started.set()
        process.communicate(timeout=BOUND_S)
        return process.returncode


def test_an_interrupted_attach_leaves_nothing_half(service, wrapkit, archive, tmp_path):
    """A second attach brings it to its end, detach to what it was: one in turn with the other."""
    (tmp_path / "event.json").write_text("{}")
    command = ["attach", "orders", "--layer", archive, "--yes", "--verify", "event.json"]
    service.settles_after = 1
    service.add("orders", layers=[*BEFORE[0]], variables={**BEFORE[1]})
    assert wrapkit(*command).returncode == 0
    attached = state(service.functions["orders"])
    service.layer_versions.clear()
    endings = []
    for number in range(1, MOST_CALLS + 1):
        function = service.add("orders", layers=[*BEFORE[0]], variables={**BEFORE[1]})
        endings.append(KillAtCall(service, number).run(wrapkit.start(*command)))
        service.after_call = lambda _call: None
        assert state(function) in (BEFORE, attached), f"killed at call {number}"

        mend, mended = ((command, attached), (("detach", "orders", "--yes"), BEFORE))[number % 2]
        done = wrapkit(*mend)
        assert done.returncode == 0, done.stderr
        assert state(function) == mended
        if endings[-1] == 0:
            break
    assert endings[-1] == 0, "the bound is too low"
    assert len(endings) > 5
    assert len(service.layer_versions) == 1
