"""Environments come with their callers, are used again, and go when nobody needs them."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from botocore.exceptions import ClientError

from tests.emulator.environments import is_running
from wrapkit.tooling._errors import DiagnosticError

from .conftest import LIMIT_S, served

# Writes its process down, and waits until the test removes a file.
HELD = """
import os, time
from pathlib import Path
folder = Path(os.environ["FOLDER"])
def handler(event, context):
    (folder / f"{event}.running").write_text(str(os.getpid()))
    while (folder / "hold").exists():
        time.sleep(0.005)
    return os.getpid()
"""


@pytest.fixture
def folder():
    """A folder that the sandbox, whose /tmp is its own, shows as well."""
    with TemporaryDirectory(prefix="held-", dir="/var/tmp") as name:
        path = Path(name)
        (path / "hold").touch()
        yield path


def wait_for(condition):
    end = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_callers_at_once_have_environments_of_their_own(serve, folder):
    with serve(HELD, environment={"FOLDER": str(folder)}, timeout_ms=60_000) as serving:
        with ThreadPoolExecutor(3) as callers:
            answers = [callers.submit(serving.invoke, str(n).encode()) for n in range(3)]
            wait_for(lambda: len(list(folder.glob("*.running"))) == 3)
            (folder / "hold").unlink()
            processes = {answer.result()["Payload"] for answer in answers}
        again = serving.invoke(b"4")["Payload"]

    assert len(processes) == 3
    assert again in processes
    assert sorted(place for (place,) in serving.journal.of("started")) == [
        "function/1",
        "function/2",
        "function/3",
    ]


def test_a_caller_beyond_the_limit_is_throttled(serve, folder):
    environment = {"FOLDER": str(folder)}
    with (
        serve(HELD, environment=environment, concurrency=1, timeout_ms=60_000) as serving,
        ThreadPoolExecutor(1) as callers,
    ):
        first = callers.submit(serving.invoke, b"1")
        wait_for((folder / "1.running").exists)
        with pytest.raises(ClientError) as failure:
            serving.invoke(b"2")
        (folder / "hold").unlink()
        first.result()
        after = serving.invoke(b"3")

    answer = failure.value.response
    assert type(failure.value).__name__ == "TooManyRequestsException"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert answer["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert after["StatusCode"] == 200


def test_an_idle_environment_is_shut_down_and_the_next_call_starts_anew(serve):
    code = "import os\ndef handler(event, context): return os.getpid()"
    with serve(code, idle_timeout_s=0.2) as serving:
        first = int(serving.invoke()["Payload"])
        (place, shutdown), *_ = serving.journal.wait_for("ended")
        was_running = is_running(first)
        second = int(serving.invoke()["Payload"])

    assert (place, shutdown.reason, was_running) == ("function/1", "spindown", False)
    assert second != first


def test_callers_one_after_the_other_share_an_environment(serve):
    """Even where only one is allowed, and the next call comes as fast as a machine can."""
    with serve("def handler(event, context): return event", concurrency=1) as serving:
        answers = [serving.invoke(str(number).encode())["Payload"] for number in range(50)]

    assert answers == [str(number).encode() for number in range(50)]
    assert serving.journal.of("started") == [("function/1",)]


def test_an_environment_in_use_is_not_idle(serve):
    code = "import os, time\ndef handler(event, context): time.sleep(event); return os.getpid()"
    with serve(code, idle_timeout_s=0.3) as serving:
        processes = {serving.invoke(b"0.4")["Payload"] for _ in range(3)}

    assert len(processes) == 1


def test_the_end_of_the_service_is_the_end_of_all_its_processes(serve, folder):
    """Also of one whose handler is at work; its caller gets an answer, if not the handler's."""
    environment = {"FOLDER": str(folder)}
    caller_is_done = threading.Event()

    def call(serving):
        with contextlib.suppress(Exception):  # whatever it is, it comes
            serving.invoke(b"1")
        caller_is_done.set()

    with serve(HELD, environment=environment, timeout_ms=60_000) as serving:
        threading.Thread(target=call, args=(serving,), daemon=True).start()
        wait_for((folder / "1.running").exists)
        process = int((folder / "1.running").read_text())

    assert caller_is_done.wait(LIMIT_S)
    assert not is_running(process)


def test_a_service_without_room_for_its_port_says_so(serve):
    with serve("def handler(event, context): return 1") as serving:
        port = int(serving.endpoint.rpartition(":")[2])
        with (
            pytest.raises(DiagnosticError, match="the Invoke API cannot listen"),
            served(port=port),
        ):
            pass
