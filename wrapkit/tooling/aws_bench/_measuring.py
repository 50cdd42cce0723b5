"""Makes the cold starts on AWS, in turn, and reads what Lambda reports of each."""

from __future__ import annotations

import datetime
import time
import uuid
from dataclasses import dataclass
from statistics import mean, median
from typing import TYPE_CHECKING, Any, Protocol

from wrapkit import __version__

from .._errors import DiagnosticError
from ..bench import (
    BenchRecord,
    Observer,
    PlannedStart,
    Progress,
    Start,
    cells,
    check_noise,
    quantile,
    read_reports,
    round_of,
)
from ._versions import Versions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..attach import FunctionConfiguration, LambdaApi
    from ..bench import Report, StopRule, Traffic


@dataclass(frozen=True)
class AwsVariant:
    """A version of the function: its layers and its variables."""

    name: str
    layers: tuple[str, ...]
    variables: Mapping[str, str]


@dataclass(frozen=True)
class AwsBenchRequest:
    """What to measure; the first variant is the bare one."""

    function: FunctionConfiguration
    variants: Sequence[AwsVariant]
    event: bytes
    warm: int
    stop: StopRule
    traffic: Traffic


class Interruption(Protocol):
    """Whether the user wants an end."""

    def check(self) -> None:
        """Raises when a signal has come."""


def measure_on_aws(
    api: LambdaApi, request: AwsBenchRequest, observer: Observer, interruption: Interruption
) -> BenchRecord:
    """The record of the benchmark; the function is as it was before, whatever happens.

    Raises `DiagnosticError` for what AWS refuses and for an invocation that fails.
    """
    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    versions = Versions(api, api.settled(request.function.name), uuid.uuid4().hex[:8])
    run = _Run(api, request, versions, interruption)
    try:
        versions.keep_original()
        stopped = run.rounds(observer)
    finally:
        versions.close()
    return BenchRecord(
        started=started,
        stopped=stopped,
        versions={
            "wrapkit": __version__,
            "python": request.function.runtime.removeprefix("python"),
        },
        scenario=_scenario(request),
        machine=_machine(api, request.function),
        noise=check_noise(run.starts, {}).as_document(),
        inspections={one.name: {"measures": {}, "problems": {}} for one in request.variants},
        starts=run.starts,
    )


class _Run:
    """The rounds, and the starts made so far."""

    def __init__(
        self,
        api: LambdaApi,
        request: AwsBenchRequest,
        versions: Versions,
        interruption: Interruption,
    ) -> None:
        self.starts: list[Start] = []
        self._api, self._request, self._versions = api, request, versions
        self._interruption = interruption
        self._variants = {one.name: one for one in request.variants}

    def rounds(self, observer: Observer) -> str:
        """Makes rounds until the stop rule says why not; returns that."""
        stop = self._request.stop
        all_cells = cells(list(self._variants), (self._request.function.memory_mb,))
        observer.begin(stop.rounds * len(all_cells), 0)
        begun_s, number = time.monotonic(), 0
        while True:
            progress: Progress = {
                "rounds_done": number,
                "rounds_timed": number,
                "elapsed_s": time.monotonic() - begun_s,
            }
            if reason := stop.reason(self.starts, **progress):
                return reason
            observer.expect(stop.expected_rounds(**progress))
            for planned in round_of(all_cells, number):
                observer.tell(planned)
                self.starts.append(self._cold_start(planned))
            number += 1

    def _cold_start(self, planned: PlannedStart) -> Start:
        variant = self._variants[planned.cell.variant]
        self._interruption.check()
        version = self._versions.publish(variant.name, variant.layers, variant.variables)
        seen = [self._invoke(variant, version) for _ in range(1 + self._request.warm)]
        self._interruption.check()
        self._versions.delete(version)
        reports = [report for report, _ in seen]
        if not reports[0].is_cold:
            raise DiagnosticError(
                "not-cold",
                f"the first invocation of version {version} was no cold start",
                "provisioned concurrency keeps versions warm; somebody else may have invoked it",
            )
        return _start(planned, reports, [latency for _, latency in seen], self._request.traffic)

    def _invoke(self, variant: AwsVariant, version: str) -> tuple[Report, float]:
        self._interruption.check()
        name = self._request.function.name
        begun_s = time.monotonic()
        outcome = self._api.invoke(name, self._request.event, version)
        latency_ms = (time.monotonic() - begun_s) * 1000
        if not outcome.succeeded:
            raise DiagnosticError(
                "bench-invocation-failed",
                f"an invocation of {name} failed in variant {variant.name}: {outcome.error}",
                "give an event that the function can answer with --event",
            )
        reports = read_reports(outcome.log_tail)
        if not reports:
            raise DiagnosticError(
                "no-report-line",
                f"the log of {name} ends without a REPORT line",
                "with JSON logs the function's system log level has to be INFO",
            )
        return reports[-1], latency_ms


