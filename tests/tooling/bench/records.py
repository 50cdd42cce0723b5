"""Starts and records made by hand, and benchmarks simulated with known costs."""

from __future__ import annotations

import random

from wrapkit.tooling.bench import BenchRecord, Start

MACHINE = {
    "system": "Linux",
    "kernel": "6.1",
    "architecture": "x86_64",
    "cpu_model": "a processor",
    "cpu_count": 2,
    "memory_mb": 8000,
}


def start(number, variant, measures, memory_mb=128):
    """A start; numbers by measure, or Init Duration alone."""
    if not isinstance(measures, dict):
        measures = {"init_ms": measures}
    timeline = {
        "init": {
            "duration_ms": measures.get("init_ms", 1.0),
            "processes": {"runtime": {"exec_ms": 1.0, "next_ms": 40.0, "cpu_ms": 30.0}},
        },
        "first": {"duration_ms": 2.0, "response_ms": 1.0, "next_ms": {"runtime": 1.5}},
        "warm": {"duration_ms": 1.0, "response_ms": 0.5, "next_ms": {"runtime": 0.7}},
        "shutdown": {"duration_ms": 4.0, "exited_ms": {"runtime": 3.0}},
    }
    if variant != "bare":
        timeline["init"]["processes"]["wrapkit"] = {
            "exec_ms": 1.0,
            "registered_ms": 12.0,
            "next_ms": 20.0,
        }
        for phase in ("first", "warm"):
            timeline[phase]["next_ms"]["wrapkit"] = 1.9
        timeline["shutdown"]["exited_ms"]["wrapkit"] = 4.0
    return Start(number, 0, variant, memory_mb, measures, [0.5, 0.6], [1.0, 1.1], timeline)


def record(starts, *, machine=(), scenario=(), inspections=(), noise=()):
    """A record of the starts, in which everything else is unremarkable."""
    variants = dict.fromkeys(one.variant for one in starts)
    whole = {
        "task": "noop",
        "handler": "app.handler",
        "variants": [_variant(name) for name in variants],
        "memory_mb": list(dict.fromkeys(one.memory_mb for one in starts)),
        "timeout_ms": 30000,
        "event_bytes": 2,
        "cold": 20,
        "warm": 2,
        "precision": None,
        "budget_s": None,
        "isolation": "namespace",
        "limits_cpu": False,
        "python": "3.12",
        "region": "us-east-1",
        "architecture": "x86_64",
        "cold_start_rate": 0.01,
        "prices_as_of": "2025-10-28",
        "usd_per_gb_second": 0.0000166667,
        "usd_per_million_requests": 0.2,
        **dict(scenario),
    }
    return BenchRecord(
        started="2026-01-01T00:00:00+00:00",
        stopped="rounds",
        versions={"wrapkit": "1", "python": "3.12", "awslambdaric": "3.0"},
        scenario=whole,
        machine={**MACHINE, **dict(machine)},
        noise={"level": "quiet", "reasons": [], **dict(noise)},
        inspections={
            name: {"measures": {}, "problems": {}, **dict(inspections).get(name, {})}
            for name in variants
        },
        starts=starts,
    )


def _variant(name):
    return {
        "name": name,
        "mode": None if name == "bare" else name,
        "layers": [],
        "layers_sha256": "",
        "layers_packed_bytes": 0,
        "layers_unpacked_bytes": 0,
        "task_bytes": 100,
        "wrapper": None,
        "handler": "app.handler",
        "variables": [],
    }


def simulated(seed, rounds, added_ms, *, noise=0.08, variants=("bare", "again")):
    """A machine as they are: log-normal times, a drift, and now and then a start that takes double.

    The second variant takes `added_ms` longer than the first.
    """
    generator = random.Random(seed)
    starts = []
    for number in range(rounds):
        mood = 1 + 0.1 * number / rounds + generator.gauss(0, noise / 2)
        for variant in variants:
            init_ms = 80 * mood * generator.lognormvariate(0, noise)
            if generator.random() < 0.05:
                init_ms *= 2
            init_ms += added_ms if variant != variants[0] else 0
            starts.append(start(number, variant, init_ms))
    return record(starts)
