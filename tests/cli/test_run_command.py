"""`wrapkit run` with real processes: what it shows, what it refuses, and what it leaves behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import time

import psutil
import pytest

from .conftest import BOUND_S

ECHO = "def handler(event, context):\n    print('hello from the function')\n    return event\n"
RAISE = "def handler(event, context):\n    raise KeyError(event['id'])\n"
# Sends a span as any instrumented function would, to where the run tells it.
SENDER = """
import os, urllib.request
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

def handler(event, context):
    request = ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(name="work of mine")
    span.trace_id, span.span_id = bytes(15) + b"\\1", bytes(7) + b"\\2"
    span.start_time_unix_nano, span.end_time_unix_nano = 1_000_000, 9_000_000
    attribute = span.attributes.add(key="faas.invocation_id")
    attribute.value.string_value = context.aws_request_id
    post = urllib.request.Request(
        os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces",
        request.SerializeToString(),
        {"Content-Type": "application/x-protobuf"},
    )
    with urllib.request.urlopen(post) as answer:
        return answer.status
"""


def test_the_phases_the_log_and_the_outcome_are_shown_in_order(wrapkit, task, event):
    folder = task(ECHO)
    code, stdout, stderr = wrapkit(
        "run", "--task", folder, "--handler", "app.handler", "--event", event({"id": 1})
    )
    assert (code, stderr) == (0, "")
    order = [
        "my-function  app.handler  128 MB  timeout 3 s  isolation ",
        "INIT",
        "  INIT_START ",
        "  Init ",
        "  runtime ",
        "INVOKE 1 of 1  ",
        "  START RequestId: ",
        "  hello from the function",
        "  END RequestId: ",
        "  REPORT RequestId: ",
        "  success  ",
        '  {"id": 1}',
        "SHUTDOWN",
        "  Shutdown ",
        "TRACES  0 traces",
        "1 invocation, 1 succeeded, 0 failed; Max Memory Used ",
    ]
    lines = iter(stdout.splitlines())
    for beginning in order:
        assert any(line.startswith(beginning) for line in lines), beginning
    assert "\x1b" not in stdout


def test_a_span_that_the_function_sends_is_drawn_below_its_invocation(wrapkit, task, event):
    folder = task(SENDER)
    code, stdout, _ = wrapkit(
        "run", "--task", folder, "--handler", "app.handler", "--event", event({})
    )
    assert code == 0
    traces = stdout.partition("TRACES  1 trace, 1 span in 1 OTLP request")[2]
    assert re.search(r"Invoke 1 .*\n  trace 0{31}1\n  work of mine +━+ +8\.00 ms\n", traces)


TALKER = """
import os

def handler(event, context):
    for number in range(20_000):
        print("a line that is of no interest", number)
    open(os.environ["DONE"], "w").close()
"""


def test_a_terminal_that_stands_still_does_not_hold_the_function_up(wrapkit, task, event, tmp_path):
    done = tmp_path / "done"
    process = wrapkit.start(
        *("run", "--task", task(TALKER), "--handler", "app.handler", "--event", event({})),
        *("--timeout", BOUND_S, "--isolation", "none", "--env", f"DONE={done}"),
    )
    try:
        wait_until(done.exists)  # nobody has read what it prints, which is more than a pipe holds
        stdout, stderr = process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
    assert (process.returncode, stderr) == (0, "")
    assert stdout.count("a line that is of no interest") == 20_000


ADDRESS = """
import os, pathlib, time

def handler(event, context):
    pathlib.Path(os.environ["MEETING"], event["name"]).touch()
    while len(os.listdir(os.environ["MEETING"])) < 2:
        time.sleep(0.01)
    return os.environ.get("WRAPKIT_OTLP_ADDRESS")
