"""What one cold start of a variant tells that would spoil its times: modules and files.

The interpreter reports each import (`PYTHONPROFILEIMPORTTIME`) wherever a wrapper script leads, and
the kernel each file that is opened; so these come from starts of their own.
"""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..emulator import ExecutionEnvironment
from ..sink import OtlpSink
from ._deployment import WRAPPER_VARIABLE
from ._opened_files import OpenedFiles
from ._start import BYTES_PER_MB
from ._variant import BARE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..emulator import Function, Record
    from ._deployment import Deployment
    from ._measuring import BenchRequest

# "import time:   self [us] | cumulative | imported package", with two spaces a level.
_IMPORT = re.compile(r"import time:\s+\d+ \|\s+(\d+) \|\s+(\S+)")
_IMPORT_HANDLER = """\
import os, sys
sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], "/opt/python"]
try:
    import awslambdaric.bootstrap
except ImportError:
    pass
import {module}
"""
_WRAPPER = """\
#!/bin/sh
exec "$1" -X importtime "${0%/*}/import_handler.py"
"""
VARIABLE = "PYTHONPROFILEIMPORTTIME"
LIMIT_BYTES = 250 * BYTES_PER_MB


@dataclass(frozen=True)
class Inspection:
    """The constants of a variant; a measure that could not be had is in `problems`, with why."""

    measures: Mapping[str, float]
    problems: Mapping[str, str]

    def as_document(self) -> dict[str, Any]:
        return {"measures": dict(self.measures), "problems": dict(self.problems)}


async def inspect(request: BenchRequest, deployment: Deployment) -> Inspection:
    """Runs one cold start and one invocation of the variant, without timing it."""
    function = deployment.function
    async with OtlpSink(decode_on_arrival=False) as sink:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink.endpoint,
            **function.environment,
            VARIABLE: "1",
        }
        function = replace(function, environment=variables)
        places = (function.task_root, *function.layers, Path(sys.base_prefix), function.python)
        with OpenedFiles(places) as opened:
            seen = await _run(request, function, invokes=True)
    function_lines: list[str] = []
    if deployment.variant.name == BARE or deployment.variant.task_root:
        # A layer does not change what the function itself imports.
        with _only_import(deployment.function) as function:
            function_lines = (await _run(request, function, invokes=False)).lines
    return _inspection(deployment, seen, function_lines, opened)


@contextmanager
def _only_import(function: Function) -> Iterator[Function]:
    """Imports the handler's module as the bare runtime would, and ends.

    The interpreter reports `import` statements only; the runtime client calls `import_module`. The
    exec wrapper is told where the sandbox has the interpreter.
    """
    with TemporaryDirectory(prefix="wrapkit-import-") as name:
        layer = Path(name)
        layer.chmod(0o755)
        (layer / "import_handler.py").write_text(_IMPORT_HANDLER.format(module=_module(function)))
        wrapper = layer / "import-handler"
        wrapper.write_text(_WRAPPER)
        wrapper.chmod(0o755)
        variables = {**function.environment, WRAPPER_VARIABLE: f"/opt/{wrapper.name}"}
        yield replace(function, layers=(layer,), environment=variables)


def _module(function: Function) -> str:
    return function.handler.rpartition(".")[0].replace("/", ".")


@dataclass(frozen=True)
class _Seen:
    """What the function's process wrote, and whether the kernel counts instructions."""

    lines: list[str]
    counts_instructions: bool


async def _run(request: BenchRequest, function: Function, *, invokes: bool) -> _Seen:
    lines: list[str] = []

    def on_record(record: Record) -> None:
        if record.type == "function" and isinstance(record.record, str):
            lines.append(record.record)

    async with ExecutionEnvironment(
        function, on_record=on_record, isolation=request.isolation
    ) as environment:
        await environment.init()
        usage = environment.usage().values()
        counts_instructions = any(used.instructions is not None for used in usage)
        if invokes:
            await environment.invoke(request.event)
    return _Seen(lines, counts_instructions)


def _inspection(
    deployment: Deployment, seen: _Seen, function_lines: list[str], opened: OpenedFiles
) -> Inspection:
    imports = list(_imports(seen.lines))
    unpacked = deployment.unpacked_bytes + deployment.task_bytes
    measures: dict[str, float] = {
        "layers_packed_mb": deployment.packed_bytes / BYTES_PER_MB,
        "layers_unpacked_mb": deployment.unpacked_bytes / BYTES_PER_MB,
        "deployment_unpacked_mb": unpacked / BYTES_PER_MB,
    }
    problems = {}
    if unpacked > LIMIT_BYTES:
        problems["deployment_unpacked_mb"] = "Lambda allows 250 MB"
    if imports:
        measures["modules_imported"] = len(imports)
    else:
        problems["modules_imported"] = "the runtime is not Python, or does not read " + VARIABLE
    module = _module(deployment.function)
    times = [ms for name, ms in _imports(function_lines) if name == module]
    if times:
        measures["init_function_ms"] = times[0]
    if not seen.counts_instructions:
        problems["init_instructions"] = "this machine's kernel has no counter for them"
    if opened.count is not None:
        measures["files_opened"] = opened.count
    if opened.problem:
        problems["files_opened"] = opened.problem
    return Inspection({name: round(value, 6) for name, value in measures.items()}, problems)


def _imports(lines: list[str]) -> Iterator[tuple[str, float]]:
    """Each import as a module's name and its milliseconds, those of its own imports included."""
    for line in lines:
        for match in _IMPORT.finditer(line):
            yield match[2], int(match[1]) / 1000
