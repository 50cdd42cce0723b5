"""Measures the emulator itself: its front door beside AWS's, cold starts, many environments.

`make bench-front-door` runs it; `--output FILE` keeps the record. AWS's emulator is built from its
Go module into build/rie; without Go it is left out. What is compared runs in turns, since the
machine may be busy: trust the ratios and the CPU time more than the milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from wrapkit import __version__
from wrapkit.tooling.bench._machine import machine_document
from wrapkit.tooling.emulator import ExecutionEnvironment, Function
from wrapkit.tooling.invoke_api import InvokeService, ServedFunction, ServiceObserver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wrapkit.tooling.emulator import ShutdownResult
    from wrapkit.tooling.invoke_api import Place

ROOT = Path(__file__).resolve().parents[2]
NOOP = ROOT / "bench/noop"
RIE_MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie@latest"
RIE_FOLDER = ROOT / "build/rie"
RIE_PORT, RIE_RUNTIME_PORT, PORT = 18_080, 18_081, 18_082
ROUNDS, CALLS, COLD_STARTS, HELD = 12, 300, 20, (1, 10, 25, 50)
BYTES_PER_MB = 1024 * 1024
START_LIMIT_S = 60

# A caller in a process of its own: what it costs is no part of what is measured.
CALLER = """
import http.client, json, sys, time
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
def call():
    begun = time.perf_counter()
    connection.request("POST", "/2015-03-31/functions/function/invocations", b"{}")
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"{}")
    return (time.perf_counter() - begun) * 1000
for _ in range(20): call()
json.dump(sorted(call() for _ in range(int(sys.argv[2]))), sys.stdout)
"""


def call(port: int, calls: int) -> list[float]:
    """The latencies of warm calls one after the other, in milliseconds, sorted."""
    answer = subprocess.run(
        [sys.executable, "-c", CALLER, str(port), str(calls)],
        check=True,
        capture_output=True,
        timeout=600,
    )
    latencies: list[float] = json.loads(answer.stdout)
    return latencies


@contextmanager
def running(command: list[str], port: int, **variables: str) -> Iterator[psutil.Process]:
    """A server as a process, once it answers; it is told to end as Ctrl-C does."""
    process = subprocess.Popen(
        command,
        cwd=NOOP,
        env={**os.environ, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        limit = time.monotonic() + START_LIMIT_S
        while not answers(port):
            if process.poll() is not None or time.monotonic() > limit:
                raise SystemExit(f"error: {command[0]} does not answer on port {port}")
        yield psutil.Process(process.pid)
    finally:
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(2)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
        for child in children:
            if child.is_running():
                child.kill()


def answers(port: int) -> bool:
    try:
        call(port, 1)
    except subprocess.CalledProcessError:
        time.sleep(0.1)
        return False
    return True


def wrapkit() -> tuple[list[str], int]:
    command = [sys.executable, "-m", "wrapkit.tooling.cli", "serve", "--task", ".", "--no-sink"]
    options = ["--handler", "app.handler", "--name", "function", "--port", str(PORT)]
    return [*command, *options], PORT


def rie() -> tuple[list[str], int] | None:
    """AWS's emulator with the same runtime client, built where there is Go."""
    if shutil.which("go") is None:
        sys.stderr.write("no go on this machine: AWS's emulator is left out\n")
        return None
    RIE_FOLDER.mkdir(parents=True, exist_ok=True)
    binary = RIE_FOLDER / "aws-lambda-rie"
    if not binary.exists():
        environment = {**os.environ, "GOBIN": str(RIE_FOLDER), "CGO_ENABLED": "0"}
        subprocess.run(["go", "install", RIE_MODULE], check=True, env=environment)
    addresses = [
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{RIE_PORT}",
        "--runtime-api-address",
        f"127.0.0.1:{RIE_RUNTIME_PORT}",
    ]
    return [str(binary), *addresses, sys.executable, "-m", "awslambdaric", "app.handler"], RIE_PORT


def measure_warm() -> dict[str, Any]:
    """Round by round, first the one and then the other begins."""
    servers = {"wrapkit": wrapkit()}
    if (other := rie()) is not None:
        servers["aws-lambda-rie"] = other
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    with ExitStack() as stack:
        processes = {
            name: stack.enter_context(running(command, port))
            for name, (command, port) in servers.items()
        }
        for number in range(ROUNDS):
            for name in sorted(servers, reverse=number % 2 == 1):
                rounds[name].append(measure_round(processes[name], servers[name][1]))
    return summary(rounds)


