"""Measures the extension against its budgets, beside a bare interpreter, the decoding and encoding
that it saves, and the OpenTelemetry Collector where one was built.

    python bench/runner/measure.py --output build/bench-runner.json [--collector build/otelcol]

Figures of CPU time are of the process that is measured (/proc/PID/stat and schedstat).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from parties import WAIT_S, Backend, Host, Sender, free_port, request_of

from wrapkit import __version__
from wrapkit.tooling.bench._machine import machine_document
from wrapkit.tooling.wrapping import generate_layer

if TYPE_CHECKING:
    from collections.abc import Callable

SPANS_A_REQUEST = 512  # the default of OpenTelemetry's batch processors
QUEUED_SPANS = 10_000
# By the names of the rows. That of CPU time is against the Collector, which decodes and encodes; a
# process that does nothing but read and write the bytes is shown beside it.
BUDGETS = {
    "start_ratio": 1.4,
    "idle_mb": 16.0,
    "queued_mb": 32.0,
    "spans_per_s": 20_000.0,
    "cpu_of_collector": 0.1,
    "post_runtime_ms": 1.0,
}
_MB = 1024 * 1024


def cpu_ms(pid: int) -> float:
    """CPU time so far, to the nanosecond, of all threads of a process."""
    total_ns = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total_ns += int((thread / "schedstat").read_text().split()[0])
    return total_ns / 1e6


def resident_mb(pid: int) -> float:
    """What of a process is in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / _MB


class Extension:
    """The extension, started as Lambda does, with host and backend."""

    def __init__(self, layer: Path, folder: Path) -> None:
        self.host, self.backend = Host(), Backend()
        self.port = free_port()
        self.start_cpu_ms = 0.0
        self._is_started = threading.Event()
        self.host.on_next = self._note
        environ = {
            "PATH": os.environ["PATH"],
            "WRAPKIT_PYTHON": sys.executable,
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.host.port}",
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_REGION": "eu-central-1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{self.backend.port}",
            "WRAPKIT_OTLP_ADDRESS": f"127.0.0.1:{self.port}",
            "TMPDIR": str(folder),
        }
        started_ns = time.monotonic_ns()
        self.process = subprocess.Popen([layer / "extensions/wrapkit"], env=environ)
        self._is_started.set()
        self.host.wait_for_next(1)
        self.start_ms = (self.host.next_at_ns[0] - started_ns) / 1e6

    def _note(self) -> None:
        self._is_started.wait(WAIT_S)  # it may be faster than its own start's return
        self.start_cpu_ms = self.start_cpu_ms or cpu_ms(self.process.pid)

    def settle(self) -> None:
        """Waits until the process has loaded everything and does nothing more."""
        before = -1.0
        while (now := cpu_ms(self.process.pid)) != before:
            before = now
            time.sleep(0.2)

    def invoke(self) -> None:
        deadline = int((time.time() + 900) * 1000)
        self.host.send("INVOKE", requestId="r1", deadlineMs=deadline, invokedFunctionArn="")

    def finish(self) -> None:
        """Ends the invocation, so that what is left is exported, too."""
        done = {"requestId": "r1", "status": "success", "metrics": {"durationMs": 1.0}}
        moment = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        record = {"time": moment, "type": "platform.runtimeDone", "record": done}
        port = int(self.host.telemetry_uri.rstrip("/").rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as sock:
            body = json.dumps([record]).encode()
            head = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n\r\n"
            sock.sendall(head.encode() + body)
            sock.recv(4096)
        self.host.wait_for_next(2)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_S)


def start_up(layer: Path, rounds: int) -> dict[str, Any]:
    """Exec to the first ``next``, and beside it an interpreter that does nothing, in turns."""
    bare, extension = [], []
    for _ in range(rounds):
        began_ns, before = time.monotonic_ns(), os.times()
        subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)
        after = os.times()
        used_s = after.children_user + after.children_system
        used_s -= before.children_user + before.children_system
        bare.append(((time.monotonic_ns() - began_ns) / 1e6, used_s * 1000))
        with tempfile.TemporaryDirectory() as folder:
            run = Extension(layer, Path(folder))
            extension.append((run.start_ms, run.start_cpu_ms))
            run.end()
    ratios = [ours[0] / theirs[0] for ours, theirs in zip(extension, bare, strict=True)]
    return {
        "bare_ms": statistics.median(wall for wall, _ in bare),
        "start_ms": statistics.median(wall for wall, _ in extension),
        "start_cpu_ms": statistics.median(cpu for _, cpu in extension),
        "start_ratio": statistics.median(ratios),
    }


