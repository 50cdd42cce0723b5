"""The guides' commands, run as they are written, in an account that moto plays."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.tooling.attach.conftest import BOUND_S, OWN
from tests.tooling.attach.moto_account import ROLE_POLICY, moto_account

pytestmark = pytest.mark.slow

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"


def blocks(guide, heading=""):
    """The shell commands of a guide, or of one of its sections."""
    text = (ROOT / "docs/guides" / guide).read_text()
    if heading:
        text = text.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    found = BLOCK.findall(text)
    assert found, f"{guide} has no commands under {heading!r}"
    return found


class Shell:
    """Runs a block in bash, and says yes to whatever it asks."""

    def __init__(self, account):
        self.account = account
        programs = Path(sys.executable).parent
        self.environ = {**account.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def __call__(self, block):
        mine, its = pty.openpty()
        try:
            # In the terminal's queue before anybody asks.
            os.write(mine, b"y\ny\ny\n")
            done = subprocess.run(
                ["bash", "-eu", "-c", block],
                stdin=its,
                cwd=self.account.folder,
                env=self.environ,
                capture_output=True,
                text=True,
                timeout=BOUND_S,
            )
        finally:
            os.close(mine)
            os.close(its)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with moto_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def shell(account):
    """With a layer that was built as the guides say, an event, and code for functions."""
    (account.folder / "event.json").write_text("{}")
    with zipfile.ZipFile(account.folder / "code.zip", "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'hello'\n")
    run = Shell(account)
    run(blocks("attach-to-functions.md", "1. Build the layer")[0])
    return run


@pytest.fixture(scope="module")
def role(account):
    return account.aws(
        *("iam", "create-role", "--role-name", "function"),
        *("--assume-role-policy-document", json.dumps(ROLE_POLICY)),
    )["Role"]["Arn"]


@pytest.fixture
def function(account, role):
    """Makes a function with layers of these names; gives its configuration."""
    made = []

    def make(name, layers=(), variables=None, handler="app.handler"):
        arns = [
            account.aws(
                *("lambda", "publish-layer-version", "--layer-name", layer),
                *("--zip-file", "fileb://code.zip"),
            )["LayerVersionArn"]
            for layer in layers
        ]
        account.aws(
            *("lambda", "create-function", "--function-name", name, "--role", role),
            *("--runtime", f"python{OWN}", "--handler", handler, "--zip-file", "fileb://code.zip"),
            *("--environment", json.dumps({"Variables": variables or {}})),
            *(["--layers", *arns] if arns else []),
        )
        made.append(name)
        return account.configuration(name)

    yield make
    for name in made:
        account.aws("lambda", "delete-function", "--function-name", name)


def test_attaching_to_functions(shell, account, function):
    """From the first look to the last command of the guide."""
    before = function("orders-api", ["mine"], {"TABLE": "orders", WRAPPER: "/opt/bootstrap"})
    guide = "attach-to-functions.md"
    looked = shell(blocks(guide, "2.")[0])
    assert account.configuration("orders-api") == before
    shell(blocks(guide, "3.")[0])
    layers, variables = account.configuration("orders-api")
    shell(blocks(guide, "3.")[1])
    shell(blocks(guide, "Look at")[0])
    shell(blocks(guide, "4.")[0])

    assert "+ variable WRAPKIT_CHAIN = /opt/bootstrap" in looked
    assert len(layers) == 2
    assert variables[WRAPPER] == "/opt/otel-handler"
    assert account.configuration("orders-api") == before


MIGRATIONS = [
    (
        "opentelemetry-lambda",
        ["opentelemetry-python-0_17_0", "mine", "opentelemetry-collector-amd64-0_18_0"],
        {WRAPPER: "/opt/otel-instrument", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"},
        "app.handler",
    ),
    (
        "AWS Distro",
        ["mine", "aws-otel-python-amd64-ver-1-32-0"],
        {WRAPPER: "/opt/otel-instrument"},
        "app.handler",
    ),
    (
        "Datadog",
        ["Datadog-Python312", "Datadog-Extension", "mine"],
        {"DD_LAMBDA_HANDLER": "app.handler", "DD_SITE": "datadoghq.eu"},
        "datadog_lambda.handler.handler",
    ),
]


@pytest.mark.parametrize(("heading", "layers", "variables", "handler"), MIGRATIONS)
def test_migrating(shell, account, function, heading, layers, variables, handler):
    """The other layer goes and wrapkit's comes in one command, and back."""
    guide = "migrate-from-another-layer.md"
    before = function("my-function", layers, variables, handler)
    for block in blocks(guide, heading):
        shell(block)
    now, set_variables = account.configuration("my-function")
    look, back = blocks(guide, "Look, and go back")
    status = shell(look.splitlines()[0])
    shell(back)
    answer = account.aws("lambda", "get-function-configuration", "--function-name", "my-function")

    assert [arn.split(":")[-2] for arn in now] == ["mine", "wrapkit-python"]
    assert set_variables[WRAPPER] in {"/opt/otel-handler", "/opt/otel-instrument"}
    assert any(value.startswith("https://") for value in set_variables.values())
    assert "my-function" in status
    assert account.configuration("my-function") == before
    assert answer["Handler"] == "app.handler"


def test_a_sam_template(shell, account):
    """Edited and restored; `sam` itself is not run here."""
    template = account.folder / "template.yaml"
    template.write_bytes((ROOT / "tests/tooling/templates/shop.yaml").read_bytes())
    before = template.read_bytes()
    first = blocks("attach-in-a-template.md", "SAM")[0].splitlines()
    for line in first:
        if line.startswith("wrapkit"):
            shell(line)
    assert b"WrapkitLayer" in template.read_bytes()

    shell(blocks("attach-in-a-template.md", "What it does")[0])
    assert template.read_bytes() == before


def test_a_cloudformation_template(shell, account):
    """With the ARN of a layer that is published on the way."""
    template = account.folder / "template.yaml"
    template.write_bytes((ROOT / "tests/tooling/templates/plain.yaml").read_bytes())
    lines = blocks("attach-in-a-template.md", "CloudFormation")[0].splitlines()
    for line in lines:
        if line.startswith("wrapkit"):
            shell(line)

    assert b":layer:wrapkit-python:" in template.read_bytes()


@pytest.mark.parametrize("heading", ["Terraform", "CDK", "Serverless Framework"])
def test_code_for_other_tools(shell, account, heading):
    for block in blocks("attach-as-code.md", heading):
        shell(block)

    assert (account.folder / "build").exists()
