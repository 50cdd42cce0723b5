"""Attach and detach against moto's server, where the AWS command line made the functions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import BOUND_S, OWN, CommandLine, credentials

pytestmark = pytest.mark.slow

ROLE_POLICY = {
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
    """An account in moto, the AWS command line in it, and wrapkit's."""

    def __init__(self, folder, url):
        self.folder = folder
        self.environ = credentials(folder, url)
        self.wrapkit = CommandLine(folder, self.environ)

    def aws(self, *arguments):
        """What the AWS command line answers."""
        done = subprocess.run(
            [Path(sys.executable).with_name("aws"), *arguments, "--output", "json"],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def configuration(self, name):
        answer = self.aws("lambda", "get-function-configuration", "--function-name", name)
        layers = [layer["Arn"] for layer in answer.get("Layers", [])]
        return layers, answer.get("Environment", {}).get("Variables", {})


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    folder = tmp_path_factory.mktemp("account")
    with (folder / "moto.log").open("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            stdout=log,
            stderr=log,
            cwd=folder,
        )
        try:
            yield Account(folder, _url(server, folder / "moto.log"))
        finally:
            server.kill()
            server.wait()


def _url(server, log):
    while server.poll() is None:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", log.read_text())
        if found:
            return found[1]
        try:
            server.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(log.read_text())


@pytest.fixture(scope="module")
def functions(account):
    """Two functions, one of them with a layer, variables and a tag."""
    with zipfile.ZipFile(account.folder / "code.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'hello'\n")
    role = account.aws(
        *("iam", "create-role", "--role-name", "function"),
        *("--assume-role-policy-document", json.dumps(ROLE_POLICY)),
    )["Role"]["Arn"]
    layer = account.aws(
        *("lambda", "publish-layer-version", "--layer-name", "mine"),
        *("--zip-file", "fileb://code.zip"),
    )["LayerVersionArn"]
    create = [
        *("lambda", "create-function", "--runtime", f"python{OWN}", "--handler", "app.handler"),
        *("--role", role, "--zip-file", "fileb://code.zip", "--function-name"),
    ]
    account.aws(*create, "plain")
    account.aws(
        *(*create, "orders", "--layers", layer, "--tags", "team=shop"),
        *("--environment", "Variables={TABLE=orders,PASSWORD=hush}"),
    )
    return {name: account.configuration(name) for name in ("plain", "orders")}


def test_a_function_is_attached_and_detached(account, functions, archive):
    """By tag, with a layer that is published from the archive; the AWS command line looks."""
    done = account.wrapkit("attach", "--tag", "team=shop", "--layer", archive, "--yes")
    assert done.returncode == 0, done.stderr
    layers, variables = account.configuration("orders")
    published = account.aws("lambda", "list-layer-versions", "--layer-name", "wrapkit-python")

    assert layers == [*functions["orders"][0], published["LayerVersions"][0]["LayerVersionArn"]]
    assert f"python{OWN}" in published["LayerVersions"][0]["CompatibleRuntimes"]
    assert variables["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/otel-handler"
    assert variables["PASSWORD"] == "hush"
    assert "hush" not in done.stdout + done.stderr
    assert account.configuration("plain") == functions["plain"]

    assert account.wrapkit("detach", "orders", "--yes").returncode == 0
    assert account.configuration("orders") == functions["orders"]


def test_all_functions_by_pattern(account, functions, archive):
    """Published before: the second command takes the version that there is."""
    attached = account.wrapkit.record("attach", "*", "--layer", archive, "--yes")
    again = account.wrapkit.record("attach", "*", "--layer", archive, "--yes")
    versions = account.aws("lambda", "list-layer-versions", "--layer-name", "wrapkit-python")
    detached = account.wrapkit.record("detach", "*", "--yes")

    assert [each["outcome"] for each in attached] == ["changed", "changed"]
    assert [each["outcome"] for each in again] == ["unchanged", "unchanged"]
    assert [each["outcome"] for each in detached] == ["changed", "changed"]
    assert len(versions["LayerVersions"]) == 1
    assert {name: account.configuration(name) for name in functions} == functions


def test_what_there_is_not_is_said_in_aws_words(account):
    done = account.wrapkit("detach", "missing", "--yes")

    assert done.returncode == 1
    assert "ResourceNotFoundException" in done.stderr
    assert "Traceback" not in done.stderr
