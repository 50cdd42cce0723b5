"""A service in this process, and AWS's own client of it in a thread beside it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config

from tests.emulator.environments import Deployment
from wrapkit.tooling.invoke_api import InvokeService, ServedFunction, ServiceObserver

LIMIT_S = 60
# Its callers wait for the test; nothing is tried again behind its back.
CONFIG = Config(retries={"max_attempts": 0}, read_timeout=LIMIT_S, max_pool_connections=60)


class Journal(ServiceObserver):
    """Remembers what happened, and lets a thread wait for it."""

    def __init__(self):
        self.happened = []
        self._news = threading.Condition()

    def _note(self, *words):
        with self._news:
            self.happened.append(words)
            self._news.notify_all()

    def environment_started(self, place):
        self._note("started", str(place))

    def log_line(self, place, line):
        self._note("log", str(place), line)

    def invocation_ended(self, place, result):
        self._note("invocation", str(place), result)

    def environment_ended(self, place, shutdown):
        self._note("ended", str(place), shutdown)

    def event_retried(self, function_name, request_id, delay_s):
        self._note("retried", request_id, delay_s)

    def event_given_up(self, function_name, request_id, reason):
        self._note("given up", request_id, reason)

    def wait_for(self, kind, count=1):
        """What happened of a kind, once it has so often; fails after the limit."""
        with self._news:
            came = self._news.wait_for(lambda: len(self.of(kind)) >= count, LIMIT_S)
        assert came, self.happened
        return self.of(kind)

    def of(self, kind):
        return [words[1:] for words in self.happened if words[0] == kind]


class Serving:
    """A running service: its endpoint, its journal, and boto3's client."""

    def __init__(self, endpoint, journal):
        self.endpoint, self.journal = endpoint, journal
        self.client = boto3.client(
            "lambda",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=CONFIG,
        )

    def invoke(self, payload=b"{}", name="function", **options):
        """Invoke's answer, its payload read."""
        answer = self.client.invoke(FunctionName=name, Payload=payload, **options)
        return {**answer, "Payload": answer["Payload"].read()}


@contextmanager
def served(*functions, **settings):
    """The service in a thread of its own, with the event loop that it needs."""
    journal = Journal()
    started = threading.Event()
    found = {}

    async def serve():
        found["loop"], found["over"] = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with InvokeService(functions, observer=journal, **settings) as service:
                found["endpoint"] = service.endpoint
                started.set()
                await found["over"].wait()
        finally:
            started.set()

    def work():
        try:
            asyncio.run(serve())
        except BaseException as error:  # noqa: BLE001 - raised where the test is
            found["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert started.wait(LIMIT_S)
        if "endpoint" in found:
            serving = Serving(found["endpoint"], journal)
            yield serving
            serving.client.close()
    finally:
        if "endpoint" in found:
            found["loop"].call_soon_threadsafe(found["over"].set)
        thread.join(LIMIT_S)
        assert not thread.is_alive()
    if "error" in found:
        raise found["error"]


@pytest.fixture
def deployment(tmp_path):
    return Deployment(tmp_path)


@pytest.fixture
def serve(deployment):
    """Serves the handler's code: `with serve(code, concurrency=1) as serving`."""

    def start(code, *, environment=None, timeout_ms=3000, **settings):
        deployment.handler(code)
        function = deployment.function(environment=environment or {}, timeout_ms=timeout_ms)
        return served(ServedFunction(function, **settings))

    return start
