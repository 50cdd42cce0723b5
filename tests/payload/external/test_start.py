"""The start: what is asked of the host, in which order, and with what loaded."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

from tests.payload.external.host import Host

# What is loaded when the first `next` goes out, beyond a bare `python -I -S`. Each module is on the
# critical path of Init: whoever adds one here says what it costs.
LOADED_AT_FIRST_NEXT = {
    "_socket",
    "_wrapkit",
    "_wrapkit.lifecycle",
    "_wrapkit.lifecycle._errors",
    "_wrapkit.lifecycle._http",
    "_wrapkit.lifecycle._wire",
    "_wrapkit.payload",
    "_wrapkit.payload._env",
    "_wrapkit.payload._report",
    "_wrapkit.payload.external",
    "_wrapkit.payload.external._start",
}
# What the whole runner loads for plain http, until its end.
LOADED_IN_ALL_OF_THE_STANDARD_LIBRARY = {
    "_collections",
    "_collections_abc",
    "_functools",
    "_json",
    "_operator",
    "_socket",
    "collections",
    "collections.abc",
    "enum",
    "functools",
    "itertools",
    "keyword",
    "operator",
    "reprlib",
    "select",
    "types",
    "os",
    "os.path",
    "posixpath",
    "genericpath",
    "stat",
    "_stat",
}


def test_it_registers_subscribes_and_calls_next(scene):
    """Register, subscribe, next, in this order, with the name of the file."""
    scene.start()
    scene.host.wait_for_next(1)

    assert scene.host.calls == [
        "/2020-01-01/extension/register",
        "/2022-07-01/telemetry",
        "/2020-01-01/extension/event/next",
    ]
    headers, document = scene.host.registrations[0]
    assert headers["Lambda-Extension-Name"] == "wrapkit"
    assert document == {"events": ["INVOKE", "SHUTDOWN"]}
    subscription = scene.host.subscriptions[0][1]
    assert subscription["types"] == ["platform"]
    assert subscription["buffering"]["timeoutMs"] == 25
    assert subscription["destination"]["URI"].startswith("http://sandbox.localdomain:")


def test_the_hooks_socket_is_there_before_the_registration_is_answered(scene):
    """The runtime starts after the registration, so the hook never finds nobody."""
    path = scene.folder / "hook.sock"
    was_there = []
    scene.start(host=Host(on_register=lambda: was_there.append(path.is_socket())))
    scene.host.wait_for_next(1)

    assert was_there == [True]


def test_a_socket_of_an_earlier_life_is_replaced(scene):
    """/tmp outlives a reset of the environment; a stale socket is no obstacle."""
    stale = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stale.bind(str(scene.folder / "hook.sock"))
    stale.close()

    scene.start()
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)

    assert len(scene.sink.spans()) == 1


PROBE = """
import json, sys
sys.path.insert(0, __file__.rpartition("/")[0])
before = set(sys.modules)
from _wrapkit.payload.external._start import ApiConnection
send_next = ApiConnection.send_next
def loaded():
    return sorted(set(sys.modules) - before - {"json"})
def probe(self, identifier):
    sys.stderr.write("LOADED " + repr(loaded()) + "\\n")
    ApiConnection.send_next = send_next
    send_next(self, identifier)
ApiConnection.send_next = probe
from _wrapkit.payload.external import main
try:
    main(sys.argv)
finally:
    sys.stderr.write("LOADED " + repr(loaded()) + "\\n")
"""


def test_nothing_is_loaded_before_the_first_next_that_is_not_on_the_list(scene, layer):
    """The first next waits for few modules; the whole runner needs few of the standard library."""
    (layer / "probe.py").write_text(PROBE.replace("import json, sys", "import sys"))
    scene.start(script="probe.py")
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    first, last = (set(json.loads(line.removeprefix("LOADED ").replace("'", '"'))) for line in said)
    assert code == 0
    assert first <= LOADED_AT_FIRST_NEXT
    foreign = {name for name in last if not name.startswith("_wrapkit")}
    assert foreign <= LOADED_IN_ALL_OF_THE_STANDARD_LIBRARY


def test_a_refused_subscription_is_one_line(scene):
    """Without telemetry the runner goes on, and says why once."""
    scene.start(host=Host(telemetry_status=403))
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert said == ["wrapkit: no platform telemetry, going on without: the host answered 403"]
    assert len(scene.sink.spans()) == 1


def test_a_taken_port_is_one_line(scene):
    """Somebody else's collector on the OTLP port: everything else works."""
    with socket.create_server(("127.0.0.1", scene.otlp_port)):
        scene.start()
        scene.host.wait_for_next(1)
        scene.invoke_with_hook("r1")
        scene.host.wait_for_next(2)
        scene.host.shut_down()
        code, said = scene.runner.wait()

    assert code == 0
    assert len(said) == 1
    assert f"no OTLP/HTTP on 127.0.0.1:{scene.otlp_port}" in said[0]
    assert len(scene.sink.spans()) == 1


def test_a_socket_that_cannot_be_bound_is_one_line(scene):
    """Without the hook's socket telemetry makes the spans."""
    scene.start(WRAPKIT_SOCKET=str(scene.folder / "missing" / "hook.sock"))
    scene.host.wait_for_next(1)
    scene.host.invoke("r1")
    done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 1.5}}
    scene.host.report(("platform.runtimeDone", done))
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert [line for line in said if "cannot be bound" in line] == said
    assert len(scene.sink.spans()) == 1


