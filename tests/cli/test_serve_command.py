"""`wrapkit serve` as a process: called by boto3 and by the AWS CLI, shown, configured, ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.config import Config

from tests.emulator.environments import may_isolate

from .conftest import BOUND_S
from .test_run_command import SENDER

ECHO = "def handler(event, context):\n    print('hello from the function')\n    return event\n"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}


class Service:
    """A running `wrapkit serve --json`, its events as they come, and its Invoke API."""

    def __init__(self, process):
        self.process = process
        self.passed = []
        self.endpoint = self.next("listening")["endpoint"]
        self.before_listening = tuple(self.passed)

    def next(self, kind):
        """The next event of a kind; what comes before it is passed over."""
        for line in self.process.stdout:
            event = json.loads(line)
            if event["type"] == kind:
                return event
            self.passed.append(event)
        raise AssertionError(f"no {kind}: {self.process.stderr.read()}")

    def invoke(self, name="my-function", payload=b"{}", **options):
        client = boto3.client(
            "lambda",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"max_attempts": 0}),
        )
        try:
            return client.invoke(FunctionName=name, Payload=payload, **options)["Payload"].read()
        finally:
            client.close()


@pytest.fixture
def service(wrapkit):
    @contextmanager
    def start(*arguments, number=signal.SIGINT, code=130):
        process = wrapkit.start("serve", "--port", "0", "--json", *arguments)
        try:
            yield Service(process)
            children = psutil.Process(process.pid).children(recursive=True)
            process.send_signal(number)
            _, stderr = process.communicate(timeout=BOUND_S)
            assert (process.returncode, stderr) == (code, "")
        finally:
            process.kill()
            process.communicate()
        wrapkit.check_left_nothing(children)

    return start


@pytest.fixture
def function(task):
    def options(code=ECHO):
        return ("--task", task(code), "--handler", "app.handler")

    return options


def test_the_aws_cli_invokes_it(service, function, tmp_path):
    with service(*function()) as running:
        answer = subprocess.run(
            [
                Path(sys.executable).with_name("aws"),
                *("lambda", "invoke", "--function-name", "my-function"),
                *("--endpoint-url", running.endpoint, "--region", "us-east-1"),
                *("--payload", '{"id": 1}', "--log-type", "Tail", tmp_path / "out.json"),
            ],
            env={**os.environ, **CREDENTIALS, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["StatusCode"] == 200
    assert json.loads((tmp_path / "out.json").read_text()) == {"id": 1}


def test_json_tells_each_thing_that_happens(service, function):
    with service(*function()) as running:
        assert running.invoke(payload=b'{"id": 1}') == b'{"id": 1}'
        started = running.next("environment-started")
        log = running.next("log")
        invocation = running.next("invocation")

    place = {"function_name": "my-function", "number": 1}
    assert started == {"type": "environment-started", **place}
    assert (log["number"], log["line"][:10]) == (1, "INIT_START")
    assert (invocation["payload"], invocation["status"]) == ({"id": 1}, "success")


def test_json_tells_the_spans_with_all_their_members(service, function):
    with service(*function(SENDER)) as running:
        running.invoke()
        span = running.next("span")

    assert (span["name"], span["kind"], span["status_code"]) == (
        "work of mine",
        "UNSPECIFIED",
        "UNSET",
    )


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
def test_a_signal_shuts_every_environment_down(service, function, number, code):
    with service(*function(), number=number, code=code) as running:
        running.invoke()


def test_the_log_and_the_traces_are_shown(wrapkit, function):
    """For people: the log behind the environment's name, the waterfall once spans have come."""
    process = wrapkit.start("serve", *function(SENDER), "--port", "0")
    try:
        lines = [next(process.stdout) for _ in range(3)]
        port = int(lines[1].partition("http://127.0.0.1:")[2].partition(",")[0])
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/my-function/invocations"
        invoke = f"import urllib.request; urllib.request.urlopen({url!r}, b'').read()"
        subprocess.run([sys.executable, "-c", invoke], check=True, timeout=BOUND_S)
        for line in process.stdout:
            lines.append(line)
            if "work of mine" in line:
                break
        process.send_signal(signal.SIGINT)
        rest, stderr = process.communicate(timeout=BOUND_S)
    finally:
        process.kill()
        process.communicate()
    shown = "".join(lines) + rest
    assert stderr == ""
    assert "my-function  app.handler  128 MB  timeout 3 s  concurrency 10\n" in shown
    assert f"aws lambda invoke --endpoint-url http://127.0.0.1:{port} " in shown
    assert "\nmy-function/1  START RequestId: " in shown
    assert "\nTrace of " in shown
    assert "\nmy-function/1  Shutdown " in shown


