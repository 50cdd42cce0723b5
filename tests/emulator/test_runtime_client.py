"""The real runtime client in the emulator: what a Python function sees and what its caller gets."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from tests.emulator.environments import Watched, gated, run
from wrapkit.tooling._errors import DiagnosticError
from wrapkit.tooling.emulator import ExecutionEnvironment


async def invoke(function, *events, isolation="auto", **settings):
    async with Watched(function, isolation=isolation) as environment:
        init = await environment.init()
        results = [await environment.invoke(json.dumps(event).encode()) for event in events]
        await environment.shutdown()
    return environment, init, results


def test_a_handler_answers(deployment, isolation):
    """The caller gets the handler's answer, in both kinds of sandbox."""
    deployment.handler("def handler(event, context): return {'got': event['n'] + 1}")

    _, init, (first, second) = run(
        invoke(deployment.function(), {"n": 1}, {"n": 2}, isolation=isolation)
    )

    assert (init.status, init.error_type) == ("success", None)
    assert 0 < init.runtime.exec_ms < init.runtime.next_ms <= init.duration_ms
    assert init.runtime.cpu_ms > 0
    assert (json.loads(first.payload), first.function_error) == ({"got": 2}, None)
    assert first.init_duration_ms == init.duration_ms
    assert (json.loads(second.payload), second.init_duration_ms) == ({"got": 3}, None)
    assert second.max_memory_used_mb > 5
    assert second.cpu_ms["runtime"] > 0


def test_the_log_is_that_of_cloudwatch(deployment, isolation):
    """START, the function's lines, END and REPORT, in this order and form."""
    deployment.handler("print('loaded')\ndef handler(event, context):\n print('hello')\n return 1")

    environment, init, (result,) = run(invoke(deployment.function(), {}, isolation=isolation))

    request_id = result.request_id
    init_start, *lines = environment.lines
    assert init_start.startswith("INIT_START Runtime Version: python:3.")
    assert lines[:-1] == [
        "loaded",
        f"START RequestId: {request_id} Version: $LATEST",
        "hello",
        f"END RequestId: {request_id}",
    ]
    assert lines[-1].split("\t") == [
        f"REPORT RequestId: {request_id}",
        f"Duration: {result.duration_ms:.2f} ms",
        f"Billed Duration: {result.billed_duration_ms} ms",
        "Memory Size: 128 MB",
        f"Max Memory Used: {result.max_memory_used_mb} MB",
        f"Init Duration: {init.duration_ms:.2f} ms",
        "",
    ]
    assert result.log_tail.splitlines() == lines[1:]


def test_the_context_is_the_functions(deployment):
    """Name, version, memory, ARN, deadline, trace header and client context reach the handler."""
    deployment.handler(
        "import os\n"
        "def handler(event, context): return {'name': context.function_name,"
        " 'memory': context.memory_limit_in_mb, 'arn': context.invoked_function_arn,"
        " 'left': context.get_remaining_time_in_millis(), 'client': context.client_context.custom,"
        " 'version': context.function_version, 'trace': os.environ['_X_AMZN_TRACE_ID']}"
    )
    function = deployment.function(name="orders", version="7", memory_mb=512, timeout_ms=5000)

    async def scenario():
        async with Watched(function) as environment:
            return await environment.invoke(
                b"{}", trace_header="Root=1-2-3;Sampled=1", client_context='{"custom":{"a":"b"}}'
            )

    seen = json.loads(run(scenario()).payload)
    assert 0 < seen.pop("left") <= 5000
    assert seen == {
        "name": "orders",
        "memory": "512",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:orders:7",
        "client": {"a": "b"},
        "version": "7",
        "trace": "Root=1-2-3;Sampled=1",
    }


