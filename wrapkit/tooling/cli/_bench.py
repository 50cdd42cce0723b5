"""`wrapkit bench`: the cost of each mode of instrumentation."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from .._errors import USAGE, DiagnosticError
from ._arguments import function_name, variables
from ._interruption import run_interruptible

if TYPE_CHECKING:
    from ..bench._plan import PlannedStart

# As in the bench package, whose import costs what `wrapkit bench --help` should not pay.
MODES = ("bare", "internal", "external", "both")

EPILOG = """\b
Examples:
  wrapkit bench --task bench/noop --handler app.handler
  wrapkit bench --task my-function --handler app.handler --event event.json --mode bare,both
  wrapkit bench --task bench/noop --handler app.handler --output results.json

Exit codes: 0 measured, 1 a cold start or an invocation failed, 2 wrong usage, 130 Ctrl-C.
"""


def _modes(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """The modes asked for, each once, bare first: it is what the others are compared with."""
    asked = [mode.strip() for mode in value.split(",")]
    for mode in asked:
        if mode not in MODES:
            message = f"{mode!r} is none of {', '.join(MODES)}"
            raise click.BadParameter(message, ctx, parameter)
    return tuple(dict.fromkeys(["bare", *asked]))


@click.command(epilog=EPILOG)
@click.option(
    "--task",
    "task_root",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code.",
)
@click.option(
    "--handler", required=True, metavar="HANDLER", help="As Lambda writes it: FILE.FUNCTION."
)
@click.option(
    "--mode",
    "modes",
    default=",".join(MODES),
    show_default=True,
    metavar="MODE,...",
    callback=_modes,
    help="What to measure, separated by commas; bare is always measured.",
)
@click.option(
    "--cold",
    default=20,
    show_default=True,
    type=click.IntRange(1, 10_000),
    help="Cold starts of each mode.",
)
@click.option(
    "--warm",
    default=100,
    show_default=True,
    type=click.IntRange(0, 1_000_000),
    help="Warm invocations after each cold start's first one.",
)
@click.option(
    "--event",
    "event_source",
    metavar="FILE",
    help="The JSON event of every invocation; - is standard input.  [default: {}]",
)
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME[=VALUE]",
    callback=variables,
    help="A variable of the function; without a value, the one it has here. Repeatable.",
)
@click.option(
    "--memory",
    "memory_mb",
    default=128,
    show_default=True,
    metavar="MB",
    type=click.IntRange(128, 10_240),
    help="The function's memory size.",
)
@click.option(
    "--isolation",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "namespace", "none"]),
    help="As in `wrapkit run`.",
)
@click.option("--json", "as_json", is_flag=True, help="The record on stdout instead of the table.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write the record to a file, too.",
)
def bench(  # noqa: PLR0917 - one argument an option
    task_root: Path,
    handler: str,
    modes: tuple[str, ...],
    cold: int,
    warm: int,
    event_source: str | None,
    environment: dict[str, str],
    memory_mb: int,
    isolation: Literal["auto", "namespace", "none"],
    as_json: bool,
    output: Path | None,
) -> None:
    """Measure what instrumentation costs a function, mode by mode.

    The function runs bare and with wrapkit's layer of each mode, interleaved: each round makes one
    cold start of every mode, each followed by warm invocations. Medians, and what a mode adds to
    bare in the same round, go to stdout; progress to stderr.
    """
    # The emulator, protobuf and psutil: not for `wrapkit bench --help`.
    from ..bench import BenchRequest, measure, table
    from ..emulator import Function
    from ._events import read_event

    if output is not None and not output.absolute().parent.is_dir():
        raise DiagnosticError(
            "output-folder-missing",
            f"the folder of {output} does not exist",
            "make the folder first; nothing has been measured",
            USAGE,
        )
    request = BenchRequest(
        function=Function(
            task_root=task_root,
            handler=handler,
            name=function_name(task_root),
            memory_mb=memory_mb,
            environment=environment,
        ),
        event=read_event(event_source).payload if event_source else b"{}",
        modes=modes,
        cold=cold,
        warm=warm,
        isolation=isolation,
    )
    record = run_interruptible(measure(request, _Progress(cold, len(modes)).tell))
    document = json.dumps(record.as_document(), indent=1) + "\n"
    if output is not None:
        _write_whole(output, document)
    click.echo(document.rstrip() if as_json else table(record))


class _Progress:
    """One line on stderr: rewritten in a terminal, once a round elsewhere."""

    def __init__(self, rounds: int, modes: int) -> None:
        self._rounds = rounds
        self._modes = modes

    def tell(self, planned: PlannedStart) -> None:
        text = f"round {planned.round + 1} of {self._rounds}"
        if not sys.stderr.isatty():
            if planned.position == 0:
                click.echo(text, err=True)
            return
        is_last = planned.round == self._rounds - 1 and planned.position == self._modes - 1
        click.echo(f"\r{text}  {planned.mode:<10}", err=True, nl=is_last)


def _write_whole(path: Path, text: str) -> None:
    """Write all of the file or none of it."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise DiagnosticError(
            "output-not-writable", f"{path} cannot be written: {error.strerror}"
        ) from error
