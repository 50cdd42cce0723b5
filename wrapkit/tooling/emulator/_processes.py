"""The processes of one execution environment: the runtime's and the extensions'."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from typing import TYPE_CHECKING

from wrapkit.tooling._lazy_timer import LazyTimer

from ._guardian import kill_all
from ._launch import Process, Program
from ._memory import MEGABYTE, MemoryMeter, descendants_of
from ._memory_limit import MemoryLimit
from ._output import Output
from ._usage import ProcessUsage, process_usage
from ._variables import extension_variables, runtime_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wrapkit.lifecycle import Profile

    from ._credentials import Tokens
    from ._function import Function
    from ._launch_problem import LaunchProblem
    from ._sandbox import Sandbox

    OnText = Callable[[str, str, str, "float | None"], None]

RUNTIME = "runtime"
# Peaks between two samples are the kernel's to know. Looking for descendants walks the process
# table (some 4 ms), so not each time.
_SAMPLE_INTERVAL_S = 0.05
_SAMPLES_PER_WALK = 4
# A frozen environment stands still at once, but for what left its group: finding that takes longer
# than many an invocation, and few leave it.
_STRAY_DELAY_S = 0.02


class Processes:
    """Starts, signals and measures the processes; the runtime's name is ``RUNTIME``, an extension's
    its file name.

    ``on_text(kind, text, level, time_ms)`` gets their output, as ``Output`` gives it; ``on_exec``
    and ``on_exit`` are as in ``Process``.
    """

    def __init__(
        self,
        function: Function,
        sandbox: Sandbox,
        *,
        runtime_api: str,
        tokens: Tokens,
        log_stream: str,
        on_text: OnText,
        profile: Profile,
        on_exec: Callable[[Process, LaunchProblem | None], None],
        on_exit: Callable[[Process], None],
    ) -> None:
        self._function, self._sandbox = function, sandbox
        self._variables = runtime_variables(
            function,
            sandbox,
            runtime_api=runtime_api,
            tokens=tokens,
            log_stream=log_stream,
            has_log_descriptor=profile.has_log_descriptor,
        )
        self._extension_variables = extension_variables(self._variables)
        self._on_text, self._on_exec, self._on_exit = on_text, on_exec, on_exit
        self._has_log_descriptor = profile.has_log_descriptor
        limit_bytes = function.memory_mb * MEGABYTE
        self._memory_limit = MemoryLimit(limit_bytes) if profile.has_limits else None
        self._samples = 0
        self._stray_timer = LazyTimer(self._stop_strays)
        self._stopped_strays: list[int] = []
        self._running: dict[str, Process] = {}
        self._outputs: dict[str, Output] = {}
        self._cpu_ns_at_mark: dict[str, int] = {}
        self._sampler = LazyTimer(self._sample_regularly)
        self.memory = MemoryMeter()
        self.statuses: dict[str, str] = {}
        self.killed: list[str] = []

    def start_runtime(self) -> None:
        """Starts the bootstrap, or the command that the function names."""
        command = self._function.command or (f"{self._sandbox.runtime_dir}/bootstrap",)
        self._start(Program(RUNTIME, command, self._variables, self._sandbox.task_root), "function")

    def start_extension(self, name: str) -> None:
        """Starts a file of ``/opt/extensions``, without arguments, as the platform does."""
        path = f"{self._sandbox.opt}/extensions/{name}"
        self._start(Program(name, (path,), self._extension_variables, "/"), "extension")

    def _start(self, program: Program, kind: str) -> None:
        output = Output(functools.partial(self._on_text, kind))
        self._outputs[program.name] = output
        process = Process(
            program,
            self._sandbox,
            output.write_end,
            self._executed,
            self._exited,
            has_log_descriptor=self._has_log_descriptor and program.name == RUNTIME,
        )
        output.close_write_end()
        self._running[program.name] = process
        self._cpu_ns_at_mark[program.name] = 0
        self._start_sampler()

    def _executed(self, process: Process, problem: LaunchProblem | None) -> None:
        if problem is not None:
            self._forget(process)
        self._on_exec(process, problem)

    def _exited(self, process: Process) -> None:
        self._forget(process)
        self.sample_memory(ended_peak_bytes=process.peak_bytes)
        self._on_exit(process)

    def _forget(self, process: Process) -> None:
        self.statuses[process.name] = process.status
        del self._running[process.name]
        self._outputs.pop(process.name).finish()
        if not self._running:
            self._sampler.cancel()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a process and its group; nothing where it is gone."""
        process = self._running.get(name)
        if process is None:
            return
        if number == signal.SIGKILL:
            self.killed.append(name)
        process.signal_group(number)

    def freeze(self) -> None:
        """Stops every process, as the platform does between invocations."""
        self._sampler.cancel()
        for process in self._running.values():
            process.signal_group(signal.SIGSTOP)
        if self._running:
            self._stray_timer.set(_STRAY_DELAY_S)

    def _stop_strays(self) -> None:
        groups = {process.pid for process in self._running.values()}
        for pid in self._sandbox.stray_processes():
            with contextlib.suppress(OSError):
                if os.getpgid(pid) not in groups:
                    os.kill(pid, signal.SIGSTOP)
                    self._stopped_strays.append(pid)

    def thaw(self) -> None:
        """Lets every process go on."""
        self._stray_timer.cancel()
        for pid in self._stopped_strays:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        self._stopped_strays.clear()
        for process in self._running.values():
            process.signal_group(signal.SIGCONT)
        self._start_sampler()

    def limit_cpu(self) -> None:
        """Begins to limit the CPU, where that is asked for."""
        if self._sandbox.control_group is not None:
            self._sandbox.control_group.limit()

    def lift_cpu_limit(self) -> None:
        """Lets the processes have what CPU there is."""
        if self._sandbox.control_group is not None:
            self._sandbox.control_group.lift()

    def drain(self) -> None:
        """Takes what the processes have written so far, so that the log keeps its order."""
        for output in tuple(self._outputs.values()):
            output.drain()

    def cpu_ms(self, name: str) -> float | None:
        """The CPU time of a running process since it was executed."""
        process = self._running.get(name)
        return None if process is None else process.cpu_ns() / 1e6

    def pid(self, name: str) -> int | None:
        """The pid of a running process."""
        process = self._running.get(name)
        return None if process is None else process.pid

    def mark_cpu(self) -> None:
        """Begins an interval of CPU time."""
        self._cpu_ns_at_mark = {name: one.cpu_ns() for name, one in self._running.items()}

    def cpu_ms_since_mark(self) -> Mapping[str, float]:
        """The CPU time of each running process in the interval."""
        return {
            name: (process.cpu_ns() - self._cpu_ns_at_mark.get(name, 0)) / 1e6
            for name, process in self._running.items()
        }

    def usage(self) -> dict[str, ProcessUsage]:
        """What each running process has used so far."""
        return {
            name: process_usage(process)
            for name, process in self._running.items()
            if process.executed
        }

    def sample_memory(self, *, descendants: bool = False, ended_peak_bytes: int = 0) -> None:
        """Takes one sample of Max Memory Used."""
        # Until it executes its program, a child is a copy of the host.
        pids = [process.pid for process in self._running.values() if process.executed]
        self.memory.sample(pids, descendants=descendants, ended_peak_bytes=ended_peak_bytes)

    def _start_sampler(self) -> None:
        if self._running and not self._sampler.is_set:
            self._sampler.set(_SAMPLE_INTERVAL_S)

    def _sample_regularly(self) -> None:
        self._samples += 1
        walks = self._samples % _SAMPLES_PER_WALK == 0
        self.sample_memory(descendants=walks)
        self._enforce_memory_limit(walks=walks)
        self._start_sampler()

    def _enforce_memory_limit(self, *, walks: bool) -> None:
        if self._memory_limit is None:
            return
        trees = {
            name: [process.pid, *(descendants_of(process.pid) if walks else ())]
            for name, process in self._running.items()
            if process.executed
        }
        name = self._memory_limit.exceeded_by(trees)
        if name is not None:
            self.signal(name, signal.SIGKILL)

    def kill_strays(self) -> None:
        """Kills what the processes have left behind, once they are gone themselves."""
        kill_all(self._sandbox.stray_processes)

    def destroy(self) -> None:
        """Kills whatever is left, waits for it, and lets go of the pipes. Calls nobody back."""
        self._sampler.close()
        self._stray_timer.close()
        # By descent, too: one that is just executing its program has no variables to be found by.
        born = [pid for one in self._running.values() for pid in descendants_of(one.pid)]
        for process in self._running.values():
            process.destroy()
        for pid in born:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        self.kill_strays()
        for output in self._outputs.values():
            output.close()
        self._running.clear()
        self._outputs.clear()
