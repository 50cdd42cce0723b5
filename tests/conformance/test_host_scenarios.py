"""What a host does around real processes, in which order; sources as in cases.py."""

from __future__ import annotations

import pytest

from tests.conformance.scenario import WITNESS, Scenario, missing, play
from tests.emulator.environments import run

RESET = ("platform.initStart invoke", "platform.initReport invoke success")
SCENARIOS = [
    Scenario(
        14, "D,R", "the runtime waits for every external's registration",
        extensions={"a": 'say("a: here")\n' + WITNESS, "b": 'say("b: here")\n' + WITNESS},
        timeline=("b: here", "runtime: starts", "runtime: gets 1"),
    ),
    Scenario(
        15, "D,R", "an extension that is not ready holds the first event back",
        extensions={"slow": """
me.register("INVOKE", "SHUTDOWN")
await_mark("runtime waits")
time.sleep(0.2)
say("slow: ready")
while me.next_event()["eventType"] != "SHUTDOWN":
    pass
"""},
        runtime="""
me = Party()
mark("runtime waits")
id, _, event = me.next_invocation()
say("runtime: gets 1")
me.respond(id, event)
me.next_invocation()
""",
        timeline=("slow: ready", "platform.initReport init success", "runtime: gets 1"),
    ),
    Scenario(
        16, "R", "an extension for SHUTDOWN only is not invoked",
        extensions={"late": WITNESS.replace('"INVOKE", ', "")},
        timeline=("platform.report success", "late: SHUTDOWN spindown"),
        absent=("late: INVOKE",),
        statuses={"late": "exit status 0"},
    ),
    Scenario(
        17, "D,R", "an extension works on after the answer, and the next event waits for it",
        extensions={"busy": """
me.register("INVOKE", "SHUTDOWN")
while me.next_event()["eventType"] != "SHUTDOWN":
    await_mark("answered")
    say("busy: still working")
    os.unlink(place("answered"))
"""},
        events=("1", "2"),
        answers=(None, None),
        timeline=(
            "runtime: gets 1", "busy: still working", "platform.report success",
            "runtime: gets 2", "busy: still working", "platform.report success",
        ),
    ),
    Scenario(
        18, "D", "an extension that never calls next lets the invocation time out",
        extensions={"stuck": """
me.register("INVOKE", "SHUTDOWN")
me.next_event()
if not os.path.exists(place("stuck")):
    mark("stuck")
    time.sleep(60)
me.next_event()
""", "witness": WITNESS},
        settings={"timeout_ms": 4000},
        events=("1", "2"),
        answers=(None, None),
        timeline=(
            "runtime: gets 1", "platform.runtimeDone success", "witness: SHUTDOWN timeout",
            "platform.report timeout", *RESET, "runtime: gets 2", "platform.report success",
        ),
    ),
    Scenario(
        21, "R,I", "an extension that exits with 0 while it registers is a crash",
        extensions={"brief": """
me.register("INVOKE")
if not os.path.exists(place("tried")):
    mark("tried")
    sys.exit(0)
while True:
    me.next_event()
"""},
        timeline=(
            "platform.initReport init error Extension.Crash", *RESET, "platform.report success",
        ),
    ),
    Scenario(
        21, "R,I", "an extension that exits with 0 in an invocation is a crash",
        extensions={"brief": """
me.register("INVOKE")
me.next_event()
if os.path.exists(place("tried")):
    me.next_event()
mark("tried")
sys.exit(0)
""", "witness": WITNESS},
        runtime="""
me = Party()
while True:
    id, _, event = me.next_invocation()
    if event == b"1":
        import signal; signal.pause()
    me.respond(id, event)
""",
        events=("1", "2"),
        answers=("Extension.Crash", None),
        timeline=(
            "platform.runtimeDone error Extension.Crash", "witness: SHUTDOWN failure",
            "platform.report error Extension.Crash", *RESET, "platform.report success",
        ),
    ),
    Scenario(
        22, "D,R", "init/error and an exit fail Init; the next caller hears of it",
        extensions={"unready": """
me.register("INVOKE")
headers = {"Lambda_Extension_Function_Error_Type": "Extension.NoConfig"}
say(me.call("POST", EXTENSIONS + "/init/error", b"{}", **headers)[0])
sys.exit(1)
""", "witness": WITNESS},
        answers=("Extension.InitError",),
        timeline=(
            "platform.initReport init error Extension.InitError",
            "platform.initReport invoke error Extension.InitError",
            "platform.report error Extension.InitError",
        ),
    ),
    Scenario(
        34, "D,R", "a runtime that exits is Runtime.ExitError, and the next Init is repeated",
        extensions={"witness": WITNESS},
        events=('"exit"', "2"),
        answers=("Runtime.ExitError", None),
        timeline=(
            "platform.start", "platform.runtimeDone error Runtime.ExitError",
            "witness: SHUTDOWN failure", "platform.report error Runtime.ExitError",
            *RESET, "runtime: gets 2", "platform.report success",
        ),
    ),
    Scenario(
        35, "D,C", "a handler past its timeout is Sandbox.Timedout",
        extensions={"witness": WITNESS},
        settings={"timeout_ms": 4000},
        events=('"hang"', "2"),
        answers=("Sandbox.Timedout", None),
        timeline=(
            "runtime: gets \"hang\"", "platform.runtimeDone timeout", "witness: SHUTDOWN timeout",
            "platform.report timeout", *RESET, "platform.report success",
        ),
    ),
    Scenario(
        37, "D,R", "without extensions the runtime is killed at once",
        statuses={"runtime": "signal: killed"},
    ),
    Scenario(
        39, "D,R", "the runtime is gone before SHUTDOWN is told",
        extensions={"witness": WITNESS},
        runtime="""
import signal
def leave(*_):
    say("runtime: leaves")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
me = Party()
id, _, event = me.next_invocation()
me.respond(id, event)
me.next_invocation()
""",
        timeline=("runtime: leaves", "witness: SHUTDOWN spindown"),
        statuses={"runtime": "exit status 0", "witness": "exit status 0"},
    ),
    Scenario(
        40, "D,R", "an external that ignores SHUTDOWN is killed",
        extensions={"deaf": WITNESS.replace("break", "time.sleep(60)")},
        timeline=("deaf: SHUTDOWN spindown",),
        statuses={"deaf": "signal: killed"},
    ),
    Scenario(
        44, "R,C", "a cold start",
        extensions={"witness": WITNESS},
        timeline=(
            "platform.initStart init", "platform.initRuntimeDone init success",
            "platform.extension", "platform.initReport init success", "platform.start",
            "platform.runtimeDone success", "platform.report success",
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: f"{one.number} {one.name}")
def test_a_scenario(tmp_path, scenario):
    """Its timeline in order, nothing of what must be absent, its answers and exits."""
    timeline, answers, statuses = run(play(scenario, tmp_path))
    assert missing(scenario.timeline, timeline) is None, "\n".join(timeline)
    assert not set(scenario.absent) & set(timeline)
    assert answers == scenario.answers
    assert statuses == {**statuses, **scenario.statuses}
