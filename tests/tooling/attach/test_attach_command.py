"""`wrapkit attach` and `detach` as processes, against the rules of Lambda's API."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading

import pytest

from .conftest import BOUND_S, OWN
from .lambda_service import ARN, is_change

MINE = f"{ARN}:layer:mine:3"
WRAPPER, RECORD = "AWS_LAMBDA_EXEC_WRAPPER", "WRAPKIT_ATTACHED"


def state(function):
    return list(function.layers), dict(function.variables or {})


@pytest.fixture
def layer(service):
    return service.publish(CompatibleRuntimes=["python3.12"])


@pytest.fixture
def attach(wrapkit, layer):
    def run(*arguments):
        return wrapkit("attach", *arguments, "--layer", layer, "--yes")

    return run


def test_attaching_and_detaching_leave_no_trace(service, wrapkit, attach, layer):
    """In one call each, after which the command has waited until it was in force."""
    function = service.add(
        "orders", layers=[MINE], variables={"SECRET": "hush", WRAPPER: "/opt/datadog_wrapper"}
    )
    before = state(function)
    done = attach("orders", "--env", "OTEL_SERVICE_NAME=shop")
    assert done.returncode == 0, done.stderr
    layers, variables = state(function)

    assert layers == [MINE, layer]
    assert variables[WRAPPER] == "/opt/otel-handler"
    assert variables["WRAPKIT_CHAIN"] == "/opt/datadog_wrapper"
    assert variables["OTEL_SERVICE_NAME"] == "shop"
    assert (function.update_status, function.looks_until_settled) == ("Successful", 0)
    assert sum(map(is_change, service.calls)) == 1
    assert "hush" not in done.stdout + done.stderr

    assert wrapkit("detach", "orders", "--yes").returncode == 0
    assert state(function) == before


def test_a_second_attach_changes_nothing(service, attach):
    service.add("orders")
    attach("orders")
    changes = sum(map(is_change, service.calls))
    done = attach("orders")

    assert (done.returncode, done.stderr) == (0, "1 unchanged\n")
    assert sum(map(is_change, service.calls)) == changes


def test_a_dry_run_changes_and_publishes_nothing(service, wrapkit, archive):
    before = state(service.add("orders", runtime=f"python{OWN}"))
    done = wrapkit("attach", "orders", "--layer", archive, "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "+ layer arn:aws:lambda:eu-west-1:ACCOUNT:layer:wrapkit-python:(new)" in done.stdout
    assert done.stderr == "1 to be changed\n"
    assert state(service.functions["orders"]) == before
    assert {call.split()[0] for call in service.calls} == {"GET"}


def test_without_a_terminal_it_does_not_guess(service, wrapkit, layer):
    before = state(service.add("orders"))
    done = wrapkit("attach", "orders", "--layer", layer)

    assert done.returncode == 2
    assert "agree with --yes" in done.stderr
    assert state(service.functions["orders"]) == before


def test_a_no_is_taken_for_a_no(service, wrapkit, layer):
    """In a terminal, as a person would say it."""
    before = state(service.add("orders"))
    mine, its = pty.openpty()
    try:
        os.write(mine, b"n\n")
        done = subprocess.run(
            wrapkit.command("attach", "orders", "--layer", layer),
            stdin=its,
            env=wrapkit.environ,
            cwd=wrapkit.folder,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
        )
    finally:
        os.close(mine)
        os.close(its)

    assert "Change 1 function? [y/N]" in done.stderr
    assert "error: nothing was changed, as you said" in done.stderr
    assert done.returncode == 1
    assert state(service.functions["orders"]) == before


def test_an_archive_is_published_once(service, wrapkit, archive):
    """Its SHA-256 is that of the newest version the second time."""
    service.add("orders", runtime=f"python{OWN}")
    service.add("billing", runtime="python3.14", architecture="arm64")
    first = wrapkit("attach", "orders", "--layer", archive, "--yes")
    second = wrapkit("attach", "billing", "--layer", archive, "--yes")

    assert [first.returncode, second.returncode] == [0, 0], first.stderr + second.stderr
    assert len(service.layer_versions) == 1
    assert "has no byte code for python3.14: cold starts compile it" in second.stderr
    assert service.functions["orders"].layers == service.functions["billing"].layers


def test_another_change_under_way_is_waited_for(service, attach):
    """Pending when it was just created, InProgress after a change, 409 in between."""
    created = service.add("created", state="Pending", looks_until_settled=3)
    changing = service.add("changing", update_status="InProgress", looks_until_settled=3)
    done = attach("created", "changing")

    assert done.returncode == 0, done.stderr
    assert RECORD in created.variables
    assert RECORD in changing.variables


def test_somebody_elses_change_is_never_overwritten(service, attach):
    """It comes between our look and our change: RevisionId is stale, and the variables differ."""
    function = service.add("orders", variables={"A": "1"})

    def interfere(call):
        if is_change(call) and function.variables == {"A": "1"}:
            function.variables = {"A": "theirs"}
            function.moves()

    service.before_call = interfere
    done = attach("orders")

    assert done.returncode == 1
    assert "changed by somebody else meanwhile" in done.stderr
    assert state(function) == ([], {"A": "theirs"})


def test_a_change_of_something_else_is_gone_along_with(service, attach):
    """A deployment of code moves RevisionId, and touches neither layers nor variables."""
    function = service.add("orders", variables={"A": "1"})
    moved = []

    def deploy(call):
        if is_change(call) and not moved:
            moved.append(call)
            function.update_status = "InProgress"
            function.looks_until_settled = 2
            function.moves()

    service.before_call = deploy
    done = attach("orders")

    assert done.returncode == 0, done.stderr
    assert RECORD in function.variables


def test_of_a_whole_account_only_what_changes_is_shown(service, wrapkit, attach):
    for name in ("orders", "bare-a", "bare-b"):
        service.add(name)
    attach("orders")
    done = wrapkit("detach", "*", "--yes")

    assert done.returncode == 0, done.stderr
    assert "bare" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[-1] == "1 changed, 2 unchanged"


PROBE = """
import sys
from wrapkit.tooling.cli._main import run_command_line
code = run_command_line([*sys.argv[1:], "--help"])
heavy = ("boto3", "botocore", "elftools", "rich", "ruamel.yaml", "urllib.request")
sys.exit(" ".join(name for name in heavy if name in sys.modules) or code)
"""


@pytest.mark.parametrize(
    "command", [("attach",), ("template",), ("status",), ("doctor",), ("layer", "build")]
)
def test_help_loads_no_client_of_aws(command):
    """boto3 alone takes most of a second."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *command], capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_throttling_is_retried(service, attach):
    service.add("orders")
    service.throttle = 3
    done = attach("orders")

    assert done.returncode == 0, done.stderr
    assert RECORD in service.functions["orders"].variables


