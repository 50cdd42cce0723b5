"""`wrapkit bench`: the cost of each mode of instrumentation, and of any other layer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click

from ._arguments import variables
from ._quantities import duration, memory_sizes, percentage

# As in the bench package, whose import costs what `wrapkit bench --help` should not pay.
MODES = ("bare", "internal", "external", "both")
ARCHITECTURES = ("x86_64", "arm64")
DEFAULT_ROUNDS = 20
# Where the budget or the precision is what ends a run.
MAX_ROUNDS = 500

EPILOG = """\b
Examples:
  wrapkit bench --task bench/noop --handler app.handler
  wrapkit bench --task my-function --handler app.handler --event event.json --mode both
  wrapkit bench --task my-function --handler app.handler --mode both \\
      --variant rival=rival.zip,AWS_LAMBDA_EXEC_WRAPPER=/opt/otel-instrument --html cost.html
  wrapkit bench --task my-function --handler app.handler --memory 128,512,1769 --budget 5m
  wrapkit bench --task my-function --handler app.handler --output new.json --resume
  wrapkit bench --task my-function --handler app.handler \\
      --fail-if 'both.init_ms > bare.init_ms + 15'
  wrapkit bench compare old.json new.json
  wrapkit bench --aws my-function --layer build/wrapkit-layer.zip --cold 10

With --aws, $LATEST of the function is changed for the time of the run and put back, and each cold
start is the first invocation of a version that is published for it and deleted again, when the
run is interrupted, too. A run that was killed is undone by the next.

A variant is NAME=LAYER[,VARIABLE=VALUE ...]: a layer of any make, a folder or a zip file, with the
variables that it needs. Its exec wrapper is found where it has a known name. A name that comes
again adds a layer; NAME=VARIABLE=VALUE has none. handler=FILE.FUNCTION and task=DIR replace the
function's own.

What a condition may say: VARIANT.MEASURE, VARIANT.PROCESS.MEASURE and VARIANT@MEMORY.MEASURE, with
+ - * / ( ) < <= > >= and or not; differences are taken within each round. The measures are in
docs/reference/bench-measures.md.