def measure_round(process: psutil.Process, port: int) -> dict[str, float]:
    before = process.cpu_times()
    latencies = call(port, CALLS)
    after = process.cpu_times()
    cpu_s = after.user + after.system - before.user - before.system
    return {
        "median_ms": statistics.median(latencies),
        "fastest_tenth_ms": latencies[len(latencies) // 10],
        "cpu_ms": cpu_s * 1000 / (CALLS + 20),
    }


def summary(rounds: dict[str, list[dict[str, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: {key: rounded([one[key] for one in measured]) for key in measured[0]}
        for name, measured in rounds.items()
    }
    if len(rounds) == 2:
        pairs = list(zip(rounds["wrapkit"], rounds["aws-lambda-rie"], strict=True))
        found["ratio"] = {
            key: rounded([ours[key] / theirs[key] for ours, theirs in pairs])
            for key in ("median_ms", "fastest_tenth_ms")
        }
    return found


def rounded(values: list[float]) -> dict[str, float]:
    """The median of the rounds, and the least and the most of them."""
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


async def measure_cold() -> dict[str, Any]:
    """From the call that makes an environment to the exec of its runtime."""
    function = Function(task_root=NOOP, handler="app.handler")
    wall_ms, cpu_ms = [], []
    for number in range(COLD_STARTS + 1):
        begun, cpu_begun = time.perf_counter(), time.process_time()
        async with ExecutionEnvironment(function) as environment:
            made_ms = (time.perf_counter() - begun) * 1000
            init = await environment.init()
            if number:  # the first looks at the interpreter
                wall_ms.append(made_ms + (init.runtime.exec_ms or 0.0))
                cpu_ms.append((time.process_time() - cpu_begun) * 1000)
    return {"created_to_exec_ms": rounded(wall_ms), "own_cpu_whole_init_ms": rounded(cpu_ms)}


class Census(ServiceObserver):
    """Counts the environments that there are."""

    def __init__(self) -> None:
        self.count = 0

    def environment_started(self, _place: Place) -> None:
        self.count += 1

    def environment_ended(self, _place: Place, _shutdown: ShutdownResult) -> None:
        self.count -= 1


async def measure_many() -> list[dict[str, float]]:
    """Warm calls one after the other while ever more environments are held."""
    function = Function(task_root=NOOP, handler="app.handler", name="function", timeout_ms=60_000)
    served = ServedFunction(function, concurrency=max(HELD))
    census = Census()
    async with InvokeService([served], port=0, observer=census) as service:
        port = int(service.endpoint.rpartition(":")[2])
        held = []
        for count in HELD:
            while census.count < count:
                await asyncio.gather(*(post(port) for _ in range(count)))
            latencies = await asyncio.to_thread(call, port, CALLS)
            held.append(
                {
                    "environments": census.count,
                    "median_ms": round(statistics.median(latencies), 3),
                    "fastest_tenth_ms": round(latencies[len(latencies) // 10], 3),
                    "memory_mb": round(memory_bytes() / BYTES_PER_MB, 1),
                }
            )
    return held


async def post(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /2015-03-31/functions/function/invocations HTTP/1.1\r\nHost: x\r\n"
        b"Connection: close\r\nContent-Length: 2\r\n\r\n{}"
    )
    await reader.read()
    writer.close()


def memory_bytes() -> int:
    """Of this process, which is the emulator, and of its children; shared pages in their share."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return sum(one.memory_full_info().pss for one in family)


def main() -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description="Measure the emulator itself.")
    parser.add_argument("--output", type=Path, metavar="FILE", help="keep the record here")
    arguments = parser.parse_args()
    record = {
        "wrapkit_version": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "machine": machine_document(),
        "warm": measure_warm(),
        "cold": asyncio.run(measure_cold()),
        "held": asyncio.run(measure_many()),
    }
    text = json.dumps(record, indent=2) + "\n"
    sys.stdout.write(text)
    if arguments.output is not None:
        arguments.output.write_text(text)


if __name__ == "__main__":
    main()
