"""Attach and detach against moto's server, where the AWS command line made the functions."""

from __future__ import annotations

import json
import zipfile

import pytest

from .conftest import OWN
from .moto_account import ROLE_POLICY, moto_account

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with moto_account(tmp_path_factory.mktemp("account")) as account:
        yield account


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