def _start(
    planned: PlannedStart, reports: Sequence[Report], latencies: Sequence[float], traffic: Traffic
) -> Start:
    first, *warm = reports
    measures: dict[str, float] = {
        "init_ms": first.init_ms or first.restore_ms or 0.0,
        "first_duration_ms": first.duration_ms,
        "first_billed_ms": first.billed_ms,
        "caller_first_ms": latencies[0],
        "max_memory_used_mb": max(report.max_memory_used_mb for report in reports),
    }
    durations = [report.duration_ms for report in warm]
    if warm:
        for suffix, share in (("", 0.5), ("_p90", 0.9), ("_p99", 0.99)):
            measures[f"warm_duration{suffix}_ms"] = quantile(sorted(durations), share)
        measures["caller_warm_ms"] = median(latencies[1:])
        measures["warm_billed_ms"] = mean(report.billed_ms for report in warm)
        measures["usd_per_million"] = traffic.million_usd(
            planned.cell.memory_mb, first.billed_ms, measures["warm_billed_ms"]
        )
    return Start(
        planned.round,
        planned.position,
        planned.cell.variant,
        planned.cell.memory_mb,
        {name: round(value, 6) for name, value in measures.items()},
        [round(latency_ms, 3) for latency_ms in latencies[1:]],
        durations,
        {},
    )


def _scenario(request: AwsBenchRequest) -> dict[str, Any]:
    function, price = request.function, request.traffic.price
    return {
        "task": function.name,
        "handler": function.handler,
        "variants": [_variant_document(one, function) for one in request.variants],
        "memory_mb": [function.memory_mb],
        "timeout_ms": function.timeout_s * 1000,
        "event_bytes": len(request.event),
        "cold": request.stop.rounds,
        "warm": request.warm,
        "precision": request.stop.precision,
        "budget_s": request.stop.budget_s,
        "isolation": "AWS Lambda",
        "python": function.runtime.removeprefix("python"),
        "region": price.region,
        "architecture": price.architecture,
        "cold_start_rate": request.traffic.cold_start_rate,
        "prices_as_of": price.as_of,
        "usd_per_gb_second": price.gb_second,
        "usd_per_million_requests": price.million_requests,
    }


def _variant_document(variant: AwsVariant, function: FunctionConfiguration) -> dict[str, Any]:
    """Names of layers and variables; an account's number and values stay out of the record."""
    return {
        "name": variant.name,
        "mode": None,
        "layers": [":".join(arn.split(":")[-2:]) for arn in variant.layers],
        "layers_sha256": "",
        "layers_packed_bytes": 0,
        "layers_unpacked_bytes": 0,
        "task_bytes": 0,
        "wrapper": variant.variables.get("AWS_LAMBDA_EXEC_WRAPPER"),
        "handler": function.handler,
        "variables": sorted(variant.variables),
    }


def _machine(api: LambdaApi, function: FunctionConfiguration) -> dict[str, Any]:
    return {
        "system": "AWS Lambda",
        "kernel": api.region,
        "architecture": function.architecture,
        "cpu_model": function.runtime,
        "cpu_count": round(function.memory_mb / 1769, 2),
        "memory_mb": function.memory_mb,
    }
