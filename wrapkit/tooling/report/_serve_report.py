"""A service as its user sees it: who listens where, each function's log, its traces."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from ..invoke_api import ServiceObserver
from ._glyphs import ASCII_GLYPHS, UNICODE_GLYPHS
from ._run_record import decoded_payload
from ._run_report import MAX_WIDTH, PLATFORM_LINE
from ._trees import invocation_traces, titled_traces
from ._waterfall import waterfall
from ._wording import bytes_as_hex, counted, milliseconds, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

    from ..emulator import InvocationResult, ShutdownResult
    from ..invoke_api import Place, ServedFunction
    from ..sink import Span
    from ._trees import SpanNode


CYAN, DIM, RESET = "\x1b[36m", "\x1b[2m", "\x1b[0m"
ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Long enough for the lines of some invocations, too short to be seen.
FLUSH_DELAY_S = 0.02


class ServeReport(ServiceObserver):
    """Writes to `stream`, each line of a log behind the name and number of its environment."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_flushing = False
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._has_colour = self._console.color_system is not None
        self._width = min(self._console.width, MAX_WIDTH)
        is_unicode = not self._console.options.ascii_only
        self._glyphs = UNICODE_GLYPHS if is_unicode else ASCII_GLYPHS

    def listening(self, endpoint: str, functions: Sequence[ServedFunction]) -> None:
        """Say what is served, and how to call it."""
        for served in functions:
            function = served.function
            self._line(
                f"{function.name}  {function.handler}  {function.memory_mb} MB  timeout "
                f"{seconds(function.timeout_ms)}  concurrency {served.concurrency}",
                style="bold",
            )
        name = functions[0].function.name
        self._line(f"Invoke API on {endpoint}, Ctrl-C ends it", style="bold green")
        self._line(
            f"  aws lambda invoke --endpoint-url {endpoint} --function-name {name} out.json",
            style="dim",
        )

    def log_line(self, place: Place, line: str) -> None:
        """Written without rich, whose third of a millisecond a line every caller would wait for."""
        for part in line.rstrip().split("\n"):
            text = part.replace("\t", "  ")
            if self._has_colour:
                dim = DIM if PLATFORM_LINE.match(part) else ""
                self._stream.write(f"{CYAN}{place}{RESET}  {dim}{text}{RESET}\n")
            else:
                self._stream.write(f"{place}  {ANSI.sub('', text)}\n")
        if not self._is_flushing:
            self._is_flushing = True
            asyncio.get_running_loop().call_later(FLUSH_DELAY_S, self._flush)

    def _flush(self) -> None:
        self._is_flushing = False
        self._stream.flush()

    def environment_ended(self, place: Place, shutdown: ShutdownResult) -> None:
        ends = ", ".join(f"{name}: {status}" for name, status in shutdown.statuses.items())
        self._line(
            f"{place}  Shutdown {milliseconds(shutdown.duration_ms)}  {shutdown.reason}  {ends}",
            style="dim",
        )

    def event_retried(self, function_name: str, request_id: str, delay_s: float) -> None:
        self._line(
            f"{function_name}  event {request_id} failed, again in {delay_s:g} s", style="yellow"
        )

    def event_given_up(self, function_name: str, request_id: str, reason: str) -> None:
        self._line(f"{function_name}  event {request_id} is given up: {reason}", style="red")

    def traces(self, spans: Sequence[Span]) -> None:
        """The waterfall of each invocation that spans have come of, and of what belongs to none."""
        found = invocation_traces(spans)
        for request_id, trees in found.by_request_id.items():
            self._trace(f"Trace of {request_id}", trees)
        if found.others:
            self._trace(f"{counted(len(found.others), 'trace')} of no invocation", found.others)

    def _trace(self, title: str, trees: Sequence[SpanNode]) -> None:
        self._line(title, style="bold")
        for heading, members in titled_traces(trees):
            self._line(f"  {heading}", style="dim")
            for line in waterfall(members, width=self._width - 2, glyphs=self._glyphs).split():
                self._console.print(Text("  ").append_text(line), soft_wrap=True)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)


class JsonServeReport(ServiceObserver):
    """One JSON object a line to `stream`: its member `type` says what happened."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def listening(self, endpoint: str, functions: Sequence[ServedFunction]) -> None:
        """The service can be called."""
        names = [served.function.name for served in functions]
        self._write("listening", endpoint=endpoint, functions=names)

    def environment_started(self, place: Place) -> None:
        self._write("environment-started", **place._asdict())

    def log_line(self, place: Place, line: str) -> None:
        self._write("log", **place._asdict(), line=line)

    def invocation_ended(self, place: Place, result: InvocationResult) -> None:
        payload = decoded_payload(result.payload)
        self._write("invocation", **place._asdict(), **{**asdict(result), "payload": payload})

    def environment_ended(self, place: Place, shutdown: ShutdownResult) -> None:
        self._write("environment-ended", **place._asdict(), **asdict(shutdown))

    def event_retried(self, function_name: str, request_id: str, delay_s: float) -> None:
        self._write(
            "event-retried", function_name=function_name, request_id=request_id, delay_s=delay_s
        )

    def event_given_up(self, function_name: str, request_id: str, reason: str) -> None:
        self._write(
            "event-given-up", function_name=function_name, request_id=request_id, reason=reason
        )

    def traces(self, spans: Sequence[Span]) -> None:
        """The spans as they came."""
        for span in spans:
            self._write("span", **asdict(span))

    def _write(self, kind: str, /, **members: Any) -> None:
        # By position: a span has a member of that name, too.
        document = {"type": kind, **members}
        self._stream.write(json.dumps(document, default=bytes_as_hex) + "\n")
        self._stream.flush()
