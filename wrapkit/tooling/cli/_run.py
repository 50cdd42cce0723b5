"""`wrapkit run`: a function in an emulated execution environment, with its traces."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from ._arguments import GreedyCommand
from ._function_options import (
    MANAGED_INSTANCES,
    configuration_options,
    environment_options,
    layer_option,
)
from ._interruption import run_interruptible

if TYPE_CHECKING:
    from ..report import RunRecord

EPILOG = """\b
Examples:
  wrapkit run --task my-function --handler app.handler --event event.json
  wrapkit run --task my-function --handler app.handler --layer build/layer --event events/*.json
  echo '{"id": 1}' | wrapkit run --task my-function --handler app.handler --event - --json
  wrapkit run --task my-function --handler app.handler --event event.json -- ./my-runtime

Exit codes: 0 the function answered every event; an exception of its own is an answer, unless
--fail-on-error is given. 1 Init failed, or the platform ended an invocation: a timeout, or the exit
of the runtime or of an extension. 2 wrong usage. 130 Ctrl-C.
"""

INITIALIZATION_TYPES = ("on-demand", "provisioned-concurrency", "snap-start", MANAGED_INSTANCES)


@click.command(cls=GreedyCommand, epilog=EPILOG, options_metavar="[OPTIONS]")
@click.option(
    "--task",
    "task_root",
    required=True,
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code, its /var/task; the folder's name is the function's.",
)
@click.option(
    "--handler", required=True, metavar="HANDLER", help="As Lambda writes it: FILE.FUNCTION."
)
@layer_option
@click.option(
    "--event",
    "event_sources",
    multiple=True,
    required=True,
    metavar="FILE...",
    help="JSON files, each one invocation in the order given; - is standard input.",
)
@configuration_options
@environment_options
@click.option(
    "--port",
    default=0,
    metavar="PORT",
    type=click.IntRange(0, 65_535),
    help="The port of the Runtime API.  [default: any free one]",
)
@click.option(
    "--initialization-type",
    default="on-demand",
    show_default=True,
    type=click.Choice(INITIALIZATION_TYPES),
    help="How the environment comes to be: snap-start makes a snapshot after Init and restores it "
    "for the first event, with the function's hooks; on managed instances nothing is frozen or "
    "reset.",
)
@click.option(
    "--max-concurrency",
    default=16,
    show_default=True,
    metavar="N",
    type=click.IntRange(1, 1000),
    help="On managed instances: how many workers the runtime has.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON document on stdout, talk on stderr."
)
@click.option("--no-sink", is_flag=True, help="Do not receive the traces of the run.")
@click.option("--fail-on-error", is_flag=True, help="Exit with 1 when the handler raised, too.")
@click.pass_context
def run(  # noqa: PLR0917 - one argument an option
    ctx: click.Context,
    task_root: Path,
    handler: str,
    layers: tuple[Path, ...],
    event_sources: tuple[str, ...],
    environment: dict[str, str],
    memory_mb: int,
    ephemeral_storage_mb: int,
    limits_cpu: bool,
    timeout_s: float,
    python: Path | None,
    isolation: Literal["auto", "namespace", "none"],
    port: int,
    initialization_type: str,
    max_concurrency: int,
    profile: Literal["aws", "rie"],
    no_freeze: bool,
    log_format: str | None,
    application_log_level: str,
    system_log_level: str,
    as_json: bool,
    no_sink: bool,
    fail_on_error: bool,
) -> None:
    """Run a function in an emulated execution environment and show its traces.

    The function runs as it would on Lambda: Init with all extensions, one invocation per event,
    Shutdown. Shown are the phases with their times, the log, each outcome, and the trace of each
    invocation as it arrived over OTLP at the run's own sink, which OTEL_EXPORTER_OTLP_ENDPOINT
    names unless --env sets it. After -- stands the command of another runtime process than
    Python's.
    """
    # The emulator, rich and protobuf: not for `wrapkit run --help`.
    from ._events import read_event
    from ._running import RunRequest, check_outcome, perform, write_document

    request = RunRequest(
        task_root=task_root,
        handler=handler,
        layers=layers,
        events=tuple(read_event(source) for source in event_sources),
        environment=environment,
        memory_mb=memory_mb,
        ephemeral_storage_mb=ephemeral_storage_mb,
        limits_cpu=limits_cpu,
        timeout_ms=max(1, round(timeout_s * 1000)),
        python=python,
        command=ctx.meta.get(GreedyCommand.COMMAND_KEY),
        isolation=isolation,
        runtime_api_port=port,
        initialization_type=initialization_type,
        max_concurrency=max_concurrency,
        profile=profile,
        freezes=False if no_freeze else None,
        log_format=log_format or ("JSON" if initialization_type == MANAGED_INSTANCES else "Text"),
        application_log_level=application_log_level,
        system_log_level=system_log_level,
        has_sink=not no_sink,
    )
    record: RunRecord = run_interruptible(perform(request, err=as_json))
    if as_json:
        write_document(record)
    check_outcome(record, fail_on_error=fail_on_error)
