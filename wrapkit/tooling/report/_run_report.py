"""A run as its user sees it: phase by phase as it happens, then its traces."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ._glyphs import ASCII_GLYPHS, UNICODE_GLYPHS
from ._run_record import decoded_payload
from ._timeline import init_rows, invocation_rows, timeline
from ._trees import invocation_traces, titled_traces
from ._waterfall import waterfall
from ._wording import counted, fit, milliseconds, one_line, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ..emulator import Function, InitResult, ShutdownResult
    from ._run_record import InvocationRecord, RunRecord
    from ._trees import SpanNode

# Bars longer than this are harder to read, not easier.
MAX_WIDTH = 120
PAYLOAD_LINES = 2
NO_ERROR_HINT = "to an extension alone (mode external), a handler that raises is a success"
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")
PLATFORM_LINE = re.compile(r"(INIT_START|INIT_REPORT|EXTENSION|START|END|REPORT|XRAY)\b")


class RunReport:
    """Writes a run to `stream`: coloured in a terminal, in plain 80 columns elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._width = min(self._console.width, MAX_WIDTH)
        is_unicode = not self._console.options.ascii_only
        self._glyphs = UNICODE_GLYPHS if is_unicode else ASCII_GLYPHS

    def begin(self, function: Function, isolation: str) -> None:
        """Say what is run, and in what isolation."""
        self._line(
            f"{function.name}  {function.handler}  {function.memory_mb} MB  "
            f"timeout {seconds(function.timeout_ms)}  isolation {isolation}",
            style="bold",
        )
        for layer in function.layers:
            self._line(f"layer {layer}")
        self._heading("INIT")

    def log_line(self, line: str) -> None:
        """One line of the log, the platform's own or what the function or an extension wrote."""
        style = "dim" if PLATFORM_LINE.match(line) else ""
        for part in line.rstrip().split("\n"):
            text = "  " + part.replace("\t", "  ")
            if style or CONTROL_CHARACTER.search(text):
                self._console.print(Text.from_ansi(text, style=style), soft_wrap=True)
            else:  # in a hundredth of the time, in which the emulator does nothing else
                self._console.file.write(text + "\n")

    def init_done(self, init: InitResult) -> None:
        """Init's total, and each process of it as a bar."""
        self._console.print()
        outcome = "" if init.status == "success" else f"  {init.status} {init.error_type or ''}"
        self._line(f"  Init {milliseconds(init.duration_ms)}{outcome}", style="bold")
        self._indented(
            timeline(init_rows(init), init.duration_ms, width=self._width - 2, glyphs=self._glyphs)
        )
        # Of an Init that failed it is the end of the run that says why.
        if init.status == "timeout":
            for line in filter(None, (init.error_message, init.hint)):
                self._line(f"  {line}")

    def invocation_begins(self, number: int, total: int, event: str) -> None:
        self._heading(f"INVOKE {number} of {total}  {event}")

    def invocation_done(self, record: InvocationRecord) -> None:
        """The outcome, where its time went, and what the caller got."""
        result = record.result
        self._console.print()
        outcome = Text("  ")
        failure = record.failure
        outcome.append(failure or "success", style="bold red" if failure else "bold green")
        # On managed instances it is the instance that is billed.
        billed = f"billed {result.billed_duration_ms} ms, " if result.billed_duration_ms else ""
        outcome.append(
            f"  {milliseconds(result.duration_ms)}, {billed}"
            f"response after {milliseconds(result.response_latency_ms)}"
        )
        self._console.print(outcome, soft_wrap=True)
        rows = list(invocation_rows(result))
        if len(rows) > 1:
            self._indented(
                timeline(rows, result.duration_ms, width=self._width - 2, glyphs=self._glyphs)
            )
        self._line(f"  {fit(_payload_text(record), PAYLOAD_LINES * self._width - 2)}")

    def not_sent(self, count: int) -> None:
        """On managed instances a failure ends the environment."""
        self._console.print()
        self._line(
            f"  {count} more not sent: on managed instances an environment that failed is replaced,"
            " not reset"
        )

    def shutdown_begins(self) -> None:
        self._heading("SHUTDOWN")

    def shutdown_done(self, shutdown: ShutdownResult) -> None:
        """How long it took, and how each process ended."""
        self._line(
            f"  Shutdown {milliseconds(shutdown.duration_ms)}  {shutdown.reason}", style="bold"
        )
        for name, status in shutdown.statuses.items():
            self._line(f"  {name}: {status}")

    def traces(self, run: RunRecord, endpoint: str) -> None:
        """The waterfall of each invocation, then what belongs to none."""
        self._heading(f"TRACES  {_telemetry_summary(run)}")
        if not run.spans:
            self._line(f"  no span came to {endpoint}", style="yellow")
            return
        found = invocation_traces(run.spans)
        for number, record in enumerate(run.invocations, 1):
            trees = found.by_request_id.get(record.result.request_id, [])
            self._trace(f"Invoke {number}  {record.event}", trees)
            if not trees:
                self._line(f"  no span of this invocation came to {endpoint}", style="yellow")
            elif record.failure and not any(_tells_error(tree) for tree in trees):
                self._line(f"  no span tells the failure; {NO_ERROR_HINT}", style="yellow")
        if found.others:
            self._trace("Outside of the invocations", found.others)

    def traces_go_elsewhere(self, variable: str) -> None:
        """The user's own endpoint gets them; its URL may hold a credential."""
        self._heading("TRACES")
        self._line(f"  not shown: they go where {variable} says", style="dim")

    def end(self, run: RunRecord) -> None:
        """One line to take away."""
        failed = sum(record.result.function_error is not None for record in run.invocations)
        total = len(run.invocations)
        memory_mb = max((item.result.max_memory_used_mb for item in run.invocations), default=0)
        self._console.print()
        memory = f"; Max Memory Used {memory_mb} MB" if memory_mb else ""
        self._line(
            f"{counted(total, 'invocation')}, {total - failed} succeeded, {failed} failed{memory}",
            style="bold",
        )

    def _trace(self, title: str, trees: Sequence[SpanNode]) -> None:
        self._console.print()
        self._line(title, style="bold")
        for heading, members in titled_traces(trees):
            self._line(f"  {heading}", style="dim")
            self._indented(waterfall(members, width=self._width - 2, glyphs=self._glyphs))

    def _heading(self, text: str) -> None:
        self._console.print()
        self._console.print(Text(text, style="bold blue"), soft_wrap=True)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _indented(self, text: Text) -> None:
        for line in text.split():
            self._console.print(Text("  ").append_text(line), soft_wrap=True)


def _tells_error(tree: SpanNode) -> bool:
    return any(node.span.status_code == "ERROR" for node in tree.walk())


def _payload_text(record: InvocationRecord) -> str:
    payload = decoded_payload(record.result.payload)
    return one_line(payload if isinstance(payload, str) else json.dumps(payload))


def _telemetry_summary(run: RunRecord) -> str:
    store = run.store
    if store is None:
        return ""
    traces = counted(len({span.trace_id for span in store.spans}), "trace")
    spans = counted(len(store.spans), "span")
    parts = [f"{traces}, {spans} in {counted(len(store.requests), 'OTLP request')}"]
    if store.duplicate_spans:
        parts.append(f"{counted(len(store.duplicate_spans), 'span')} came twice")
    if store.metrics:
        parts.append(counted(len(store.metrics), "metric"))
    if store.log_records:
        parts.append(counted(len(store.log_records), "log record"))
    if store.dropped:
        parts.append(f"{counted(store.dropped, 'item')} dropped by the sink")
    return "; ".join(parts)
