"""`wrapkit bench --aws` against moto's server; nothing is left, however it ends."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import zipfile

import boto3
import pytest

from tests.tooling.attach.conftest import BOUND_S, CommandLine, credentials
from tests.tooling.aws_bench.lambda_front import ADDED_INIT_MS, LambdaFront, moto_server
from wrapkit.tooling.layers import LayerRequest, build_layers

pytestmark = pytest.mark.slow

OWN = "{}.{}".format(*sys.version_info[:2])
VARIABLES = {"TABLE": "orders", "PASSWORD": "hush"}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


class Account:
    """A function with a published version of its user's, and wrapkit's command line."""

    def __init__(self, folder, front):
        self.front = front
        environ = credentials(folder, front.url)
        self.wrapkit = CommandLine(folder, environ)
        session = boto3.Session("testing", "testing", region_name=environ["AWS_REGION"])
        self.client = session.client("lambda", endpoint_url=front.url)
        role = session.client("iam", endpoint_url=front.url).create_role(
            RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST)
        )["Role"]["Arn"]
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as archive:
            archive.writestr("app.py", "def handler(event, context):\n    return 'hello'\n")
        self.client.create_function(
            FunctionName="orders",
            Runtime=f"python{OWN}",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": code.getvalue()},
            Environment={"Variables": VARIABLES},
        )
        self.client.publish_version(FunctionName="orders", Description="the user's")

    def state(self):
        """What a user would notice: $LATEST, and the versions."""
        latest = self.client.get_function_configuration(FunctionName="orders")
        listed = self.client.list_versions_by_function(FunctionName="orders")["Versions"]
        versions = [one["Description"] for one in listed if one["Version"] != "$LATEST"]
        return latest.get("Layers", []), latest["Environment"]["Variables"], versions


UNTOUCHED: tuple[list[object], dict[str, str], list[str]] = ([], VARIABLES, ["the user's"])


@pytest.fixture(scope="module")
def layer(tmp_path_factory):
    output = tmp_path_factory.mktemp("layer") / "wrapkit-layer.zip"
    return build_layers(LayerRequest(output, versions=(OWN,)))[0].archive.path


@pytest.fixture
def account(tmp_path):
    with moto_server(tmp_path) as port:
        front = LambdaFront(port)
        try:
            yield Account(tmp_path, front)
        finally:
            front.close()


def test_bare_and_attached_are_measured_by_turns_and_nothing_is_left(account, layer):
    done = account.wrapkit(
        *("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "6", "--warm", "3"),
        *("--output", "record.json", "--html", "cost.html"),
        *("--fail-if", "wrapkit.init_ms > bare.init_ms + 10"),
    )
    assert done.returncode == 1, done.stderr
    assert "wrapkit.init_ms > bare.init_ms + 10 at 128 MB: yes, by " in done.stderr
    assert account.state() == UNTOUCHED
    record = json.loads((account.wrapkit.folder / "record.json").read_text())
    added = next(
        found["added"]
        for found in record["findings"]
        if (found["measure"], found["variant"]) == ("init_ms", "wrapkit")
    )
    assert added["low"] - 1 <= ADDED_INIT_MS <= added["high"] + 1
    assert record["machine"]["system"] == "AWS Lambda"
    assert len(record["starts"]) == 12
    assert len(record["starts"][0]["warm_duration_ms"]) == 3
    assert {start["measures"]["max_memory_used_mb"] for start in record["starts"]} == {38, 47}
    text = json.dumps(record) + done.stdout + done.stderr
    assert "hush" not in text
    assert "123456789012" not in json.dumps(record)
    page = (account.wrapkit.folder / "cost.html").read_text()
    assert "REPORT lines" in page
    assert "From Init to Shutdown" not in page


def test_an_interrupt_ends_it_and_puts_everything_back(account, layer):
    process = account.wrapkit.start(
        *("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "50", "--warm", "1")
    )
    invocations = []

    def interrupt(call):
        invocations.append(call)
        if sum("invocations" in path for _, path in invocations) == 3:
            process.send_signal(signal.SIGINT)

    account.front.after_call = interrupt
    _, stderr = process.communicate(timeout=BOUND_S)
    assert process.returncode == 130, stderr
    assert account.state() == UNTOUCHED


@pytest.mark.parametrize("calls", [9, 12, 14, 16, 19])
def test_a_run_that_was_killed_is_undone_by_the_next(account, layer, calls):
    """Wherever it was: at the first version, or with $LATEST changed."""
    left = [calls]
    process = account.wrapkit.start(
        *("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "50", "--warm", "0")
    )

    def kill(_call):
        left[0] -= 1
        if left[0] == 0:
            os.kill(process.pid, signal.SIGKILL)

    account.front.after_call = kill
    process.communicate(timeout=BOUND_S)
    account.front.after_call = lambda _call: None
    assert process.returncode == -signal.SIGKILL
    done = account.wrapkit(
        *("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "1", "--warm", "0")
    )
    assert done.returncode == 0, done.stderr
    assert account.state() == UNTOUCHED


def test_an_invocation_that_fails_ends_it_and_puts_everything_back(account, layer):
    account.front.outcome = {"errorType": "KeyError", "errorMessage": "id"}
    done = account.wrapkit("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "1")
    assert done.returncode == 1
    assert "an invocation of orders failed in variant bare: KeyError: id" in done.stderr
    assert account.state() == UNTOUCHED


def test_somebody_elses_change_meanwhile_stays(account, layer):
    """It is neither overwritten nor measured."""
    process = account.wrapkit.start(
        *("bench", "--aws", "orders", "--layer", layer, "--yes", "--cold", "5", "--warm", "1")
    )
    theirs = {"TABLE": "new"}
    seen = []

    def deploy(call):
        seen.append(call)
        if sum("invocations" in path for _, path in seen) == 2 and "invocations" in call[1]:
            account.front.after_call = lambda _call: None
            account.client.update_function_configuration(
                FunctionName="orders", Environment={"Variables": theirs}
            )

    account.front.after_call = deploy
    _, stderr = process.communicate(timeout=BOUND_S)
    assert process.returncode == 1
    assert "changed by somebody else meanwhile" in stderr
    assert account.state() == ([], theirs, ["the user's"])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "--yes says so beforehand"),
        (("--yes", "--task", "."), "--task does not go with --aws"),
        (("--yes", "--variant", "a=B=1"), "--variant does not go with --aws"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_changed(account, layer, arguments, reason):
    done = account.wrapkit("bench", "--aws", "orders", "--layer", layer, *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert account.state() == UNTOUCHED
    missing = account.wrapkit("bench", "--aws", "missing", "--layer", layer, "--yes")
    assert missing.returncode == 1
    assert "ResourceNotFoundException" in missing.stderr
