"""A full disk, many spans, many invocations at once. Each test says what may be lost."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.faults.ledger import Ledger
from tests.payload.external.conftest import free_port
from tests.payload.external.host import WAIT_S
from tests.payload.external.sink import Sink

# Issue by design: 32 MB at 10,000 spans that wait.
MAX_RESIDENT_KB = 32 * 1024


@pytest.fixture
def ledger(scene):
    return Ledger(scene)


@pytest.fixture
def small_disk(tmp_path):
    """A command that runs the rest with 64 KiB at a folder, and that folder."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mount, str(folder)]
    probe = [*command, "true"]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True).returncode:
        pytest.skip("needs to be allowed to mount")
    return command, folder


# A process may write files of 64 KiB: what a full disk is to a runner that may not mount one.
SMALL_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
os.execv(sys.argv[1], sys.argv[1:])
"""


def request_of(count, first=0, ballast=0):
    """An export request of ``count`` spans."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(first, first + count):
        span = scope.spans.add(name="work", trace_id=b"t" * 16)
        span.span_id = (1_000_000 + number).to_bytes(8, "big")
        span.attributes.add(key="ballast").value.string_value = "x" * ballast
    return request.SerializeToString()


def post(port, bodies):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    for body in bodies:
        headers = {"Content-Type": "application/x-protobuf"}
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        assert answer.read() == b""
        assert answer.status == 200
    connection.close()


def test_a_full_disk(ledger, scene, small_disk):
    """What neither reaches the backend nor finds room is lost, counted, and said in one line."""
    command, folder = small_disk
    ledger.start(
        within=command,
        TMPDIR=str(folder),
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}",
    )
    ledger.invoke(2)
    post(scene.otlp_port, [request_of(1, ballast=200_000)])
    said = ledger.end()

    assert "telemetry could not be kept" in said[1]
    assert "3 requests were dropped" in said[2]
    assert len(said) == 3


def test_a_limit_of_what_may_be_written(ledger, scene):
    """What is too large is lost, counted, and said in one line; the rest comes in the next life."""
    ledger.start(
        within=[sys.executable, "-c", SMALL_FILES],
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}",
    )
    ledger.invoke()
    post(scene.otlp_port, [request_of(1, ballast=200_000)])
    ledger.sent.add(1_000_000)
    said = ledger.end("timeout")
    assert ["telemetry could not be kept" in line for line in said] == [False, True, False]
    ledger.start()
    ledger.invoke()
    ledger.end()

    ledger.balance()
    assert 1 <= ledger.dropped <= 2  # with the small one, where both were one request by then


def test_ten_thousand_spans_in_one_invocation(ledger, scene):
    """Nothing may be lost, and the memory stays within its bound."""
    sink = Sink()
    ledger.start(sink=sink)
    sink.hold.clear()
    scene.host.invoke("r1")
    post(scene.otlp_port, [request_of(500, first, 100) for first in range(0, 10_000, 500)])
    status = Path(f"/proc/{scene.runner.process.pid}/status").read_text()
    resident_kb = int(status.partition("VmRSS:")[2].split()[0])
    scene.runner.hook(t="start", id="r1", time=time.time_ns(), trace="1" * 32, span=f"{1:016x}",
                      flags=1, cold=True)  # fmt: skip
    scene.runner.hook(t="end", id="r1", time=time.time_ns())
    ledger.sent = {1, *range(1_000_000, 1_010_000)}
    sink.wait_for(1)
    sink.hold.set()
    scene.host.wait_for_next(2)
    ledger.end()

    ledger.balance()
    assert (ledger.dropped, ledger.said) == (0, [])
    assert resident_kb < MAX_RESIDENT_KB


def test_more_spans_than_memory_and_spool_hold(ledger, scene):
    """The oldest are lost, and counted to the last one."""
    sink = Sink(statuses=[503], headers=(("Retry-After", "600"),))
    ledger.start(sink=sink)
    ledger.invoke()  # finds out that the backend is away
    count = 60
    post(scene.otlp_port, [request_of(1, number, 500_000) for number in range(count)])
    ledger.sent |= set(range(1_000_000, 1_000_000 + count))
    ledger.end()

    ledger.balance()
    assert 0 < ledger.dropped < count / 2
    assert 1_000_000 + count - 1 in ledger.received()
    assert 1_000_000 not in ledger.received()


def test_a_thousand_invocations_at_once(ledger, scene):
    """On managed instances, where nothing says which invocation is current: nothing may be lost."""
    ledger.start(AWS_LAMBDA_INITIALIZATION_TYPE="lambda-managed-instances")
    for number in range(1, 1001):
        scene.runner.hook(t="start", id=f"r{number}", time=time.time_ns(), trace="1" * 32,
                          span=f"{number:016x}", flags=1, cold=False)  # fmt: skip
    for number in range(1000, 0, -1):
        scene.runner.hook(t="end", id=f"r{number}", time=time.time_ns())
    ledger.sent = set(range(1, 1001))
    ledger.end()

    ledger.balance()
    assert (ledger.dropped, ledger.said) == (0, [])
