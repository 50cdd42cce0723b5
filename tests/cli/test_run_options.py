"""The options of `wrapkit run` that say how the environment is: one run each, as a user would."""

from __future__ import annotations

import json
import re

import pytest

DYING = """
import os, time
def handler(event, context):
    os.kill(os.getppid(), 9)
    time.sleep(30)
"""
TAKING = "def handler(event, context):\n    return len(bytearray(400 * 1024 * 1024))\n"
LEVELS = """
import logging
def handler(event, context):
    logging.getLogger().debug("a detail")
    logging.getLogger().info("a line")
"""
SLOW_ONCE = """
import os, time
if not os.path.exists("/tmp/tried"):
    open("/tmp/tried", "w").close()
    time.sleep(30)
def handler(event, context):
    return os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"]
"""


def run(wrapkit, folder, events, *options):
    return wrapkit(
        "run", "--task", folder, "--handler", "app.handler", "--no-sink", *options,
        "--event", *events,
    )  # fmt: skip


def test_a_failure_on_managed_instances_is_the_end(wrapkit, task, event):
    """The environment is not reset: what comes after is said not to have been sent."""
    given = ("--initialization-type", "lambda-managed-instances", "--max-concurrency", "2")
    code, stdout, stderr = run(wrapkit, task(DYING), [event({})] * 3, *given)
    assert code == 1
    assert "2 more not sent: on managed instances" in stdout
    assert "1 invocation, 0 succeeded, 1 failed" in stdout
    assert "Runtime.ExitError" in stderr


def test_a_snapshot_is_restored_for_the_first_event(wrapkit, task, event):
    """With its own lines in the log."""
    handler = "def handler(event, context):\n    return 1\n"
    given = ("--initialization-type", "snap-start")
    code, stdout, _ = run(wrapkit, task(handler), [event({})] * 2, *given)
    assert code == 0
    assert stdout.count("RESTORE_START ") == stdout.count("RESTORE_REPORT ") == 1
    assert "Billed Restore Duration: " in stdout


def test_memory_is_a_limit_unless_the_profile_has_none(wrapkit, task, event):
    """128 MB are not enough for 400, except in AWS's emulator."""
    folder, events = task(TAKING), [event({})]
    code, stdout, _ = run(wrapkit, folder, events, "--timeout", "20")
    assert code == 1
    assert "signal: killed" in stdout
    code, stdout, _ = run(wrapkit, folder, events, "--timeout", "20", "--profile", "rie")
    assert code == 0
    assert "419430400" in stdout


def test_the_log_has_a_format_and_levels(wrapkit, task, event):
    """JSON lines of the platform and the function, each from a level on."""
    given = ("--log-format", "JSON", "--application-log-level", "DEBUG")
    given += ("--system-log-level", "DEBUG")
    code, stdout, _ = run(wrapkit, task(LEVELS), [event({})], *given)
    assert code == 0
    lines = [json.loads(line) for line in stdout.splitlines() if line.startswith('  {"time')]
    kinds = {line.get("type", line.get("message")) for line in lines}
    assert {"platform.runtimeDone", "platform.report", "a detail", "a line"} <= kinds


def test_levels_need_json(wrapkit, task, event):
    code, stdout, stderr = run(wrapkit, task(LEVELS), [event({})], "--system-log-level", "WARN")
    assert (code, stdout) == (2, "")
    assert "only be set with the log format JSON" in stderr


@pytest.mark.slow
def test_an_init_past_its_limit_is_repeated_within_the_first_invocation(wrapkit, task, event):
    """The run goes on, and its code is that of the invocations."""
    given = ("--timeout", "20", "--isolation", "namespace")
    code, stdout, stderr = run(wrapkit, task(SLOW_ONCE), [event({})], *given)
    if "refuses a private mount namespace" in stderr:
        pytest.skip("this kernel refuses mount namespaces")
    assert (code, stderr) == (0, "")
    assert re.search(
        r"INIT_REPORT Init Duration: (9999|1\d{4})\.\d\d ms\s+Phase: init\s+Status: timeout", stdout
    )
    assert "\n  on-demand\n" in stdout
    assert "\n  the runtime did not call invocation/next\n" in stdout


def test_a_package_beyond_a_limit_is_refused_in_lambdas_words(wrapkit, task, event):
    """Before anything runs; exit code 2."""
    values = [f"NAME{number}={'x' * 1000}" for number in range(5)]
    given = [word for value in values for word in ("--env", value)]
    code, stdout, stderr = run(wrapkit, task(LEVELS), [event({})], *given)
    assert (code, stdout) == (2, "")
    assert "exceeded the 4KB limit" in stderr
    assert "xxx" not in stderr


@pytest.mark.parametrize(
    ("count", "script", "words"),
    [
        (11, "sleep 60", ["Extension.TooManyExtensions: there are more", "10 files of /opt"]),
        (1, "exit 0", ["Extension.Crash: e0: exit status 0", "also with exit code 0"]),
    ],
)
def test_extensions_that_fail_init_are_explained(
    wrapkit, task, event, tmp_path, count, script, words
):
    """What is wrong, and what helps."""
    folder = tmp_path / "layer/extensions"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"e{number}").write_text(f"#!/bin/sh\n{script}\n")
        (folder / f"e{number}").chmod(0o755)
    given = ("--layer", folder.parent)
    code, _, stderr = run(wrapkit, task(LEVELS), [event({})], *given)
    assert code == 1
    assert all(word in " ".join(stderr.split()) for word in words)