Exit codes: 0 measured, 1 a cold start or an invocation failed, or a condition of --fail-if holds,
2 wrong usage, 130 Ctrl-C; with --output what is measured by then stays, for --resume.
"""


def _modes(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    """The modes asked for, each once, bare first: it is what the others are compared with."""
    asked = [mode.strip() for mode in value.split(",")]
    for mode in asked:
        if mode not in MODES:
            message = f"{mode!r} is none of {', '.join(MODES)}"
            raise click.BadParameter(message, ctx, parameter)
    return tuple(dict.fromkeys(["bare", *asked]))


@click.group(
    epilog=EPILOG,
    invoke_without_command=True,
    subcommand_metavar="[compare FIRST.json SECOND.json]",
)
@click.option(
    "--task",
    "task_root",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the function's code.  [required, unless --aws]",
)
@click.option(
    "--handler",
    metavar="HANDLER",
    help="As Lambda writes it: FILE.FUNCTION.  [required, unless --aws]",
)
@click.option(
    "--aws",
    "aws_function",
    metavar="FUNCTION",
    help="Measure a function on AWS instead: bare, and with --layer attached.",
)
@click.option(
    "--layer",
    default="build/wrapkit-layer.zip",
    show_default=True,
    metavar="ZIP|ARN",
    help="With --aws: the layer, as `wrapkit attach` takes it.",
)
@click.option("--profile", metavar="NAME", help="With --aws: the profile of AWS's configuration.")
@click.option("--yes", "-y", is_flag=True, help="With --aws: do not ask.")
@click.option(
    "--mode",
    "modes",
    default=",".join(MODES),
    show_default=True,
    metavar="MODE,...",
    callback=_modes,
    help="wrapkit's modes to measure, separated by commas; bare is always measured.",
)
@click.option(
    "--variant",
    "variants",
    multiple=True,
    metavar="NAME=LAYER[,ENV=..]",
    help="Any other layer to measure beside them, as below. Repeatable.",
)
@click.option(
    "--cold",
    metavar="NUMBER",
    type=click.IntRange(1, 10_000),
    help=f"Cold starts of each variant, at most.  [default: {DEFAULT_ROUNDS}; {MAX_ROUNDS} with "
    "--precision or --budget]",
)
@click.option(
    "--warm",
    default=100,
    show_default=True,
    type=click.IntRange(0, 1_000_000),
    help="Warm invocations after each cold start's first one.",
)
@click.option(
    "--precision",
    callback=percentage,
    metavar="PERCENT",
    help="Stop when Init Duration and warm Duration are known that well, as in 2%: half of every "
    "added cost's interval as a share of bare.",
)
@click.option(
    "--budget",
    "budget_s",
    callback=duration,
    metavar="TIME",
    help="Begin no round that would end later, as in 5m.",
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
    help="A variable of the function in all variants; without a value, the one it has here. "
    "Repeatable.",
)
@click.option(
    "--memory",
    "memory_mb",
    default="128",
    show_default=True,
    metavar="MB,...",
    callback=memory_sizes,
    help="The function's memory sizes; each variant is measured at each of them.",
)
@click.option(
    "--limit-cpu/--no-limit-cpu",
    "limits_cpu",
    default=None,
    help="After Init give the function only the share of the CPU that its memory size buys on "
    "Lambda (1769 MB: one core), where control groups allow it.  [default: with several sizes]",
)
@click.option(
    "--timeout",
    "timeout_s",
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    type=click.FloatRange(0, 900, min_open=True),
    help="The function's timeout.",
)
@click.option(
    "--python",
    metavar="PATH",
    type=click.Path(exists=True, dir_okay=False, executable=True, path_type=Path),
    help="The interpreter that runs the function.  [default: the one that runs wrapkit]",
)
@click.option(
    "--isolation",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "namespace", "none"]),
    help="As in `wrapkit run`.",
)
@click.option(
    "--region",
    help="Whose prices count, and where the function of --aws is.  [default: us-east-1; with --aws "
    "the profile's]",
)
@click.option(
    "--architecture",
    type=click.Choice(ARCHITECTURES),
    help="Whose prices count.  [default: this machine's]",
)
@click.option(
    "--cold-start-rate",
    default="1%",
    show_default=True,
    callback=percentage,
    metavar="PERCENT",
    help="How many of a million invocations are cold starts, for their cost.",
)
@click.option(
    "--prices",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A price list in place of wrapkit's own, in its form.",
)
@click.option(
    "--fail-if",
    "conditions",
    multiple=True,
    metavar="CONDITION",
    help="Exit with 1 when the figures meet the condition, as below. Repeatable.",
)
@click.option("--details", is_flag=True, help="Every measure, and those of each process.")
@click.option("--json", "as_json", is_flag=True, help="The record on stdout instead of the table.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the record to a file, too; one that exists is not replaced.",
)
@click.option(
    "--html",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report as one HTML file, too: figures, drawings and method.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with what an interrupted run with this --output has left."
)
@click.pass_context
def bench(  # noqa: PLR0917 - one argument an option
    ctx: click.Context,
    task_root: Path | None,
    handler: str | None,
    aws_function: str | None,
    layer: str,
    profile: str | None,
    yes: bool,
    modes: tuple[str, ...],
    variants: tuple[str, ...],
    cold: int | None,
    warm: int,
    precision: float | None,
    budget_s: float | None,
    event_source: str | None,
    environment: dict[str, str],
    memory_mb: tuple[int, ...],
    limits_cpu: bool | None,
    timeout_s: float,
    python: Path | None,
    isolation: Literal["auto", "namespace", "none"],
    region: str | None,
    architecture: str | None,
    cold_start_rate: float,
    prices: Path | None,
    conditions: tuple[str, ...],
    details: bool,
    as_json: bool,
    output: Path | None,
    html: Path | None,
    resume: bool,
) -> None:
    """Measure what instrumentation costs a function, variant by variant.

    The function runs bare, with wrapkit's layer of each mode, and with any other layer,
    interleaved: each round makes one cold start of every variant, each followed by warm
    invocations. Medians, and what a variant adds to bare in the same round, go to stdout; progress
    to stderr.
    """
    if ctx.invoked_subcommand is not None:
        return
    for name, value in (("--task", task_root), ("--handler", handler)):
        if value is None and aws_function is None:
            raise click.UsageError(f"Missing option '{name}'.", ctx)
    if resume and output is None:
        raise click.UsageError("--resume needs the --output of the run to go on with.", ctx)
    # The emulator, protobuf and psutil: not for `wrapkit bench --help`.
    from ._bench_arguments import AwsArguments, BenchArguments
    from ._benching import perform

    is_open_ended = precision is not None or budget_s is not None
    aws = AwsArguments(aws_function, layer, profile, yes) if aws_function else None
    perform(
        BenchArguments(
            aws=aws,
            has_task=task_root is not None,
            task_root=task_root or Path(),
            handler=handler or "",
            modes=modes,
            variants=variants,
            cold=cold or (MAX_ROUNDS if is_open_ended else DEFAULT_ROUNDS),
            warm=warm,
            precision=precision,
            budget_s=budget_s,
            event_source=event_source,
            environment=environment,
            memory_mb=memory_mb,
            limits_cpu=len(memory_mb) > 1 if limits_cpu is None else limits_cpu,
            timeout_s=timeout_s,
            python=python,
            isolation=isolation,
            region=region,
            architecture=architecture,
            cold_start_rate=cold_start_rate,
            prices=prices,
            conditions=conditions,
            details=details,
            as_json=as_json,
            output=output,
            html=html,
            is_resumed=resume,
        )
    )


COMPARE_EPILOG = """\b
Examples:
  wrapkit bench compare before.json after.json
  wrapkit bench compare before.json after.json --details --json

Exit codes: 0 compared, whatever was found; 2 wrong usage, unlike machines included.
"""


@bench.command(epilog=COMPARE_EPILOG)
@click.argument("first", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("second", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--details", is_flag=True, help="Every measure, and those of each process.")
@click.option("--force", is_flag=True, help="Compare records of unlike machines or scenarios, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of the table.")
def compare(first: Path, second: Path, details: bool, force: bool, as_json: bool) -> None:
    """Show what has changed from one record of `wrapkit bench` to another.

    Both have to be of one machine and one scenario; wrapkit's version may differ.
    """
    from ._benching import perform_comparison

    perform_comparison(first, second, details=details, is_forced=force, as_json=as_json)