def test_what_the_caller_sends_beside_the_event_reaches_the_context(deployment):
    """Client context, Cognito identity and tenant id."""
    deployment.handler("""
def handler(event, context):
    return [
        context.client_context.custom["a"],
        context.identity.cognito_identity_id,
        context.identity.cognito_identity_pool_id,
        context.tenant_id,
    ]
""")

    async def scenario():
        async with Watched(deployment.function()) as environment:
            result = await environment.invoke(
                b"{}",
                client_context='{"custom":{"a":"b"}}',
                cognito_identity='{"cognitoIdentityId":"me","cognitoIdentityPoolId":"us"}',
                tenant_id="blue",
            )
            return environment, result

    environment, result = run(scenario())
    assert json.loads(result.payload) == ["b", "me", "us", "blue"]
    for kind in ("platform.start", "platform.runtimeDone", "platform.report"):
        assert environment.record(kind)["tenantId"] == "blue"


def test_an_error_of_the_handler_leaves_the_environment_usable(deployment):
    """The caller gets FunctionError Unhandled; the invocation's status is success."""
    deployment.handler(
        "def handler(event, context):\n if event['bad']: raise ValueError('no')\n return 'ok'"
    )

    environment, _, (bad, good) = run(invoke(deployment.function(), {"bad": True}, {"bad": False}))

    assert (bad.function_error, bad.status) == ("Unhandled", "success")
    assert json.loads(bad.payload)["errorType"] == "ValueError"
    assert json.loads(good.payload) == "ok"
    assert environment.types().count("platform.initStart") == 1
    assert any(line.startswith("[ERROR] ValueError: no\nTraceback") for line in environment.lines)


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("app.missing", "Runtime.HandlerNotFound"),
        ("missing.handler", "Runtime.ImportModuleError"),
        ("handler", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_handler_that_does_not_exist_fails_init(deployment, handler, error_type):
    """Init fails, is repeated in the invocation, and the caller gets the runtime's own words."""
    deployment.handler("def handler(event, context): return 1")

    environment, init, (result,) = run(invoke(deployment.function(handler=handler), {}))

    assert init.status == "error"
    assert handler.partition(".")[0] in init.error_message
    assert result.function_error == "Unhandled"
    assert json.loads(result.payload)["errorType"] == error_type
    phases = [one.record["phase"] for one in environment.records if "initStart" in one.type]
    assert phases == ["init", "invoke"]


@pytest.mark.usefixtures("needs_namespaces")
def test_sys_path_is_that_of_the_managed_runtime(deployment):
    """The task root first, then the layer's folders, then the interpreter's own packages."""
    python = "python{}.{}".format(*sys.version_info[:2])
    packages = deployment.layer / "python/lib" / python / "site-packages"
    packages.mkdir(parents=True)
    (packages / "in_layer.py").write_text("place = 'site-packages'")
    (deployment.layer / "python/in_layer.py").write_text("place = 'python'")
    deployment.handler(
        "import sys, os, in_layer\n"
        "def handler(event, context):"
        " return [in_layer.place, sys.path, os.environ['PYTHONPATH'], os.getcwd()]"
    )

    _, _, (result,) = run(invoke(deployment.function(), {}, isolation="namespace"))

    place, path, pythonpath, folder = json.loads(result.payload)
    assert place == "site-packages"
    assert path[:4] == [
        "/var/task",
        f"/opt/python/lib/{python}/site-packages",
        "/opt/python",
        f"/var/lang/lib/{python}/site-packages",
    ]
    assert (pythonpath, folder) == ("/var/runtime", "/var/task")


def test_a_pythonpath_of_the_user_replaces_the_layers_folders(deployment):
    """As AWS's bootstrap does: with PYTHONPATH set, only the task root is added."""
    deployment.handler("import sys\ndef handler(event, context): return sys.path")

    _, _, (result,) = run(invoke(deployment.function(environment={"PYTHONPATH": "/elsewhere"}), {}))

    path = json.loads(result.payload)
    assert "/elsewhere" in path
    assert not [folder for folder in path if "/opt/python" in folder]


WRAPPER = '#!/bin/sh\necho "wrapped: $*"\nSEEN_BY_WRAPPER=yes exec "$@"\n'


def test_the_wrapper_gets_the_interpreters_command_line(deployment, isolation):
    """AWS_LAMBDA_EXEC_WRAPPER is executed with the interpreter and the runtime's script."""
    wrapper = deployment.layer / "wrapper"
    wrapper.write_text(WRAPPER)
    wrapper.chmod(0o755)
    deployment.handler(
        "import os, sys\n"
        "def handler(event, context): return [os.environ['SEEN_BY_WRAPPER'], os.getpid(), sys.argv]"
    )
    function = deployment.function(environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"})

    async def scenario():
        async with Watched(function, isolation=isolation) as environment:
            result = await environment.invoke(b"{}")
            return (
                environment,
                json.loads(result.payload),
                environment._host.processes.pid("runtime"),
            )

    environment, (seen, pid, _), spawned_pid = run(scenario())
    (said,) = [line for line in environment.lines if line.startswith("wrapped: ")]
    _, script = said.removeprefix("wrapped: ").split()
    assert (seen, pid) == ("yes", spawned_pid)
    assert script.endswith("/bootstrap.py")
    if isolation == "namespace":
        name = "python{}.{}".format(*sys.version_info[:2])
        assert said == f"wrapped: /var/lang/bin/{name} /var/runtime/bootstrap.py"


@pytest.mark.parametrize(
    ("mode", "message", "status"),
    [
        (None, "/opt/wrapper: does not exist", 127),
        (0o644, "/opt/wrapper: is not an executable", 126),
    ],
)
@pytest.mark.usefixtures("needs_namespaces")
def test_a_wrapper_that_cannot_run_ends_the_runtime(deployment, mode, message, status):
    """The managed runtime's messages and exit codes."""
    deployment.handler("def handler(event, context): return 1")
    if mode is not None:
        (deployment.layer / "wrapper").write_text(WRAPPER)
        (deployment.layer / "wrapper").chmod(mode)
    function = deployment.function(environment={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"})

    environment, init, (result,) = run(invoke(function, {}, isolation="namespace"))

    assert message in environment.lines
    assert (init.status, init.error_type) == ("error", "Runtime.ExitError")
    assert init.error_message == f"runtime: exit status {status}"
    assert json.loads(result.payload) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {result.request_id} Error: "
        f"Runtime exited with error: exit status {status}",
    }


@pytest.mark.usefixtures("needs_namespaces")
def test_the_variables_are_lambdas(deployment):
    """The reserved ones stay, the user's credentials win, and nothing of the host leaks."""
    deployment.handler("import os\ndef handler(event, context): return dict(os.environ)")
    function = deployment.function(
        environment={"AWS_REGION": "mars-1", "AWS_ACCESS_KEY_ID": "mine", "OWN": "1"}
    )

    _, _, (result,) = run(invoke(function, {}, isolation="namespace"))

    seen = json.loads(result.payload)
    assert (seen["AWS_REGION"], seen["AWS_ACCESS_KEY_ID"], seen["OWN"]) == (
        "us-east-1",
        "mine",
        "1",
    )
    assert seen["AWS_EXECUTION_ENV"].startswith("AWS_Lambda_python3.")
    assert seen["_HANDLER"] == "app.handler"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert "HOME" not in seen


def test_a_pth_file_of_the_task_is_read(deployment):
    """The task root is a site directory."""
    (deployment.task / "vendored").mkdir()
    (deployment.task / "vendored/inner.py").write_text("value = 5")
    (deployment.task / "own.pth").write_text("vendored\n")
    deployment.handler("import inner\ndef handler(event, context): return inner.value")

    _, _, (result,) = run(invoke(deployment.function(), {}))

    assert json.loads(result.payload) == 5


def test_json_logs_are_objects(deployment):
    """With the log format JSON, every line of the platform is one JSON object."""
    deployment.handler("import logging\ndef handler(event, context): logging.getLogger().info('w')")

    environment, _, _ = run(invoke(deployment.function(log_format="JSON"), {}))

    documents = [json.loads(line) for line in environment.lines]
    types = [document.get("type") for document in documents]
    assert types == ["platform.initStart", "platform.start", None, "platform.report"]
    assert (documents[2]["level"], documents[2]["message"]) == ("INFO", "w")


def test_another_interpreter_without_the_client_is_named(deployment, tmp_path):
    """awslambdaric not importable: a diagnosis that names the interpreter and what to run."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    deployment.handler("")

    with pytest.raises(DiagnosticError) as failure:
        run(invoke(deployment.function(python=Path(bare)), {}))

    assert failure.value.reference == "runtime-client-missing"
    assert str(bare) in failure.value.message
    assert "pip install awslambdaric" in failure.value.hint


def test_a_large_response_of_the_real_client(deployment):
    """libcurl sends ``Expect: 100-continue`` with a body of more than 1 MiB."""
    deployment.handler("def handler(event, context): return 'x' * (3 * 1024 * 1024)")

    _, _, (result,) = run(invoke(deployment.function(), {}))

    assert len(result.payload) == 3 * 1024 * 1024 + 2


def test_a_peak_of_memory_is_kept(deployment):
    """Max Memory Used is the high-water mark, also when the memory was given back at once."""
    deployment.handler(
        "def handler(event, context):\n"
        "    block = bytearray(60_000_000)\n"
        "    del block\n"
        "    return 1"
    )

    _, _, (result,) = run(invoke(deployment.function(), {}))

    assert 65 <= result.max_memory_used_mb <= 110


@pytest.mark.parametrize(("taken_mb", "least_mb"), [(0, 5), (300, 300)])
def test_the_memory_of_a_runtime_that_dies(deployment, taken_mb, least_mb):
    """It is known although nobody can ask the process any more."""
    deployment.handler(
        "import os\n"
        "def handler(event, context):\n"
        f"    block = bytearray(os.urandom(4096)) * ({taken_mb} << 8)\n"
        "    os._exit(1)"
    )

    async def scenario():
        async with Watched(deployment.function(memory_mb=1024)) as environment:
            return await environment.invoke(b"{}")

    result = run(scenario())
    assert result.error_type == "Runtime.ExitError"
    assert least_mb <= result.max_memory_used_mb < least_mb + 100


def test_what_a_listener_raises_reaches_the_caller(deployment):
    """An error of the caller's own callback ends the run; the event loop does not swallow it."""
    deployment.handler("def handler(event, context):\n    print('boom')")

    def listen(line):
        if line == "boom":
            raise ZeroDivisionError(line)

    async def scenario():
        async with ExecutionEnvironment(deployment.function(), on_log_line=listen) as environment:
            await environment.invoke(b"{}")

    with pytest.raises(ZeroDivisionError, match="boom"):
        run(scenario())


def test_an_abandoned_invocation_does_not_block_the_next(deployment):
    """The runtime still gets what its caller no longer waits for."""
    deployment.runtime("""
me = Party()
while True:
    id, _, event = me.next_invocation()
    pass_gate(event.decode())
    me.respond(id, event)
""")

    async def scenario():
        async with gated(deployment) as (environment, gates):
            abandoned = asyncio.ensure_future(environment.invoke(b"first"))
            await gates.reached("first")
            abandoned.cancel()
            following = asyncio.ensure_future(environment.invoke(b"second"))
            await gates.open("first")
            await gates.open("second")
            return await following

    assert run(scenario()).payload == b"second"


def test_an_interpreter_that_is_none_is_named(deployment, tmp_path):
    """A path that does not run as a Python is a usage error."""
    deployment.handler("")

    with pytest.raises(DiagnosticError) as failure:
        run(invoke(deployment.function(python=tmp_path / "python9")))

    assert failure.value.reference == "interpreter-not-usable"
    assert "python9" in failure.value.message


@pytest.mark.parametrize(
    ("settings", "reference"),
    [({"timeout_ms": 900_001}, "invalid-timeout"), ({"log_format": "XML"}, "invalid-log-format")],
)
def test_settings_that_lambda_refuses(deployment, settings, reference):
    """They are usage errors, before anything is started."""
    with pytest.raises(DiagnosticError) as failure:
        run(invoke(deployment.handler("").function(**settings)))

    assert (failure.value.reference, failure.value.exit_code) == (reference, 2)


def test_a_variable_that_no_process_can_have(deployment):
    """The runtime is not started, and the reason is told."""
    deployment.handler("def handler(event, context): return 1")
    function = deployment.function(environment={"BAD=NAME": "1"})

    _, init, _ = run(invoke(function))

    assert init.error_type == "Runtime.InvalidEntrypoint"
    assert "illegal environment variable name" in init.error_message