"""


def test_two_runs_at_once_have_an_extension_each(wrapkit, task, event, tmp_path):
    """The second takes OTLP at a port of its own, and says so."""
    layer, meeting = tmp_path / "layer", tmp_path / "meeting"
    meeting.mkdir()
    wrapkit("generate", "--lang", "python", "--output", layer)
    folder = task(ADDRESS)
    processes = [
        wrapkit.start(
            *("run", "--task", folder, "--handler", "app.handler", "--layer", layer, "--json"),
            *("--isolation", "none", "--env", f"MEETING={meeting}", "--timeout", BOUND_S),
            *("--event", event({"name": name}, f"{name}.json")),
        )
        for name in ("one", "two")
    ]
    try:
        outputs = [process.communicate(timeout=BOUND_S) for process in processes]
    finally:
        for process in processes:
            process.kill()
    documents = [json.loads(stdout) for stdout, _ in outputs]
    addresses = {document["invocations"][0]["payload"] for document in documents}
    assert len(addresses) == 2
    assert sum("port 4318 is taken" in stderr for _, stderr in outputs) == len(addresses - {None})
    assert not any("no OTLP/HTTP" in stderr for _, stderr in outputs)
    assert [len(document["invocations"][0]["trace_ids"]) for document in documents] == [1, 1]


def wait_until(condition):
    deadline_s = time.monotonic() + BOUND_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_json_is_one_document_on_stdout_and_talk_on_stderr(wrapkit, task, event):
    code, stdout, stderr = wrapkit(
        *("run", "--task", task(SENDER), "--handler", "app.handler", "--json"),
        *("--event", event({}), event([1], "second.json")),
    )
    document = json.loads(stdout)
    assert code == 0
    assert "INVOKE 2 of 2" in stderr
    assert (document["format"], document["format_version"]) == ("wrapkit.run", 1)
    assert document["isolation"] in ("namespace", "none")
    assert document["init"]["status"] == "success"
    first, second = document["invocations"]
    assert (first["payload"], first["status"], first["function_error"]) == (200, "success", None)
    assert first["trace_ids"] == [f"{1:032x}"]
    assert second["event"].endswith("second.json")
    (trace,) = document["traces"]
    assert [span["name"] for span in trace["spans"]] == ["work of mine"]
    assert document["telemetry"]["duplicate_span_ids"] == [f"{2:016x}"]
    assert document["shutdown"]["reason"] == "spindown"


def test_what_the_encoding_of_stdout_lacks_does_not_end_the_run(wrapkit, task, event, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    folder = task("def handler(e, c):\n    print('caf\u00e9')\n    return e\n")
    code, stdout, stderr = wrapkit(
        "run", "--task", folder, "--handler", "app.handler", "--event", event('"caf\u00e9 \\ud800"')
    )
    assert (code, stderr) == (0, "")
    assert "caf\\xe9" in stdout
    assert stdout.isascii()


DAEMON = """
import os, subprocess

def handler(event, context):
    child = subprocess.Popen(["/bin/sleep", "60"], start_new_session=True, env={})
    print("daemon", child.pid)
    if event.get("crash"):
        os._exit(1)
