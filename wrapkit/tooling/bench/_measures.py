"""Every quantity that is measured: its name, its unit, and what it means.

docs/reference/bench-measures.md is made of this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["start", "inspection"]


@dataclass(frozen=True)
class Measure:
    """One quantity.

    ``platform_name`` is AWS's name for it, where there is one; ``by_process`` says whether it is
    measured of each process as well, or (``only``) of nothing else. ``source`` says whether every
    cold start gives a value, or the one inspection of the variant. Of what is no cost
    (``is_cost``), more is not worse.
    """

    name: str
    title: str
    unit: str
    definition: str
    platform_name: str = ""
    by_process: Literal["", "also", "only"] = ""
    is_headline: bool = False
    source: Source = "start"
    is_cost: bool = True


MEASURES = (
    Measure(
        "init_ms",
        "Init Duration",
        "ms",
        "From the begin of Init until the runtime and every extension have called `next`.",
        "Init Duration",
        is_headline=True,
    ),
    Measure(
        "init_environment_ms",
        "Init, environment",
        "ms",
        "From the begin of Init until the first process, an extension if there is one, executes.",
    ),
    Measure(
        "register_ms",
        "Init, register",
        "ms",
        "An extension, from its exec until it has registered. The runtime starts after the last.",
        by_process="only",
    ),
    Measure(
        "ready_ms",
        "Init, ready",
        "ms",
        "An extension, from its exec until its first `next`.",
        by_process="only",
        is_headline=True,
    ),
    Measure(
        "init_runtime_ms",
        "Init, runtime",
        "ms",
        "The runtime's process from its exec, wrapper script included, until its first `next`: the "
        "interpreter, the runtime client, what the wrapper adds, and the function's own code.",
    ),
    Measure(
        "init_function_ms",
        "Init, function",
        "ms",
        "The function's own part of it: the import of the handler's module, with all that it "
        "imports and the runtime client does not, as the interpreter times it without any layer. "
        "Python only.",
        source="inspection",
    ),
    Measure(
        "init_cpu_ms",
        "Init, CPU",
        "ms",
        "User and system time of a process and all that it started, from its exec until Init is "
        "over; without a process's name, the sum over all of them.",
        by_process="also",
        is_headline=True,
    ),
    Measure(
        "init_instructions",
        "Init, instructions",
        "",
        "Instructions retired in Init, as the kernel's hardware counter has them; absent where "
        "there is none, as in most virtual machines.",
        by_process="also",
    ),
    Measure(
        "first_response_ms",
        "First, response",
        "ms",
        "First invocation: from the caller's request until it has the response. Init is not in it.",
        is_headline=True,
    ),
    Measure(
        "first_duration_ms",
        "First, Duration",
        "ms",
        "First invocation: as in the REPORT line, until the runtime and all extensions are done.",
        "Duration",
        is_headline=True,
    ),
    Measure(
        "first_post_runtime_extensions_ms",
        "First, PostRuntimeExt.",
        "ms",
        "First invocation: from the runtime's `next` until the last extension's.",
        "PostRuntimeExtensionsDuration",
    ),
    Measure(
        "first_billed_ms",
        "First, Billed Duration",
        "ms",
        "First invocation: Duration and Init Duration together, rounded up, as billed since August "
        "2025.",
        "Billed Duration",
        is_headline=True,
    ),
    Measure(
        "first_cpu_ms",
        "First, CPU",
        "ms",
        "CPU time of the first invocation, of a process or of all.",
        by_process="also",
    ),
    Measure(
        "first_instructions",
        "First, instructions",
        "",
        "Instructions of the first invocation, of a process or of all.",
        by_process="also",
    ),
    *(
        Measure(
            f"warm_response{suffix}_ms",
            f"Warm, response {share}",
            "ms",
            f"Response latency of the warm invocations of a start, {words}.",
            is_headline=suffix != "_p90",
        )
        for suffix, share, words in (
            ("", "p50", "the median"),
            ("_p90", "p90", "the 90th percentile"),
            ("_p99", "p99", "the 99th percentile"),
        )
    ),
    *(
        Measure(
            f"warm_duration{suffix}_ms",
            f"Warm, Duration {share}",
            "ms",
            f"Duration of the warm invocations of a start, {words}.",
            "Duration",
            is_headline=not suffix,
        )
        for suffix, share, words in (
            ("", "p50", "the median"),
            ("_p90", "p90", "the 90th percentile"),
            ("_p99", "p99", "the 99th percentile"),
        )
    ),
    *(
        Measure(
            f"caller_{invocation}_ms",
            f"{invocation.capitalize()}, caller",
            "ms",
            "On AWS: from this machine's request until it has the response, the network included.",
        )
        for invocation in ("first", "warm")
    ),
    Measure(
        "warm_post_runtime_extensions_ms",
        "Warm, PostRuntimeExt.",
        "ms",
        "From the runtime's `next` until the last extension's, the median of the warm invocations.",
        "PostRuntimeExtensionsDuration",
        is_headline=True,
    ),
    Measure(
        "warm_billed_ms",
        "Warm, Billed Duration",
        "ms",
        "Duration rounded up, the mean of the warm invocations: a bill is a sum.",
        "Billed Duration",
        is_headline=True,
    ),
    Measure(
        "warm_cpu_ms",
        "Warm, CPU",
        "ms",
        "CPU time of a process, or of all, between the first invocation and the last, by "
        "invocation: what is done while nobody waits is in it.",
        by_process="also",
        is_headline=True,
    ),
    Measure(
        "warm_instructions",
        "Warm, instructions",
        "",
        "Instructions by warm invocation, as with CPU time.",
        by_process="also",
    ),
    Measure(
        "max_memory_used_mb",
        "Max Memory Used",
        "MB",
        "The most resident memory of all processes together, in whole megabytes.",
        "Max Memory Used",
        is_headline=True,
    ),
    Measure(
        "max_resident_mb",
        "Memory, resident peak",
        "MB",
        "The peak of a process's resident memory; pages that processes share are in each of them.",
        by_process="only",
    ),
    Measure(
        "proportional_mb",
        "Memory, proportional",
        "MB",
        "A process's memory after the last invocation; each shared page is divided by its sharers.",
        by_process="only",
    ),
    Measure(
        "modules_imported",
        "Modules imported",
        "",
        "Python modules that the function's process imports in Init and the first invocation, the "
        "interpreters that a wrapper script starts included, as far as an `import` statement names "
        "them. Python only.",
        source="inspection",
        is_headline=True,
    ),
    Measure(
        "files_opened",
        "Files opened",
        "",
        "Files that the processes open in Init and the first invocation, each once for each "
        "process, on the file systems of the task, the layers and the interpreter. Root only.",
        source="inspection",
        is_headline=True,
    ),
    Measure(
        "layers_packed_mb",
        "Layers, packed",
        "MB",
        "The layers' zip archives.",
        source="inspection",
    ),
    Measure(
        "layers_unpacked_mb",
        "Layers, unpacked",
        "MB",
        "The layers' files in /opt.",
        source="inspection",
        is_headline=True,
    ),
    Measure(
        "deployment_unpacked_mb",
        "Deployment, unpacked",
        "MB",
        "The function's code and all layers together, of which Lambda allows 250 MB.",
        source="inspection",
    ),
    Measure(
        "spans",
        "Spans delivered",
        "",
        "Spans that the backend has received.",
        is_headline=True,
        is_cost=False,
    ),
    Measure(
        "duplicate_spans",
        "Spans delivered twice",
        "",
        "Spans that came more than once.",
        is_cost=False,
    ),
    Measure(
        "log_records", "Log records delivered", "", "OTLP log records received.", is_cost=False
    ),
    Measure("metrics", "Metrics delivered", "", "OTLP metrics received.", is_cost=False),
    Measure(
        "exports", "Exports", "", "Export requests that the backend has accepted.", is_cost=False
    ),
    Measure(
        "export_bytes",
        "Exports, bytes",
        "B",
        "What the bodies of the exports have on the wire.",
        is_cost=False,
    ),
    Measure(
        "shutdown_ms", "Shutdown", "ms", "From the begin of Shutdown until all processes are gone."
    ),
    Measure(
        "usd_per_million",
        "Cost of a million",
        "USD",
        "A million invocations at the given share of cold starts, region and architecture: "
        "requests and billed GB-seconds, by the dated price list of wrapkit.",
        is_headline=True,
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


def measure_of(key: str) -> Measure | None:
    """The measure that a key of `Start.measures` is of: `init_ms`, or `PROCESS.init_cpu_ms`."""
    process, _, name = key.rpartition(".")
    measure = BY_NAME.get(name)
    if measure is None or (process and not measure.by_process):
        return None
    return None if not process and measure.by_process == "only" else measure
