"""What `wrapkit bench --aws` does: plans two versions of a function, asks, and measures them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from .._errors import USAGE, DiagnosticError
from ..attach import (
    Attachment,
    LambdaApi,
    check_layer_argument,
    find_layer,
    plan_attach,
    plan_detach,
)
from ..aws_bench import AwsBenchRequest, AwsVariant, measure_on_aws, remove_leftovers
from ..bench import PRICES, StopRule, Traffic, find_price
from ._bench_arguments import AWS_VARIANTS
from ._events import read_event
from ._interruption import SignalFlag
from ._progress import bench_observer

if TYPE_CHECKING:
    from ..attach import FunctionConfiguration
    from ..bench import BenchRecord
    from ._bench_arguments import AwsArguments, BenchArguments


def measured_on_aws(arguments: BenchArguments, aws: AwsArguments) -> BenchRecord:
    """The record of the benchmark; raises `DiagnosticError`, and `InterruptedCommandError` once
    everything is as it was.
    """
    _check(arguments)
    api = LambdaApi(arguments.region, aws.profile)
    check_layer_argument(aws.layer, api.region)
    event = read_event(arguments.event_source).payload if arguments.event_source else b"{}"
    with SignalFlag() as interruption:
        undone = remove_leftovers(api, aws.function)
        if undone:
            click.echo(f"undone: {len(undone)} versions of a run that was killed", err=True)
        function = api.settled(aws.function)
        _check_function(function)
        _ask(aws, arguments.cold * len(AWS_VARIANTS) + 1)
        request = AwsBenchRequest(
            function,
            _variants(api, function, arguments, aws),
            event,
            arguments.warm,
            StopRule(arguments.cold, arguments.precision, arguments.budget_s),
            _traffic(arguments, api.region, function),
        )
        with bench_observer(arguments.cold, len(AWS_VARIANTS)) as told:
            return measure_on_aws(api, request, told, interruption)


def _check(arguments: BenchArguments) -> None:
    """What is for runs on this machine."""
    given = {
        "--task": arguments.has_task,
        "--variant": bool(arguments.variants),
        "--resume": arguments.is_resumed,
    }
    for option, is_given in given.items():
        if is_given:
            raise DiagnosticError(
                "not-with-aws", f"{option} does not go with --aws", "leave it out", USAGE
            )


def _check_function(function: FunctionConfiguration) -> None:
    reason = ""
    if function.is_image:
        reason = "it is a container image, which takes no layers"
    elif function.snap_start:
        reason = "with SnapStart a version takes minutes to publish, and Restore takes Init's place"
    if reason:
        raise DiagnosticError("not-measurable", f"{function.name} cannot be measured: {reason}")


def _ask(aws: AwsArguments, versions: int) -> None:
    if aws.yes:
        return
    question = (
        f"Change $LATEST of {aws.function} for the time of the run, publish and delete {versions} "
        "versions of it, and invoke them?"
    )
    if not sys.stdin.isatty():
        raise DiagnosticError("not-confirmed", question, "--yes says so beforehand", USAGE)
    click.confirm(question, abort=True, err=True)


def _variants(
    api: LambdaApi, function: FunctionConfiguration, arguments: BenchArguments, aws: AwsArguments
) -> list[AwsVariant]:
    """The function without wrapkit, and with it, whichever it has now."""
    version = find_layer(api, aws.layer, None, publish=True)
    without = plan_detach(function)
    attached = plan_attach(function, Attachment(version, arguments.environment))
    plans = zip(AWS_VARIANTS, (without, attached), strict=True)
    return [AwsVariant(name, plan.layers, plan.variables) for name, plan in plans]


def _traffic(arguments: BenchArguments, region: str, function: FunctionConfiguration) -> Traffic:
    prices = arguments.prices or PRICES
    price = find_price(region, function.architecture, prices)
    return Traffic(price, arguments.cold_start_rate)