def test_one_failure_does_not_stop_the_rest(service, attach):
    """And the exit code tells."""
    full = service.add("full", layers=[f"{ARN}:layer:l{n}:1" for n in range(5)])
    before = state(full)
    service.add("orders")
    service.add("image", package_type="Image")
    done = attach("full", "missing", "image", "orders")

    assert done.returncode == 1
    assert "error: full would have 6 layers, and Lambda takes 5" in done.stderr
    assert "error: the function missing" in done.stderr
    assert 'ENV AWS_LAMBDA_EXEC_WRAPPER="/opt/otel-handler"' in done.stdout
    assert done.stderr.splitlines()[-1] == "1 changed, 1 container image, 2 failed"
    assert RECORD in service.functions["orders"].variables
    assert state(full) == before


def test_who_interrupts_is_told_what_became_of_the_functions(service, wrapkit, layer):
    """With an answer outstanding; what was not begun by then is begun by the next command."""
    names = [f"orders-{number}" for number in range(9)]
    for name in names:
        service.add(name)
    started, interrupted = threading.Event(), threading.Event()

    def interrupt(call):
        if is_change(call) and not interrupted.is_set():
            interrupted.set()
            started.wait(BOUND_S)
            process.send_signal(signal.SIGINT)

    service.after_call = interrupt
    # A test run in the background of a shell ignores it, and so would the command then.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = wrapkit.start("attach", "orders-*", "--layer", layer, "--yes")
    signal.signal(signal.SIGINT, before)
    started.set()
    _, said = process.communicate(timeout=BOUND_S)

    assert process.returncode == 130
    assert "interrupted: changes that were under way are made" in said
    assert "Traceback" not in said
    assert wrapkit("attach", "orders-*", "--layer", layer, "--yes").returncode == 0
    assert all(layer in service.functions[name].layers for name in names)


def test_functions_are_found_by_pattern_and_by_tag(service, wrapkit, layer):
    for name, team in (("orders-a", "shop"), ("orders-b", "shop"), ("billing", "money")):
        service.add(name, tags={"team": team})
    by_pattern = wrapkit("attach", "orders-*", "--layer", layer, "--dry-run", "--json")
    by_tag = wrapkit("attach", "--tag", "team=money", "--layer", layer, "--dry-run", "--json")
    by_arn = wrapkit("attach", f"{ARN}:function:billing", "--layer", layer, "--dry-run", "--json")

    names = [
        [each["function"] for each in json.loads(done.stdout)]
        for done in (by_pattern, by_tag, by_arn)
    ]
    assert names == [["orders-a", "orders-b"], ["billing"], ["billing"]]


