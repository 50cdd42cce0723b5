"""What `wrapkit bench` does: makes a request of its arguments, measures, and shows the record."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._errors import RUN_FAILED, USAGE, DiagnosticError
from ..bench import (
    ARCHITECTURES,
    PRICES,
    BenchRequest,
    StopRule,
    Traffic,
    UnfinishedRun,
    Variant,
    changes,
    check_comparable,
    find_price,
    judge,
    load_record,
    measure,
    mode_variant,
    parse_condition,
    parse_variants,
)
from ..emulator import Function
from ..report import bench_page, bench_table, change_table
from ._arguments import function_name
from ._bench_arguments import AWS_VARIANTS, DEFAULT_REGION
from ._events import read_event
from ._interruption import InterruptedCommandError, run_interruptible
from ._progress import bench_observer
from ._whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..bench import BenchRecord, Condition
    from ._bench_arguments import BenchArguments


def perform(arguments: BenchArguments) -> None:
    """Measure, and write what was asked for; raises `DiagnosticError`."""
    variants = _variants(arguments)
    names = list(AWS_VARIANTS) if arguments.aws else [variant.name for variant in variants]
    conditions = [parse_condition(text, names) for text in arguments.conditions]
    for path in filter(None, [arguments.output, arguments.html]):
        _check_folder(path)
    if arguments.output is not None:
        _check_is_new(arguments.output)
    if arguments.aws is not None:
        from ._benching_aws import measured_on_aws  # boto3 takes most of a second

        record = measured_on_aws(arguments, arguments.aws)
    else:
        record = _measured(arguments, variants)
    if arguments.output is not None:
        write_whole(arguments.output, record.as_text())
        UnfinishedRun(arguments.output).remove()
    if arguments.html is not None:
        write_whole(arguments.html, bench_page(record))
    click.echo(
        record.as_text().rstrip()
        if arguments.as_json
        else bench_table(record, details=arguments.details)
    )
    _judge(conditions, record)


def _variants(arguments: BenchArguments) -> list[Variant]:
    modes = [mode_variant(mode) for mode in arguments.modes]
    return [*modes, *parse_variants(arguments.variants)]


def _check_is_new(path: Path) -> None:
    """Before anything is measured."""
    if path.exists():
        raise DiagnosticError(
            "output-exists",
            f"{path} exists, and a record is not replaced",
            "name another file, or remove this one; nothing has been measured",
            USAGE,
        )


def _check_folder(path: Path) -> None:
    """Before anything is measured."""
    if not path.absolute().parent.is_dir():
        raise DiagnosticError(
            "output-folder-missing",
            f"the folder of {path} does not exist",
            "make the folder first; nothing has been measured",
            USAGE,
        )


def _measured(arguments: BenchArguments, variants: Sequence[Variant]) -> BenchRecord:
    request = _request(arguments, variants)
    observer = bench_observer(arguments.cold, len(variants) * len(arguments.memory_mb))
    try:
        with observer as told:
            return run_interruptible(measure(request, told))
    except InterruptedCommandError:
        unfinished = request.unfinished
        if unfinished is not None and unfinished.path.exists():
            text = f"what was measured is in {unfinished.path}; --resume goes on with it"
            click.echo(text, err=True)
        raise


def _request(arguments: BenchArguments, variants: Sequence[Variant]) -> BenchRequest:
    event = read_event(arguments.event_source).payload if arguments.event_source else b"{}"
    architecture = arguments.architecture or ARCHITECTURES.get(platform.machine(), "x86_64")
    price = find_price(arguments.region or DEFAULT_REGION, architecture, arguments.prices or PRICES)
    return BenchRequest(
        function=Function(
            task_root=arguments.task_root,
            handler=arguments.handler,
            name=function_name(arguments.task_root),
            memory_mb=arguments.memory_mb[0],
            timeout_ms=max(1, round(arguments.timeout_s * 1000)),
            environment=arguments.environment,
            python=arguments.python or Path(sys.executable),
        ),
        event=event,
        variants=variants,
        memory_mb=arguments.memory_mb,
        warm=arguments.warm,
        isolation=arguments.isolation,
        limits_cpu=arguments.limits_cpu,
        stop=StopRule(arguments.cold, arguments.precision, arguments.budget_s),
        traffic=Traffic(price, arguments.cold_start_rate),
        unfinished=UnfinishedRun(arguments.output) if arguments.output else None,
        is_resumed=arguments.is_resumed,
    )


def _judge(conditions: Sequence[Condition], record: BenchRecord) -> None:
    """Say how each condition was decided; raises `DiagnosticError` when one holds."""
    met = False
    for condition in conditions:
        holds, judged = judge(condition, record)
        met = met or holds
        for one in judged:
            click.echo(one.in_words(), err=True)
    if met:
        raise DiagnosticError(
            "condition-met", "a condition of --fail-if holds", "its figures are above", RUN_FAILED
        )


def perform_comparison(
    first: Path, second: Path, *, details: bool, is_forced: bool, as_json: bool
) -> None:
    """Show the changes from one record to the other; raises `DiagnosticError`."""
    before, after = load_record(first), load_record(second)
    if not is_forced:
        check_comparable(before, after)
    found = changes(before, after)
    if as_json:
        document = {
            "format": "wrapkit.bench-comparison",
            "format_version": 1,
            "first": {"started": before.started, "versions": dict(before.versions)},
            "second": {"started": after.started, "versions": dict(after.versions)},
            "changes": [change.as_document() for change in found],
        }
        click.echo(json.dumps(document, indent=1))
    else:
        click.echo(change_table(before, after, found, details=details))
