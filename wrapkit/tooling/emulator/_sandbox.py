"""The file system that the function sees: a private mount namespace, or folders where the kernel
refuses one.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import shlex
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from wrapkit.tooling._errors import DiagnosticError

from . import _namespace
from ._guardian import (
    Guardian,
    in_mount_namespace,
    kill_all,
    wait_for_end,
    with_variable_about,
)
from ._layers import check_layer, find_extensions, merge_layers
from ._namespace import Namespace, Picture, report_build

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._control_group import ControlGroup
    from ._function import Function
    from ._interpreter import Interpreter

Isolation = Literal["auto", "namespace", "none"]
_EXEC_S = 0.2
# What stands in for the files of /var/runtime.
_STAND_IN = Path(__file__).with_name("_stand_in")
logger = logging.getLogger("wrapkit.emulator")


class Sandbox:
    """The places of one execution environment, as its processes see them.

    ``extensions`` holds the file names in ``/opt/extensions``. The two kinds differ in where the
    places are.
    """

    isolation: str
    opt: str
    task_root: str
    runtime_dir: str
    lang: str
    tmp: str
    extensions: tuple[str, ...] = ()
    control_group: ControlGroup | None = None

    def enter(self) -> None:
        """Called in a forked child, before it executes its program."""

    def stray_processes(self) -> Iterable[int]:
        """The pids of processes of the sandbox, those included that left their process group."""
        raise NotImplementedError

    def close(self) -> None:
        """Removes the sandbox."""
        raise NotImplementedError

    def runtime_files(self, interpreter: Interpreter) -> dict[str, str]:
        """The stand-ins for the files of ``/var/runtime``, with their placeholders set."""
        bootstrap = (_STAND_IN / "bootstrap").read_text()
        script = (_STAND_IN / "bootstrap.py").read_text()
        for name, value in (
            ("__EXECUTION_ENVIRONMENT__", interpreter.execution_environment),
            ("__INTERPRETER__", f"{self.lang}/bin/{interpreter.name}"),
            ("__RUNTIME_DIR__", self.runtime_dir),
        ):
            bootstrap = bootstrap.replace(name, shlex.quote(value))
        for name, value in (("__OPT__", self.opt), ("__LANG__", self.lang)):
            script = script.replace(f'"{name}"', repr(value))
        return {"bootstrap": bootstrap, "bootstrap.py": script}


class NamespaceSandbox(Sandbox):
    """The sandbox on Lambda's own paths, in a mount namespace."""

    isolation = "namespace"
    opt, task_root = _namespace.OPT, _namespace.TASK_ROOT
    runtime_dir, lang, tmp = _namespace.RUNTIME_DIR, _namespace.LANG, _namespace.TMP

    def __init__(self) -> None:
        self._guardian: Guardian | None = None
        self._namespace: Namespace | None = None

    async def build(self, function: Function, interpreter: Interpreter) -> None:
        """Builds the namespace, in a child process that stays as its guardian; raises
        ``DiagnosticError`` where that is refused.
        """
        picture = Picture(
            task_root=function.task_root.resolve(),
            layers=tuple(layer.resolve() for layer in function.layers),
            lang=interpreter.prefix,
            base_prefix=interpreter.base_prefix,
            runtime_files=self.runtime_files(interpreter),
            tmp_mb=function.ephemeral_storage_mb,
        )
        answer_read, answer_write = os.pipe()
        self._guardian = Guardian(report_build(picture, answer_write), keep=(answer_write,))
        os.close(answer_write)
        try:
            document = json.loads(await _read_line(answer_read) or '{"error":"the builder died"}')
            self._check(document)
            self.extensions = tuple(document["extensions"])
            self._namespace = Namespace(self._guardian.pid)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(answer_read)

    @staticmethod
    def _check(document: dict[str, Any]) -> None:
        if "refusal" in document:
            raise DiagnosticError(*document["refusal"])
        if "error" in document:
            raise DiagnosticError(
                _namespace.REFUSED,
                f"the kernel refuses a private mount namespace: {document['error']}",
                "run as root, allow user namespaces, or choose the isolation none",
            )

    def enter(self) -> None:
        if self._namespace is not None:
            self._namespace.enter()

    def stray_processes(self) -> Iterable[int]:
        if self._namespace is None or self._guardian is None:
            return
        for pid in in_mount_namespace(self._namespace.identity):
            if pid != self._guardian.pid:
                yield pid

    def close(self) -> None:
        if self._guardian is not None:
            self._guardian.close()
            self._guardian = None
        if self._namespace is not None:
            self._namespace.close()
            self._namespace = None


class FolderSandbox(Sandbox):
    """The sandbox as folders below a temporary one; the variables that the processes get point
    there.
    """

    isolation = "none"

    def __init__(self, function: Function, interpreter: Interpreter) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="wrapkit-"))
        self._guardian: Guardian | None = None
        try:
            self._guardian = Guardian(self._guard)
            self._fill(function, interpreter)
        except BaseException:
            self.close()
            raise

    def _fill(self, function: Function, interpreter: Interpreter) -> None:
        for name in ("opt", "runtime", "tmp"):
            (self._folder / name).mkdir()
        self.task_root = str(function.task_root.resolve())
        self.runtime_dir = str(self._folder / "runtime")
        self.lang = str(interpreter.prefix)
        self.tmp = str(self._folder / "tmp")
        self.opt = str(self._folder / "opt")
        if len(function.layers) == 1 and function.layers[0].is_dir():
            self.opt = str(function.layers[0].resolve())
        else:
            merge_layers(function.layers, self.opt)
        for name, text in self.runtime_files(interpreter).items():
            path = Path(self.runtime_dir, name)
            path.write_text(text)
            path.chmod(0o755)
        self.extensions = find_extensions(self.opt)

    def _guard(self, end_of_host: int) -> None:
        wait_for_end(end_of_host)
        kill_all(self.stray_processes)
        shutil.rmtree(self._folder, ignore_errors=True)
        # One that was just executing its program had no variables to be found by.
        time.sleep(_EXEC_S)
        kill_all(self.stray_processes)

    def stray_processes(self) -> Iterable[int]:
        return with_variable_about(str(self._folder))

    def close(self) -> None:
        if self._guardian is not None:
            self._guardian.close()
        shutil.rmtree(self._folder, ignore_errors=True)


async def create_sandbox(
    function: Function, interpreter: Interpreter, isolation: Isolation
) -> Sandbox:
    """The sandbox of the asked kind; ``auto`` falls back to folders, with one line that says so."""
    for layer in function.layers:
        check_layer(layer)
    if isolation != "none":
        sandbox = NamespaceSandbox()
        try:
            await sandbox.build(function, interpreter)
        except DiagnosticError as refusal:
            if isolation == "namespace" or refusal.reference != _namespace.REFUSED:
                raise
            logger.warning(
                "%s; going on without one: /opt and /var/task are folders of this machine",
                refusal.message,
            )
        else:
            return sandbox
    return FolderSandbox(function, interpreter)


async def _read_line(descriptor: int) -> bytes:
    """Reads until the end of a line, or of the stream."""
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)
    data = b""
    while not data.endswith(b"\n"):
        readable = loop.create_future()
        loop.add_reader(descriptor, readable.set_result, None)
        try:
            await readable
        finally:
            loop.remove_reader(descriptor)
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        data += piece
    return data