def memory(layer: Path) -> dict[str, Any]:
    """Resident, idle and with spans that wait for a backend."""
    with tempfile.TemporaryDirectory() as folder:
        run = Extension(layer, Path(folder))
        run.settle()
        idle = resident_mb(run.process.pid)
        run.invoke()
        run.backend.open.clear()
        sender = Sender(run.port, request_of(SPANS_A_REQUEST))
        for _ in range(-(-QUEUED_SPANS // SPANS_A_REQUEST)):
            sender.send()
        queued = resident_mb(run.process.pid)
        run.end()
    return {"idle_mb": idle, "queued_mb": queued}


def forwarding(layer: Path, spans: int) -> dict[str, Any]:
    """Spans in and out again, and what it costs the extension's process."""
    with tempfile.TemporaryDirectory() as folder:
        run = Extension(layer, Path(folder))
        run.settle()
        run.invoke()
        found = forward(run.process.pid, run.port, run.backend, spans, run.finish)
        run.end()
    return found


def forward(
    pid: int, port: int, backend: Backend, spans: int, finish: Callable[[], None]
) -> dict[str, Any]:
    """Sends spans through a process that takes OTLP at ``port`` and sends it to ``backend``."""
    body = request_of(SPANS_A_REQUEST)
    sender = Sender(port, body)
    count = -(-spans // SPANS_A_REQUEST)
    cpu_before, began = cpu_ms(pid), time.monotonic()
    for number in range(count):
        sender.send()
        # A function does not make spans faster than they can be taken away for long.
        wait_for(backend, number * len(body) - 4 * _MB)
    finish()
    wait_for(backend, int(count * len(body) * 0.98))  # who decodes may write it shorter
    seconds, used_ms = time.monotonic() - began, cpu_ms(pid) - cpu_before
    sender.close()
    sent = count * SPANS_A_REQUEST
    return {
        "spans": sent,
        "bytes_a_span": len(body) / SPANS_A_REQUEST,
        "requests_out": backend.requests,
        "spans_per_s": sent / seconds,
        "cpu_us_a_span": used_ms * 1000 / sent,
    }


def wait_for(backend: Backend, body_bytes: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while backend.body_bytes < body_bytes:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{backend.body_bytes} of {body_bytes} bytes came")
        time.sleep(0.001)


def decoding(spans: int) -> float:
    """CPU microseconds a span that decoding and encoding again takes, by protobuf's C library."""
    body = request_of(SPANS_A_REQUEST)
    rounds = -(-spans // SPANS_A_REQUEST)
    began = time.process_time()
    for _ in range(rounds):
        ExportTraceServiceRequest.FromString(body).SerializeToString()
    return (time.process_time() - began) * 1e6 / (rounds * SPANS_A_REQUEST)


def copying(spans: int) -> dict[str, Any]:
    """What the same bytes cost a process that reads and writes them, and does nothing else."""
    backend, port = Backend(), free_port()
    length = len(request_of(SPANS_A_REQUEST))
    relay = Path(__file__).with_name("relay.py")
    command = [sys.executable, "-I", "-S", relay, str(port), str(backend.port), str(length)]
    process = subprocess.Popen(command)
    try:
        wait_until_listening(port)
        return forward(process.pid, port, backend, spans, lambda: None)
    finally:
        process.kill()
        process.wait(WAIT_S)


def collector(binary: Path, spans: int, rounds: int) -> dict[str, Any]:
    """The OpenTelemetry Collector's core with its OTLP receiver and exporter: start, memory, CPU.

    Its start is until it listens: it does not speak the Extensions API, which would come on top.
    """
    backend, port = Backend(), free_port()
    text = Path(__file__).with_name("collector").joinpath("config.yaml").read_text()
    config = text.replace("PORT_IN", str(port)).replace("PORT_OUT", str(backend.port))
    starts = []
    for _ in range(rounds):
        began_ns = time.monotonic_ns()
        process = subprocess.Popen([binary, "--config", f"yaml:{config}"], stderr=subprocess.PIPE)
        try:
            wait_until_listening(port)
            starts.append((time.monotonic_ns() - began_ns) / 1e6)
            if len(starts) < rounds:
                continue
            time.sleep(1)
            idle = resident_mb(process.pid)
            found = forward(process.pid, port, backend, spans, lambda: None)
            return {"start_ms": statistics.median(starts), "idle_mb": idle, **found}
        finally:
            process.kill()
            process.communicate()
    raise AssertionError("no round")


def wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.001)
    raise TimeoutError(f"nobody listens on port {port}")


def post_runtime_ms(warm: int) -> float:
    """PostRuntimeExtensionsDuration of warm invocations that leave nothing to be exported now."""
    with tempfile.TemporaryDirectory() as folder:
        task = Path(__file__).parents[1] / "noop"
        output = Path(folder) / "record.json"
        command = [Path(sys.executable).with_name("wrapkit"), "bench", "--task", task]
        command += ["--handler", "app.handler", "--cold", "3", "--warm", str(warm)]
        command += ["--mode", "both", "--output", output]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        findings = json.loads(output.read_text())["findings"]
    wanted = {"measure": "warm_post_runtime_extensions_ms", "variant": "both"}
    found = next(each for each in findings if wanted.items() <= each.items())
    return float(found["value"]["median"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--output", type=Path, help="measure, and write a record there")
    what.add_argument("--show", type=Path, help="write a record as the table of bench/README.md")
    parser.add_argument("--collector", type=Path, help="the binary that `make collector` builds")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--warm", type=int, default=200, help="invocations after a cold start")
    options = parser.parse_args()
    if options.show is not None:
        sys.stdout.write("\n".join(table(json.loads(options.show.read_text()))) + "\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        layer = Path(folder) / "layer"
        own = "{}.{}".format(*sys.version_info)
        generate_layer("python", layer, mode="both", versions=(own,))
        record: dict[str, Any] = {
            "format": "wrapkit.bench-runner",
            "wrapkit_version": __version__,
            "python": platform.python_version(),
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": machine_document(),
            "start": start_up(layer, options.rounds),
            "memory": memory(layer),
            "decoding_us_a_span": decoding(options.spans // 10),
            "copying": copying(options.spans),
            "forwarding": forwarding(layer, options.spans),
            "post_runtime_ms": post_runtime_ms(options.warm),
        }
        if options.collector is not None:
            record["collector"] = collector(options.collector.resolve(), options.spans, 5)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(record, indent=1) + "\n")
    sys.stdout.write("".join(f"{line}\n" for line in lines(record)))
    return 0


def table(record: dict[str, Any]) -> list[str]:
    """The record as rows of Markdown."""
    start, forwarding, copying = record["start"], record["forwarding"], record["copying"]
    collector = record["collector"]
    cpu = forwarding["cpu_us_a_span"]
    rows = [
        ("", "wrapkit's extension", "beside it", "budget"),
        ("---", "--:", "--:", "--:"),
        (
            "exec to the first `next`",
            f"{start['start_ms']:.1f} ms",
            f"{start['bare_ms']:.1f} ms: `python -I -S -c pass`",
            f"1.4 times that; it is {start['start_ratio']:.2f}",
        ),
        ("", "", f"{collector['start_ms']:.1f} ms: the Collector, until it listens", ""),
        (
            "resident, idle",
            f"{record['memory']['idle_mb']:.1f} MB",
            f"{collector['idle_mb']:.1f} MB: the Collector",
            "16 MB",
        ),
        ("with 10,000 spans queued", f"{record['memory']['queued_mb']:.1f} MB", "", "32 MB"),
        (
            "spans a second through it",
            f"{forwarding['spans_per_s']:,.0f}",
            f"{collector['spans_per_s']:,.0f}: the Collector",
            "20,000",
        ),
        (
            "CPU for a span",
            f"{cpu:.2f} us",
            f"{collector['cpu_us_a_span']:.2f} us: the Collector, which decodes and encodes",
            f"a tenth of that; it is {cpu / collector['cpu_us_a_span']:.2f}",
        ),
        ("", "", f"{copying['cpu_us_a_span']:.2f} us: reading and writing the bytes, alone", ""),
        ("", "", f"{record['decoding_us_a_span']:.2f} us: decoding and encoding in C, alone", ""),
        (
            "PostRuntimeExtensionsDuration, nothing to flush",
            f"{record['post_runtime_ms']:.2f} ms",
            "",
            "1 ms",
        ),
    ]
    return ["| " + " | ".join(row) + " |" for row in rows]


def lines(record: dict[str, Any]) -> list[str]:
    """The record beside the budgets, for people."""
    found = {**record["start"], **record["memory"], **record["forwarding"]}
    found["post_runtime_ms"] = record["post_runtime_ms"]
    cpu = found["cpu_us_a_span"]
    if "collector" in record:
        found["cpu_of_collector"] = cpu / record["collector"]["cpu_us_a_span"]
    text = []
    for name, budget in BUDGETS.items():
        if name in found:
            keeps = found[name] >= budget if name == "spans_per_s" else found[name] <= budget
            judged = "within" if keeps else "beyond"
            text.append(f"{name:18} {found[name]:12.2f}  {judged} {budget:g}")
    for name, value in (
        ("cpu_us_a_span", cpu),
        ("cpu_of_decoding", cpu / record["decoding_us_a_span"]),
        ("cpu_of_copying", cpu / record["copying"]["cpu_us_a_span"]),
    ):
        text.append(f"{name:18} {value:12.2f}")
    return text


if __name__ == "__main__":
    sys.exit(main())