def test_no_endpoint_is_one_line_and_costs_no_invocation_anything(scene):
    """Nothing to export to: next comes at once, without waiting for the end."""
    scene.start(OTEL_EXPORTER_OTLP_ENDPOINT=None)
    for number in (1, 2, 3):
        scene.host.wait_for_next(number)
        scene.host.invoke(f"r{number}")
    scene.host.wait_for_next(4)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert said == [
        "wrapkit: nothing is exported: set OTEL_EXPORTER_OTLP_ENDPOINT to where telemetry shall go"
    ]


def test_a_disabled_sdk_says_nothing(scene):
    """OTEL_SDK_DISABLED is the user's decision."""
    scene.start(OTEL_SDK_DISABLED="true")
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()

    assert scene.runner.wait() == (0, [])
    assert scene.sink.requests == []


def test_its_own_listener_is_no_endpoint(scene):
    """An endpoint that is the runner itself would be fed with what it exports, for ever."""
    scene.start(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://localhost:{scene.otlp_port}")
    scene.host.wait_for_next(1)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(2)
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert any("this extension's own listener" in line for line in said)


@pytest.mark.parametrize("number", [403, 500])
def test_a_refused_next_ends_the_extension(scene, number):
    """The host is told, the exit code is not zero, and there is no second try in a loop."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.send(number, {"errorType": "Extension.InvalidExtensionState"})
    code, said = scene.runner.wait()

    assert code == 1
    assert any("refused next" in line for line in said)
    assert scene.host.next_calls == 1
    assert scene.host.errors[0][0]["Lambda-Extension-Function-Error-Type"].startswith("Extension.")


def test_a_refused_registration_ends_the_extension(scene):
    """There is nothing to go on with; the host's words are said."""
    scene.start(host=Host(register_status=403))
    code, said = scene.runner.wait()

    assert code == 1
    refusal = "Extension.InvalidExtensionName: the answer was 403"
    assert said == [f"wrapkit: the registration was refused: {refusal}"]


def test_an_unknown_event_is_answered_with_next(scene):
    """The platform may invent events; they are not ours."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.send(200, {"eventType": "RESTORE"})
    scene.host.wait_for_next(2)
    scene.invoke_with_hook("r1")
    scene.host.wait_for_next(3)

    assert len(scene.sink.spans()) == 1


def test_a_lost_connection_is_replaced_once(scene):
    """A host that closes the connection under next is asked again; then it counts as gone."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.send(None, None)
    scene.host.wait_for_next(2)
    scene.host.send(None, None)
    code, said = scene.runner.wait()

    assert code == 1
    assert sum("connection to the Extensions API was lost" in line for line in said) == 2


@pytest.mark.parametrize("reason", ["spindown", "SPINDOWN", "ReleaseFail", "failure"])
def test_every_shutdown_reason_ends_it(scene, reason):
    """The reason is compared without case, and unknown ones are accepted."""
    scene.start()
    scene.host.wait_for_next(1)
    scene.host.shut_down(reason)

    assert scene.runner.wait() == (0, [])


@pytest.mark.parametrize(
    "damage",
    [
        ("external/_runner.py", "raise RuntimeError('while it is loaded')\n"),
        ("external/_loop.py", "this is not Python\n"),
    ],
    ids=["raises", "cannot be compiled"],
)
def test_a_defect_after_the_registration_does_not_fail_the_function(scene, layer, damage, tmp_path):
    """One line, and an extension that answers every event until SHUTDOWN."""
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(layer, broken, ignore=shutil.ignore_patterns("__pycache__"))
    (broken / "_wrapkit/payload" / damage[0]).write_text(damage[1])
    scene.layer = broken
    scene.start()
    for number in (1, 2, 3):
        scene.host.wait_for_next(number)
        scene.host.invoke(f"r{number}")
    scene.host.wait_for_next(4)
    with pytest.raises(ConnectionRefusedError):
        scene.runner.hook(t="start")
    scene.host.shut_down()
    code, said = scene.runner.wait()

    assert code == 0
    assert len(said) == 1
    assert "goes on without collecting telemetry" in said[0]


@pytest.mark.parametrize(
    ("initialization_type", "added"), [("on-demand", 10), ("lambda-managed-instances", 0)]
)
def test_the_function_goes_first_once_next_is_called(scene, initialization_type, added):
    """Not on managed instances, where the function's invocations may leave it no turn."""
    scene.start(AWS_LAMBDA_INITIALIZATION_TYPE=initialization_type)
    scene.host.wait_for_next(1)
    scene.host.report()  # answered by a runner that has loaded everything

    process = scene.runner.process.pid
    expected = min(19, os.getpriority(os.PRIO_PROCESS, 0) + added)
    assert os.getpriority(os.PRIO_PROCESS, process) == expected
    scene.host.shut_down()
    assert scene.runner.wait() == (0, [])


def test_outside_of_lambda_it_says_so(layer):
    """Started by hand: a line with a hint, exit code 2."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(layer / "runner.py")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("wrapkit: AWS_LAMBDA_RUNTIME_API is not set")
    assert "hint:" in done.stderr