"""


@pytest.mark.parametrize("crash", [False, True], ids=["with an answer", "with a crash"])
def test_no_daemon_of_the_function_is_left(wrapkit, task, event, crash):
    """Not even one of another session, of which nothing tells where it comes from."""
    _, stdout, _ = wrapkit(
        *("run", "--task", task(DAEMON), "--handler", "app.handler", "--isolation", "none"),
        *("--event", event({"crash": crash})),
    )
    pid = int(re.search(r"daemon (\d+)", stdout)[1])
    assert not psutil.pid_exists(pid)


def test_a_reader_that_goes_away_leaves_nothing_running(wrapkit, task, event):
    process = wrapkit.start(
        "run", "--task", task(ECHO), "--handler", "app.handler", "--event", *[event({})] * 50
    )
    try:
        process.stdout.readline()
        descendants = psutil.Process(process.pid).children(recursive=True)
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(timeout=BOUND_S)
    finally:
        process.kill()
        process.stderr.close()
    assert process.returncode == 1
    assert "Traceback" not in stderr
    wrapkit.check_left_nothing(descendants)


def test_an_event_comes_from_standard_input(wrapkit, task):
    code, stdout, _ = wrapkit(
        *("run", "--task", task(ECHO), "--handler", "app.handler", "--event", "-", "--json"),
        given='{"from": "stdin"}',
    )
    assert code == 0
    assert json.loads(stdout)["invocations"][0]["payload"] == {"from": "stdin"}


def test_the_users_variables_win_over_those_of_the_run(wrapkit, task, event, tmp_path):
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "otel-handler").write_text('#!/bin/sh\nWRAPPED=yes exec "$@"\n')
    (layer / "otel-handler").chmod(0o755)
    names = ("WRAPPED", "AWS_LAMBDA_EXEC_WRAPPER", "OTEL_EXPORTER_OTLP_ENDPOINT", "MINE")
    folder = task(f"import os\ndef handler(e, c):\n    return list(map(os.environ.get, {names}))\n")
    arguments = ("run", "--task", folder, "--handler", "app.handler", "--layer", layer, "--json")
    arguments += ("--isolation", "none", "--event", event({}))

    _, stdout, _ = wrapkit(*arguments)
    wrapped, wrapper, endpoint, mine = json.loads(stdout)["invocations"][0]["payload"]
    assert (wrapped, mine) == ("yes", None)
    assert wrapper.endswith("/otel-handler")
    assert endpoint.startswith("http://127.0.0.1:")

    other = ("--env", "AWS_LAMBDA_EXEC_WRAPPER=", "--env", "MINE=a=b")
    _, stdout, _ = wrapkit(*arguments, *other, "--env", "OTEL_EXPORTER_OTLP_ENDPOINT=http://x")
    payload = json.loads(stdout)["invocations"][0]["payload"]
    assert payload == [None, "", "http://x", "a=b"]


def test_what_goes_to_a_backend_of_the_users_is_not_said_to_be_missing(wrapkit, task, event):
    """The run cannot see it; and the URL, which may hold a credential, is not repeated."""
    arguments = ("run", "--task", task(ECHO), "--handler", "app.handler", "--event", event({}))
    endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://name:hidden@127.0.0.1:1"

    code, stdout, stderr = wrapkit(*arguments, "--env", endpoint)
    assert code == 0
    assert "not shown: they go where OTEL_EXPORTER_OTLP_ENDPOINT says" in stdout
    assert "no span" not in stdout
    assert "hidden" not in stdout + stderr

    _, stdout, _ = wrapkit(*arguments, "--env", endpoint, "--json")
    assert json.loads(stdout)["telemetry"] is None


def test_the_command_after_two_dashes_is_the_runtime(wrapkit, task, event):
    code, stdout, _ = wrapkit(
        *("run", "--task", task(ECHO), "--handler", "app.handler", "--event", event({})),
        *("--", "/bin/sh", "-c", "exit 7", "--event"),
    )
    assert code == 1
    assert "runtime: exit status 7" in stdout


@pytest.mark.parametrize(("options", "expected"), [((), 0), (("--fail-on-error",), 1)])
def test_an_exception_of_the_handler_is_an_outcome(wrapkit, task, event, options, expected):
    code, stdout, stderr = wrapkit(
        *("run", "--task", task(RAISE), "--handler", "app.handler", *options),
        *("--event", event({"id": "no"}), event({"id": "no"}, "b.json")),
    )
    assert code == expected
    assert "  error KeyError  " in stdout
    assert "2 invocations, 0 succeeded, 2 failed" in stdout
    if expected:
        assert stderr.startswith("error: 2 of 2 invocations failed: ")
        assert "b.json (error KeyError)" in stderr


def test_what_the_platform_ends_fails_the_run_and_the_next_event_is_still_tried(
    wrapkit, task, event
):
    folder = task(
        "import os\ndef handler(e, c):\n    return os._exit(3) if e['die'] else 'alive'\n"
    )
    code, stdout, stderr = wrapkit(
        *("run", "--task", folder, "--handler", "app.handler"),
        *("--event", event({"die": 1}), event({"die": 0}, "b.json")),
    )
    assert code == 1
    assert stderr.startswith("error: 1 of 2 invocations ended by the platform: ")
    assert "Runtime.ExitError" in stderr
    assert "  alive\n" in stdout


def test_a_timeout_fails_the_run_with_a_hint(wrapkit, task, event):
    folder = task("import time\ndef handler(e, c):\n    time.sleep(600)\n")
    code, stdout, stderr = wrapkit(
        *("run", "--task", folder, "--handler", "app.handler", "--timeout", "0.2"),
        *("--event", event({})),
    )
    assert code == 1
    assert "Sandbox.Timedout" in stdout
    assert "hint: --timeout " in stderr


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        ("app.nope", "Runtime.HandlerNotFound"),
        ("nope.handler", "Runtime.ImportModuleError"),
        ("nope", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_handler_that_does_not_exist_fails_with_the_runtimes_error(
    wrapkit, task, event, handler, kind
):
    code, stdout, stderr = wrapkit(
        "run", "--task", task(ECHO), "--handler", handler, "--event", event({})
    )
    assert code == 1
    assert "INVOKE" not in stdout
    assert stderr.startswith(f"error: Init failed: {kind}: ")
    assert "hint: --handler is FILE.FUNCTION" in stderr


@pytest.mark.parametrize(
    ("first_line", "mode", "expected"),
    [("#!/bin/sh\r\n", 0o755, "CRLF"), ("#!/bin/sh\n", 0o644, "not executable")],
)
def test_an_extension_that_cannot_start_fails_the_run(
    wrapkit, task, event, tmp_path, first_line, mode, expected
):
    extension = tmp_path / "layer/extensions/mine"
    extension.parent.mkdir(parents=True)
    extension.write_bytes(first_line.encode())
    extension.chmod(mode)
    code, _, stderr = wrapkit(
        *("run", "--task", task(ECHO), "--handler", "app.handler", "--event", event({})),
        *("--layer", tmp_path / "layer"),
    )
    assert code == 1
    error, hint = stderr.splitlines()
    assert "extensions/mine" in error
    assert expected in error
    assert hint.startswith("hint: ")


@pytest.mark.parametrize(
    ("content", "mode", "status", "expected"),
    [
        ("#!/bin/sh\r\n", 0o755, 127, "line ends are LF"),
        ("#!/bin/sh\n", 0o644, 126, "chmod +x"),
        (None, 0, 127, "has to exist"),
    ],
    ids=["CRLF", "not executable", "missing"],
)
def test_an_exec_wrapper_that_cannot_start_is_named_in_the_hint(
    wrapkit, task, event, tmp_path, content, mode, status, expected
):
    wrapper = tmp_path / "layer/wrapper"
    wrapper.parent.mkdir()
    if content is not None:
        wrapper.write_bytes(content.encode())
        wrapper.chmod(mode)
    code, _, stderr = wrapkit(
        *("run", "--task", task(ECHO), "--handler", "app.handler", "--event", event({})),
        *("--layer", wrapper.parent, "--env", "AWS_LAMBDA_EXEC_WRAPPER=/opt/wrapper"),
    )
    assert code == 1
    error, hint = stderr.splitlines()
    assert error == f"error: Init failed: Runtime.ExitError: runtime: exit status {status}"
    assert hint.startswith("hint: /opt/wrapper, which AWS_LAMBDA_EXEC_WRAPPER names, ")
    assert expected in hint


def refused(wrapkit, *arguments):
    """The error and the hint of a command that never starts anything."""
    code, stdout, stderr = wrapkit("run", *arguments)
    error, hint = stderr.splitlines()
    assert (code, stdout) == (2, "")
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    return error


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n "a": 1,\n}', "bad.json:3:1"),
        ("", "bad.json:1:1"),
        ("{'a': 1}", "bad.json:1:2"),
        ("NaN", "NaN"),
    ],
)
def test_an_event_that_is_not_json_is_refused_by_place(wrapkit, task, event, text, place):
    good, bad = event({}), event(text, "bad.json")
    base = ("--task", task(ECHO), "--handler", "app.handler")
    assert place in refused(wrapkit, *base, "--event", good, bad)


def test_missing_files_are_refused_by_name(wrapkit, task, event):
    base = ("--handler", "app.handler", "--event")
    folder = task(ECHO)
    assert "gone.json" in refused(wrapkit, "--task", folder, *base, "gone.json")
    assert "gone-task" in refused(wrapkit, "--task", "gone-task", *base, event({}))
    layer = ("--layer", "gone-layer")
    assert "gone-layer" in refused(wrapkit, "--task", folder, *base, event({}), *layer)


def test_a_layer_that_is_no_layer_is_refused(wrapkit, task, event, tmp_path):
    (tmp_path / "layer.zip").write_text("not a zip file")
    base = ("--task", task(ECHO), "--handler", "app.handler", "--event", event({}))
    assert "layer.zip" in refused(wrapkit, *base, "--layer", "layer.zip")


def test_a_port_that_is_taken_is_refused(wrapkit, task, event):
    base = ("--task", task(ECHO), "--handler", "app.handler", "--event", event({}))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert port in refused(wrapkit, *base, "--port", port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_and_all_that_it_started(wrapkit, task, event, tmp_path, number):
    folder = task(
        "import subprocess, sys, time\n"
        "def handler(e, c):\n"
        "    subprocess.Popen(['sleep', '600'])\n"
        "    print('all is running', flush=True)\n"
        "    time.sleep(600)\n"
    )
    extension = tmp_path / "layer/extensions/idle"
    extension.parent.mkdir(parents=True)
    extension.write_text(SHEBANG + EXTENSION)
    extension.chmod(0o755)
    process = wrapkit.start(
        *("run", "--task", folder, "--handler", "app.handler", "--timeout", "600"),
        *("--event", event({}), "--layer", tmp_path / "layer"),
    )
    try:
        for line in process.stdout:
            if "all is running" in line:
                break
        descendants = psutil.Process(process.pid).children(recursive=True)
        names = {descendant.name() for descendant in descendants}
        assert "sleep" in names
        assert len(descendants) >= 3
        process.send_signal(number)
        process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
    assert process.returncode == 128 + number
    wrapkit.check_left_nothing(descendants)


# The function's own Python: what lies in this machine's /tmp is not in the sandbox's.
SHEBANG = "#!/usr/bin/env python{}.{}\n".format(*sys.version_info)
EXTENSION = """
import os, urllib.request
base = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
register = urllib.request.Request(
    base + "register", b'{"events": ["INVOKE"]}', {"Lambda-Extension-Name": "idle"}
)
with urllib.request.urlopen(register) as answer:
    identifier = answer.headers["Lambda-Extension-Identifier"]
while True:
    headers = {"Lambda-Extension-Identifier": identifier}
    urllib.request.urlopen(urllib.request.Request(base + "event/next", headers=headers)).read()
"""