def test_what_a_pattern_finds_of_other_runtimes_is_skipped(service, attach):
    """Which a fleet has always, and no script wants to fail for; tags find them as well."""
    orders = service.add("orders", tags={"team": "shop"})
    others = [
        service.add("orders-node", runtime="nodejs22.x", tags={"team": "shop"}),
        service.add("orders-go", runtime="provided.al2023", variables_error="AccessDenied"),
        service.add("orders-old", runtime="python3.6"),
    ]
    by_pattern = attach("orders*")
    by_tag = attach("--tag", "team=shop")

    assert by_pattern.returncode == 0, by_pattern.stderr
    assert "skipped: orders-node runs on nodejs22.x, and the layer is for" in by_pattern.stderr
    assert by_pattern.stderr.count("skipped: ") == len(others)
    assert by_pattern.stderr.splitlines()[-1] == "1 changed, 3 skipped"
    assert RECORD in orders.variables
    assert by_tag.returncode == 0, by_tag.stderr
    assert by_tag.stderr.splitlines()[-1] == "1 skipped, 1 unchanged"
    assert all(state(other) == ([], {}) for other in others)


def test_what_is_named_is_not_skipped(service, attach):
    """Even if a pattern finds it, too; nor is a Python that a layer could be built for."""
    service.add("orders-node", runtime="nodejs22.x")
    service.add("shop-new", runtime="python3.13")
    named = attach("orders-node", "orders-*")
    mendable = attach("shop-*")

    assert (named.returncode, mendable.returncode) == (1, 1)
    assert "error: orders-node runs on nodejs22.x" in named.stderr
    assert "wrapkit layer build --python" in mendable.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no function is named"),
        (["nothing-*"], "matches 'nothing-*'"),
        (["orders:prod"], "names a version or an alias"),
        ([f"{ARN}:function:orders".replace("eu-west-1", "us-east-1")], "--region us-east-1"),
        (["or ders"], "neither the name nor the ARN"),
        (["orders", "--layer", "arn:aws:nonsense"], "not the ARN of a layer version"),
        (["orders", "--layer", f"{ARN}:layer:x:1".replace("eu-", "us-")], "publish it there"),
        (["orders", "--layer", "missing.zip"], "wrapkit layer build"),
        (["orders", "--layer", __file__], "cannot be read as a layer"),
        (["orders", "--env", "A"], "A has no value here"),
        (["orders", "--env", "1A=b"], "no name that Lambda takes"),
        (["orders", "--env", "AWS_REGION=eu-west-1"], "reserved by Lambda"),
        (["orders", "--env", f"{WRAPPER}=/opt/x"], "what attaching itself sets"),
    ],
)
def test_a_mistake_is_said_before_anything_is_changed(service, wrapkit, layer, arguments, message):
    service.add("orders")
    done = wrapkit("attach", "--layer", layer, "--yes", *arguments)

    assert done.returncode in {1, 2}
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(map(is_change, service.calls))


def test_who_is_not_signed_in_is_told_so(service, wrapkit, layer):
    environ = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    done = wrapkit("attach", "orders", "--layer", layer, "--yes", **environ)

    assert done.returncode == 1
    assert "aws configure" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_cannot_reach_aws_is_told_what_to_look_at(service, wrapkit, layer, monkeypatch):
    """Nothing listens on port 1; each further attempt would wait for longer."""
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    done = wrapkit(
        "attach", "orders", "--layer", layer, "--yes", AWS_ENDPOINT_URL="http://127.0.0.1:1"
    )

    assert done.returncode == 1
    assert "Could not connect to the endpoint" in done.stderr
    assert "hint: check --region" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def event(tmp_path):
    path = tmp_path / "event.json"
    path.write_text('{"ping": true}')
    return path


def breaks_when_attached(function, _body):
    attached = RECORD in (function.variables or {})
    return "exited with status 1" if attached else ""


def test_a_function_that_breaks_is_put_back(service, attach, event):
    """And what its log said at the end is shown."""
    function = service.add("orders", variables={"A": "1"}, answers=breaks_when_attached)
    healthy = service.add("healthy")
    before = state(function)
    done = attach("orders", "healthy", "--verify", event)

    assert done.returncode == 1
    assert state(function) == before
    assert "orders failed with wrapkit, and is as it was before" in done.stderr
    assert "Runtime.ExitError: exited with status 1" in done.stderr
    assert "some line of the function" in done.stderr
    assert "healthy: changed, answers the event" in done.stderr
    assert RECORD in healthy.variables
    assert (function.invocations, healthy.invocations) == (2, 2)


def test_a_function_that_failed_before_stays_attached(service, attach, event):
    function = service.add("orders", answers=lambda _function, _body: "always")
    done = attach("orders", "--verify", event)

    assert done.returncode == 0, done.stderr
    assert "fails on the event as it did before" in done.stderr
    assert RECORD in function.variables


def test_a_function_whose_attach_was_interrupted_is_tried_by_the_next(service, attach, event):
    function = service.add("orders", variables={"A": "1"}, answers=breaks_when_attached)
    before = state(function)
    attach("orders")
    done = attach("orders", "--verify", event)

    assert done.returncode == 1
    assert state(function) == before


def test_an_update_that_lambda_fails_to_apply_is_said(service, attach):
    service.add("orders", fails_to_apply=True)
    done = attach("orders")

    assert done.returncode == 1
    assert "failed to apply it" in done.stderr