def test_the_environment_is_as_the_options_say(service, function):
    """Those of `wrapkit run`: each shows in what the function sees, or in the log."""
    code = """
import os
def handler(event, context):
    size = os.statvfs("/tmp").f_blocks * os.statvfs("/tmp").f_frsize
    return [os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], size, len(bytearray(200 * 1024 * 1024))]
"""
    given = ("--initialization-type", "snap-start", "--ephemeral-storage", "600")
    given += ("--log-format", "JSON", "--system-log-level", "DEBUG", "--profile", "rie")
    with service(*function(code), *given, "--timeout", "20", "--no-freeze") as running:
        # Beyond 128 MB: that profile has no limit.
        kind, size, taken = json.loads(running.invoke())
    logged = [json.loads(one["line"])["type"] for one in running.before_listening[1:]]

    assert (kind, taken) == ("snap-start", 200 * 1024 * 1024)
    assert logged == ["platform.initStart", "platform.initRuntimeDone", "platform.initReport"]
    if may_isolate():
        assert size == 600 * 1024 * 1024


def test_init_is_done_before_anybody_calls_unless_on_demand(service, function):
    with service(*function(), "--initialization-type", "provisioned-concurrency") as running:
        assert b"id" in running.invoke(payload=b'{"id": 1}')

    # It was told before the service listened.
    kinds = [event["type"] for event in running.before_listening]
    assert kinds[0] == "environment-started"
    assert "INIT_REPORT" in running.before_listening[-1]["line"]


def test_a_setting_of_the_file_is_checked_as_the_option_is(wrapkit, tmp_path):
    path = tmp_path / "functions.toml"
    for line, message in (
        ('log-format = "XML"', "the log format 'XML' is neither Text nor JSON"),
        ("ephemeral-storage = 1", "the ephemeral storage of 1 MB is outside 512 to 10240 MB"),
        ('initialization-type = "lambda-managed-instances"', "managed instances are not served"),
    ):
        path.write_text(f'[functions.a]\ntask = "."\nhandler = "a.b"\n{line}\n')
        code, stdout, stderr = wrapkit("serve", "--functions", path, "--port", "0")
        assert (code, stdout) == (2, "")
        assert message in " ".join(stderr.split())


def test_several_functions_come_from_a_file(service, tmp_path, task):
    folder = task(ECHO)
    (tmp_path / "functions.toml").write_text(
        f"""
        [functions.one]
        task = "{folder.name}"
        handler = "app.handler"

        [functions.two]
        task = "{folder.name}"
        handler = "app.handler"
        env = {{ NAME = "value" }}
        alias = ["prod"]
        memory = 256
        timeout = 0.5
        concurrency = 2
        idle-timeout = 10
        event-retries = 0
        """
    )
    with service("--functions", tmp_path / "functions.toml") as running:
        assert running.invoke("one", b"1") == b"1"
        assert running.invoke("two:prod", b"2") == b"2"
        report = next(
            line["line"]
            for line in iter(lambda: running.next("log"), None)
            if "256" in line["line"]
        )

    assert "Memory Size: 256 MB" in report


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "there is no table [functions.NAME]", ""),
        ("functions = 3", "there is no table [functions.NAME]", ""),
        ("[functions.a", "Expected ']'", ""),
        ('[functions.a]\nhandler = "app.handler"', "[functions.a] has no task", ""),
        ('[functions.a]\ntask = "."', "[functions.a] has no handler", ""),
        (
            '[functions.a]\ntask = "."\nhandler = "a.b"\nmemroy = 1',
            "[functions.a] has an unknown key 'memroy'",
            "is it 'memory'?",
        ),
        (
            '[functions.a]\ntask = "."\nhandler = "a.b"\nmemory = "big"',
            "[functions.a] memory is not a whole number",
            "",
        ),
        (
            '[functions.a]\ntask = "."\nhandler = "a.b"\ntimeout = 0',
            "[functions.a] timeout is 0",
            "",
        ),
        (
            '[functions."a b"]\ntask = "."\nhandler = "a.b"',
            "'a b' is not a function's name",
            "1 to 64 letters",
        ),
        (
            '[functions.a]\ntask = "nowhere"\nhandler = "a.b"',
            "nowhere is not a directory",
            "name the folder that holds the function's code",
        ),
    ],
)
def test_a_mistake_in_the_file_is_said_with_its_place(wrapkit, tmp_path, text, message, hint):
    path = tmp_path / "functions.toml"
    path.write_text(text)

    code, stdout, stderr = wrapkit("serve", "--functions", path, "--port", "0")

    assert (code, stdout) == (2, "")
    assert message in stderr
    assert hint in stderr
    assert "Traceback" not in stderr


def test_one_function_or_a_file_of_them(wrapkit, function, tmp_path):
    path = tmp_path / "functions.toml"
    path.touch()

    code, _, stderr = wrapkit("serve", "--functions", path, *function())
    assert (code, stderr.splitlines()[0]) == (
        2,
        "error: --functions excludes the options that describe one function",
    )

    code, _, stderr = wrapkit("serve", "--handler", "app.handler")
    assert (code, stderr.splitlines()[0]) == (2, "error: --task is missing")


def test_a_layer_that_cannot_be_one_is_said_before_anybody_calls(wrapkit, function, tmp_path):
    broken = tmp_path / "layer.zip"
    broken.write_text("no archive")

    code, stdout, stderr = wrapkit("serve", *function(), "--layer", broken, "--port", "0")

    assert (code, stdout) == (2, "")
    assert str(broken) in stderr
