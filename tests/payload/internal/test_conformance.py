"""Each case runs with and without wrapkit, under the real runtime client on every Python here.

Results, errors, exit codes, what is printed and the process itself are the same.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.architecture.interpreters import VERSIONS

from . import packages
from .conftest import OWN, TASK

MODULE = TASK / "shapes/inner/module.py"
# In this order: an import, a task on its own, nothing of it twice.
DEEDS = re.findall(r"^def do_(\w+)", MODULE.read_text(), re.MULTILINE)
ENDS = DEEDS[DEEDS.index("at_exit") :]

SHAPES = [
    "shapes.inner.module.handler",
    "shapes/inner/module.handler",
    "shapes/inner.module.handler",
    *[
        f"shapes.inner.module.{name}"
        for name in (
            "instance",
            "method",
            "static",
            "partial",
            "small",
            "builtin",
            "wrapped",
            "coroutine",
            "generator",
            "virtual",
            "Class",
            "Made",
            "Instance",
        )
    ],
]

# How a module can fail to be imported, by its source.
BROKEN = {
    "raises": "raise LookupError('at import')",
    "syntax": "def handler(:\n",
    "indentation": "def handler(event, context):\nreturn 1\n",
    "encoding": "# coding: utf-8\n'\udcff'\n",
    "null": "\0",
    "missing": "import no_such_module",
    "missing part": "from os import no_such_name",
    "circular": "from app import handler",
    "exits": "import sys; print('leaving'); sys.exit(4)",
    "interrupts": "raise KeyboardInterrupt",
    "beyond": "class Own(BaseException): pass\nraise Own('at import')",
    "recursion": "def f(): f()\nf()",
    "vanishes": "import os; os._exit(6)",
    "no handler": "x = 1",
    "lazy": "def __getattr__(name): raise LookupError(name)",
    "thread": "import threading; threading.Thread(target=print, args=('thread',)).start(); 1 / 0",
}
HANDLERS = [
    "",
    ".",
    "app",
    "app.",
    ".handler",
    "app..handler",
    "sys.exit",
    "../app.handler",
    "a b.c",
]


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_deeds(compared, version):
    """What a handler returns, raises and does, one after the other in one process."""
    deeds = [deed for deed in DEEDS if deed not in ENDS]
    events = [{"do": deed} for deed in (*deeds, *deeds)]

    run = compared(version, SHAPES[0], events)

    assert len(run.posts) == len(events)
    bodies = dict(zip(deeds, [body for _, body in run.posts], strict=False))
    assert json.loads(bodies["threads"]) == [0, 1, 2, 3, "0", "1", "2"]
    assert json.loads(bodies["interrupted"])["errorType"] == "TimeoutError"


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_ends(compared, version):
    """A handler that ends its process does it with the same words and the same exit code."""
    codes = {end: compared(version, SHAPES[0], [{"do": end}]).exit_code for end in ENDS}

    assert codes["abort"] == -6
    assert codes["kill"] == -9
    assert codes["terminate"] == -15
    assert codes["quit"] == 300 % 256
    assert codes["thread_at_exit"] == 5


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_shapes(compared, version):
    """Whatever the runtime client takes for a handler, by whatever path."""
    for handler in SHAPES:
        run = compared(version, handler, [{"do": "nothing"}, {"do": "nothing"}])

        assert len(run.posts) == 2, handler


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
def test_imports_that_fail(compared, version, tmp_path):
    """The report of a module that cannot be loaded is the runtime client's, byte for byte."""
    for name, source in BROKEN.items():
        (tmp_path / "app.py").write_bytes(source.encode("utf-8", "surrogateescape"))
        run = compared(version, "app.handler", [{}], task=tmp_path, environ={"TMPDIR": "/tmp"})

        assert run.exit_code != -9 or run.posts, name


@pytest.mark.slow
def test_names_of_no_handler(compared):
    """Neither is a name that is no handler's."""
    for handler in HANDLERS:
        assert compared(OWN, handler, [{}]).exit_code == 1, handler


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("mode", ["both", "internal"])
def test_the_process(compared, version, mode, backend):
    """Environment, paths, threads, signal handlers and hooks are those of the bare run."""
    events = [{"do": "state"}, {"do": "fail", "order": "7"}, {"do": "state"}]
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": backend.url}

    run = compared(version, "app.handler", events, mode=mode, environ=environ)

    assert run.results[0]["threads"] == ["MainThread"]


DECORATED = """
import json
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.utilities import batch
from aws_xray_sdk.core import xray_recorder

logger, tracer, app = Logger(service="orders"), Tracer(service="orders"), APIGatewayRestResolver()
metrics = Metrics(namespace="shop", service="orders")
processor = batch.BatchProcessor(event_type=batch.EventType.SQS)


@app.get("/orders/<number>")
@tracer.capture_method
def get_order(number):
    if number == "0":
        raise LookupError(number)
    metrics.add_metric(name="read", unit="Count", value=1)
    return {"number": number}


@xray_recorder.capture("record")
def record_handler(record):
    return 1 / int(record.body)


@logger.inject_lambda_context(log_event=True, clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
@tracer.capture_lambda_handler
def handler(event, context):
    logger.info("called", extra={"arn": context.invoked_function_arn})
    if "Records" in event:
        return batch.process_partial_response(event, record_handler, processor, context)
    return app.resolve(event, context)
"""


def test_decorators_of_others(runtimes, layers, tmp_path, runner_socket, request):
    """Powertools' logger, tracer, metrics, router and batches, and X-Ray's recorder."""
    runtime = runtimes(OWN)
    folder = request.config.cache.mkdir("decorators") / OWN
    packages.install(runtime.python, folder, "aws-lambda-powertools", "aws-xray-sdk")
    (tmp_path / "app.py").write_text(DECORATED)
    rest = {"httpMethod": "GET", "requestContext": {"stage": "x"}, "headers": {}, "resource": "/"}
    record = {"messageId": "m", "eventSource": "aws:sqs", "eventSourceARN": "arn", "attributes": {}}
    batch = [{**record, "messageId": f"m{body}", "body": str(body)} for body in (1, 0)]
    events = [
        *[{**rest, "path": f"/orders/{number}"} for number in (7, 8, "missing/page", 0)],
        {"Records": batch},
    ]
    environ = {"PYTHONPATH": str(folder), "WRAPKIT_SOCKET": runner_socket.getsockname()}

    bare = runtime.run_bare("app.handler", events, environ=environ, task=tmp_path)
    wrapped = runtime.run_wrapped(
        layers("both"), "app.handler", events, environ=environ, task=tmp_path
    )

    assert wrapped.results[0]["statusCode"] == 200
    assert wrapped.results[4] == {"batchItemFailures": [{"itemIdentifier": "m0"}]}
    assert _without_moments(wrapped) == _without_moments(bare)


def _without_moments(run):
    """Powertools writes the time in formats of its own, and how long a cold start was."""
    text = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", b"TIME", run.stdout)
    text = re.sub(rb'"Timestamp": ?\d+', b"TIME", text)
    return text, run.stderr, run.posts, run.exit_code
