"""An environment without processes: a test plays the parties, and says when they end."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _namespace
from ._processes import Processes
from ._sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class PlayedSandbox(Sandbox):
    """No sandbox: the extensions that a test plays, and the places that processes would see."""

    isolation = "none"
    opt, task_root = _namespace.OPT, _namespace.TASK_ROOT
    runtime_dir, lang, tmp = _namespace.RUNTIME_DIR, _namespace.LANG, _namespace.TMP

    def __init__(self, extensions: Sequence[str]) -> None:
        self.extensions = tuple(extensions)

    def stray_processes(self) -> tuple[int, ...]:
        return ()

    def close(self) -> None:
        """There is nothing to remove."""


@dataclass
class _PlayedProcess:
    name: str
    status: str = ""


class PlayedProcesses(Processes):
    """Says that it has started what the platform would start; a signal that ends a process ends
    what is played at once.
    """

    def __init__(
        self,
        *arguments: Any,
        on_exec: Callable[[Any, Any], None],
        on_exit: Callable[[Any], None],
        **others: Any,
    ) -> None:
        super().__init__(*arguments, on_exec=on_exec, on_exit=on_exit, **others)
        self._tell_of_exec, self._tell_of_exit = on_exec, on_exit
        self._played: dict[str, _PlayedProcess] = {}

    def start_runtime(self) -> None:
        self._play("runtime")

    def start_extension(self, name: str) -> None:
        self._play(name)

    def _play(self, name: str) -> None:
        process = self._played[name] = _PlayedProcess(name)
        # As with a process, that it runs is heard of later.
        asyncio.get_running_loop().call_soon(self._tell_of_exec, process, None)

    def signal(self, name: str, number: signal.Signals) -> None:
        if number == signal.SIGKILL and name in self._played:
            self.killed.append(name)
        if number in (signal.SIGKILL, signal.SIGTERM):
            text = (signal.strsignal(number) or "").lower()
            asyncio.get_running_loop().call_soon(self.exit, name, f"signal: {text}")

    def exit(self, name: str, status: str) -> None:
        """A played process ends; nothing where it does not run."""
        process = self._played.pop(name, None)
        if process is not None:
            process.status = self.statuses[name] = status
            self._tell_of_exit(process)
