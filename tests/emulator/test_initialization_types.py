"""How an environment comes to be: provisioned, or restored from a snapshot."""

from __future__ import annotations

import asyncio
import json
import re

import pytest

from tests.emulator.environments import Watched, run

HOOKS = """
import os, urllib.request
from snapshot_restore_py import register_after_restore, register_before_snapshot
said = []
register_before_snapshot(lambda: print("before the snapshot"))
register_after_restore(lambda: RESTORED)
def credentials():
    request = urllib.request.Request(os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    request.add_header("Authorization", os.environ["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    with urllib.request.urlopen(request) as answer:
        return __import__("json").load(answer)
def handler(event, context):
    return {"variables": dict(os.environ), "credentials": credentials()}
"""


def hooks(deployment, restored="print('after the restore')"):
    return deployment.handler(HOOKS.replace("RESTORED", restored))


def test_snap_start_runs_the_hooks_around_the_snapshot(deployment):
    """Init ends with the snapshot; the first invocation restores it, and pays for that."""
    hooks(deployment)

    async def scenario():
        function = deployment.function(initialization_type="snap-start", timeout_ms=10_000)
        async with Watched(function) as environment:
            init = await environment.init()
            after_init = list(environment.lines)
            return environment, init, after_init, [await environment.invoke(b"{}") for _ in "12"]

    environment, init, after_init, (first, second) = run(scenario())
    assert init.status == "success"
    assert "before the snapshot" in after_init
    assert "after the restore" not in after_init
    assert re.fullmatch(r"INIT_REPORT Init Duration: \d+\.\d\d ms", after_init[-1])
    kinds = [kind for kind in environment.types() if kind.startswith("platform.")]
    assert kinds[:7] == [
        "platform.initStart",
        "platform.initRuntimeDone",
        "platform.initReport",
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "platform.start",
    ]
    assert environment.record("platform.initStart")["phase"] == "snap-start"
    lines = environment.lines
    restored = [line.split("\t")[0] for line in lines if line.startswith("RESTORE")]
    assert re.fullmatch(r"RESTORE_START Runtime Version: python:.*", restored[0])
    assert re.fullmatch(r"RESTORE_REPORT Restore Duration: \d+\.\d\d ms", restored[1])
    reports = [line for line in lines if line.startswith("REPORT")]
    assert "\tRestore Duration: " in reports[0]
    assert "\tBilled Restore Duration: " in reports[0]
    assert ["Init Duration" in line for line in reports] == [False, False]
    assert "Restore Duration" not in reports[1]
    restore_ms = environment.record("platform.restoreReport")["metrics"]["durationMs"]
    assert first.billed_duration_ms >= first.duration_ms + restore_ms
    assert second.billed_duration_ms < second.duration_ms + 1


def test_a_snapshot_holds_no_credentials(deployment):
    """They are asked for where the variables say; log group and stream are not known there."""
    hooks(deployment)

    async def scenario():
        function = deployment.function(initialization_type="snap-start", timeout_ms=10_000)
        async with Watched(function) as environment:
            return json.loads((await environment.invoke(b"{}")).payload)

    answer = run(scenario())
    variables = answer["variables"]
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "snap-start"
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AWS_LAMBDA_LOG_GROUP_NAME"} & set(
        variables
    )
    assert set(answer["credentials"]) == {"AccessKeyId", "SecretAccessKey", "Token", "Expiration"}


def test_a_hook_that_fails_after_the_restore(deployment):
    """SnapStartException for the caller who waits; the report says what the hook raised."""
    hooks(deployment, "1 / 0")

    async def scenario():
        function = deployment.function(initialization_type="snap-start", timeout_ms=10_000)
        async with Watched(function) as environment:
            await environment.init()
            return environment, await environment.invoke(b"{}")

    environment, result = run(scenario())
    assert json.loads(result.payload)["errorType"] == "SnapStartException"
    report = environment.record("platform.restoreReport")
    assert (report["status"], report["errorType"]) == ("error", "Runtime.AfterRestoreError")
    assert "platform.start" not in environment.types()


@pytest.mark.parametrize("token", ["", "wrong"])
def test_credentials_are_for_who_has_the_token(deployment, token):
    """And only where there is a snapshot: 404 elsewhere."""
    deployment.runtime(f"""
me = Party()
id, _, _ = me.next_invocation() if "snap" not in os.environ["TYPE"] else ("", "", "")
say(me.call("GET", "/2021-04-23/credentials", Authorization={token!r})[0])
import signal; signal.pause()
""")

    async def status(kind):
        function = deployment.function(
            initialization_type=kind, environment={"TYPE": kind}, timeout_ms=500
        )
        async with Watched(function) as environment:
            task = asyncio.ensure_future(environment.invoke(b"{}"))
            while not any(line in ("401", "404") for line in environment.lines):
                await asyncio.sleep(0.01)
            task.cancel()
            return next(line for line in environment.lines if line in ("401", "404"))

    assert [run(status(kind)) for kind in ("snap-start", "on-demand")] == ["401", "404"]


def test_provisioned_concurrency_reports_its_init(deployment):
    """INIT_REPORT, and Init Duration in the first REPORT, too."""
    deployment.handler("import os\ndef handler(event, context): return dict(os.environ)")

    async def scenario():
        function = deployment.function(initialization_type="provisioned-concurrency")
        async with Watched(function) as environment:
            await environment.init()
            result = await environment.invoke(b"{}")
            return environment, json.loads(result.payload)

    environment, variables = run(scenario())
    assert variables["AWS_LAMBDA_INITIALIZATION_TYPE"] == "provisioned-concurrency"
    assert any(line.startswith("INIT_REPORT Init Duration: ") for line in environment.lines)


def test_an_unknown_initialization_type_is_refused(deployment):
    with pytest.raises(Exception, match="'eager' is not one of on-demand"):
        deployment.function(initialization_type="eager").check()
