"""One process of the sandbox: started, watched and ended by the host, nothing in between."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import struct
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._counters import ProcessCounters
from ._fork import fork_child
from ._kernel import die_with_parent
from ._launch_problem import LaunchProblem, explain_launch_error
from ._output import LOG_DESCRIPTOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ._sandbox import Sandbox

# What the child has used before it executes its program, as a copy of the host: CPU time in
# nanoseconds, and its peak of resident memory in KiB.
_USED = struct.Struct("=qq")
_USED_MARK = b"U"
# Between the child's report and the exec it grows by some pages.
_PEAK_SLACK_KB = 1024


@dataclass(frozen=True)
class Program:
    """What to execute in the sandbox."""

    name: str
    arguments: Sequence[str]
    variables: Mapping[str, str]
    folder: str


class Process:
    """A process of the sandbox, leader of its own process group.

    ``output`` is what its standard output and error, and its log descriptor where it has one, write
    to. ``on_exec(problem)`` is called once the program runs, or could not be executed (then with a
    ``LaunchProblem``, and without a later ``on_exit``); ``on_exit(process)`` once it is gone, after
    its group has been killed, and ``status`` and (where it is known) ``peak_bytes`` are set.
    """

    def __init__(
        self,
        program: Program,
        sandbox: Sandbox,
        output: int,
        on_exec: Callable[[Process, LaunchProblem | None], None],
        on_exit: Callable[[Process], None],
        *,
        has_log_descriptor: bool = False,
    ) -> None:
        self.name = program.name
        self.status = ""
        self._on_exec, self._on_exit = on_exec, on_exit
        self._loop = asyncio.get_running_loop()
        self._cpu_before_exec_ns = 0
        self._peak_before_exec_kb = 0
        self._final_cpu_ns: int | None = None
        self.peak_bytes = 0
        self.executed = False
        self._report, report = os.pipe()
        parent = os.getpid()
        ends = (1, 2, LOG_DESCRIPTOR) if has_log_descriptor else (1, 2)
        self.pid = fork_child(lambda: _execute(program, sandbox, parent, (output, ends), report))
        os.close(report)
        with contextlib.suppress(OSError):  # the child does it too; whoever comes first
            os.setpgid(self.pid, self.pid)
        try:
            self._pidfd = os.pidfd_open(self.pid)
        except OSError:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            os.close(self._report)
            raise
        self.counters = ProcessCounters(self.pid)
        os.set_blocking(self._report, False)
        self._loop.add_reader(self._report, self._read_report)

    @property
    def running(self) -> bool:
        """Whether the process has not been waited for yet."""
        return self._final_cpu_ns is None

    def cpu_ns(self) -> int:
        """The CPU time since the program was executed, ended threads included."""
        if self._final_cpu_ns is not None:
            return self._final_cpu_ns
        # The clock of another process: see clock_getcpuclockid(3). /proc/PID/task/*/schedstat
        # forgets ended threads.
        return time.clock_gettime_ns((~self.pid << 3) | 2) - self._cpu_before_exec_ns

    def signal_group(self, number: signal.Signals) -> None:
        """Sends a signal to the process group; one that is gone is left alone."""
        if self.running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def _read_report(self) -> None:
        try:
            data = os.read(self._report, 4096)
        except BlockingIOError:
            return
        if data.startswith(_USED_MARK):
            self._cpu_before_exec_ns, self._peak_before_exec_kb = _USED.unpack_from(data, 1)
            data = data[1 + _USED.size :]
            if not data:
                return  # the pipe closes on exec: the end of file says that the program runs
        self._close_report()
        problem = None
        if data:
            problem = LaunchProblem(**json.loads(data))
            self._reap()
        else:
            self.executed = True
            self.counters.enable()
            self._loop.add_reader(self._pidfd, self._exited)
        self._on_exec(self, problem)

    def _exited(self) -> None:
        # The leader is not yet waited for, so that its number, the group's, cannot have been given
        # to another.
        self.signal_group(signal.SIGKILL)
        self._reap()
        self._on_exit(self)

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        final_cpu_ns = self.cpu_ns()
        _, status, usage = os.wait4(self.pid, 0)
        # The kernel's peak covers the copy of the host, too: one below that says nothing.
        if usage.ru_maxrss > self._peak_before_exec_kb + _PEAK_SLACK_KB:
            self.peak_bytes = usage.ru_maxrss * 1024
        self._final_cpu_ns = final_cpu_ns
        self.status = _describe(status)
        os.close(self._pidfd)
        self.counters.close()

    def _close_report(self) -> None:
        if self._report >= 0:
            self._loop.remove_reader(self._report)
            os.close(self._report)
            self._report = -1

    def destroy(self) -> None:
        """Kills the group and waits for it, without calling back; for the end of the host."""
        self._close_report()
        if self.running:
            self.signal_group(signal.SIGKILL)
            self._reap()


def _describe(wait_status: int) -> str:
    """In the words of the platform: ``exit status 1``, ``signal: killed``."""
    code = os.waitstatus_to_exitcode(wait_status)
    if code >= 0:
        return f"exit status {code}"
    return f"signal: {(signal.strsignal(-code) or str(-code)).lower()}"


def _execute(
    program: Program,
    sandbox: Sandbox,
    parent: int,
    output: tuple[int, tuple[int, ...]],
    report: int,
) -> None:
    """What the child does: enters the sandbox and executes the program, or reports why not."""
    try:
        write_end, places = output
        if report in places:
            report = os.dup(report)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for place in places:
            os.dup2(write_end, place)
            os.set_inheritable(place, True)  # also where the two are the same
        if sandbox.control_group is not None:
            sandbox.control_group.enter()
        sandbox.enter()
        os.chdir(program.folder)
        die_with_parent()
        if os.getppid() != parent:
            return  # the host has ended before we asked to end with it
        peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.write(report, _USED_MARK + _USED.pack(time.process_time_ns(), peak_kb))
        os.execvpe(program.arguments[0], list(program.arguments), dict(program.variables))  # noqa: S606
    except (OSError, ValueError) as error:  # ValueError: a variable that execve cannot take
        problem = explain_launch_error(program.arguments[0], error)
        os.write(report, json.dumps({"reason": problem.reason, "hint": problem.hint}).encode())
