"""Managed instances, with the real runtime client's worker processes."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from tests.emulator.environments import Watched, run, until

TOGETHER = """
import json, os, time
def handler(event, context):
    if event == "crash":
        os.kill(os.getppid(), 9)
        time.sleep(20)
    if event == "slow":
        time.sleep(1.5)
    if isinstance(event, list):  # a name, and that of the other
        mine, other = event
        open(f"/tmp/{mine}", "w").close()
        while not os.path.exists(f"/tmp/{other}"):
            time.sleep(0.01)
    return [os.getpid(), os.environ["AWS_LAMBDA_MAX_CONCURRENCY"]]
"""
WATCHER = """
status, _, body = me.call(
    "POST", EXTENSIONS + "/register", json.dumps({"events": ["INVOKE", "SHUTDOWN"]}),
    Lambda_Extension_Name=me.name,
)
say(status, json.loads(body)["errorType"])
me.register("SHUTDOWN")
for schema in ("2022-12-13", "2025-01-29"):
    destination = {"protocol": "TCP", "port": 4243}
    say(schema, me.subscribe(destination, schemaVersion=schema)[0])
say(me.next_event()["eventType"])
"""


def managed(deployment, **settings):
    settings = {"timeout_ms": 10_000, "max_concurrency": 2, **settings}
    return deployment.handler(TOGETHER).function(
        initialization_type="lambda-managed-instances", log_format="JSON", **settings
    )


async def workers(environment, count):
    """Waits until so many workers wait for an invocation."""
    await until(lambda: len(environment._host._runtime_connections) == count)


@pytest.mark.usefixtures("needs_namespaces")
def test_two_invocations_at_a_time(deployment):
    """Each in a worker of its own; a third finds none. No freeze, no runtimeDone."""
    deployment.extension("watcher", WATCHER)

    async def scenario():
        async with Watched(managed(deployment)) as environment:
            init = await environment.init()
            await workers(environment, 2)
            both = [environment.send(b'["a","b"]'), environment.send(b'["b","a"]')]
            third = await environment.invoke(b"{}")
            for invocation in both:
                await invocation.ended
            ended = await environment.shutdown()
            return environment, init, [one.result() for one in both], third, ended

    environment, init, both, third, ended = run(scenario())
    assert init.status == "success"
    pids = {json.loads(one.payload)[0] for one in both}
    assert len(pids) == 2
    assert {json.loads(one.payload)[1] for one in both} == {"2"}
    assert json.loads(third.payload)["errorType"] == "Runtime.Unavailable"
    assert {"403 Extension.InvalidEventType", "2022-12-13 400", "2025-01-29 200"} <= set(
        environment.lines
    )
    assert "SHUTDOWN" in environment.lines
    assert "platform.runtimeDone" not in environment.types()
    assert set(environment.record("platform.report")["metrics"]) == {"durationMs"}
    assert ended.statuses["watcher"] == "exit status 0"


def test_a_timeout_leaves_the_others_alone(deployment):
    """The worker goes on, and takes another invocation when it is done."""

    async def scenario():
        function = managed(deployment, timeout_ms=1000, max_concurrency=1)
        async with Watched(function) as environment:
            await environment.init()
            late = await environment.invoke(b'"slow"')
            await environment.wait_for_worker(10)
            return environment, late, await environment.invoke(b"{}")

    environment, late, good = run(scenario())
    assert (late.status, json.loads(late.payload)["errorType"]) == ("timeout", "Sandbox.Timedout")
    assert good.status == "success"
    assert environment.types().count("platform.initStart") == 1


def test_the_end_of_the_runtime_ends_the_environment(deployment):
    """No reset: nobody else is served."""

    async def scenario():
        async with Watched(managed(deployment)) as environment:
            await environment.init()
            dead = await environment.invoke(b'"crash"')
            takes = environment.takes_invocations
            return dead, takes, await environment.shutdown()

    dead, takes, ended = run(scenario())
    assert json.loads(dead.payload)["errorType"] == "Runtime.ExitError"
    assert takes is False
    assert ended.statuses["runtime"] == "signal: killed"


def test_a_worker_that_hangs_up_is_no_worker(deployment):
    """Its connection is closed while it waits."""
    deployment.runtime("""
def wait():
    me = Party()
    me.connection.request("GET", RUNTIME + "/invocation/next")
    return me
first = wait()
await_mark("closes")
first.connection.close()
import signal; signal.pause()
""")

    async def scenario():
        function = deployment.function(
            initialization_type="lambda-managed-instances", log_format="JSON"
        )
        async with Watched(function, isolation="none") as environment:
            await environment.init()
            shutil.copy(os.devnull, f"{environment._sandbox.tmp}/closes")
            await workers(environment, 0)
            await environment.wait_for_worker(0.01)  # which comes to nothing
            return await environment.invoke(b"{}")

    assert json.loads(run(scenario()).payload)["errorType"] == "Runtime.Unavailable"


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"log_format": "Text"}, "log format is JSON"), ({"max_concurrency": 0}, "concurrency of 0")],
)
def test_settings_that_managed_instances_refuse(deployment, settings, words):
    settings = {
        "initialization_type": "lambda-managed-instances",
        "log_format": "JSON",
        **settings,
    }
    with pytest.raises(Exception, match=words):
        deployment.function(**settings).check()
