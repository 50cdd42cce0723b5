"""The execution environment for code that does not await: tests, above all."""

from __future__ import annotations

import asyncio
import json
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import TYPE_CHECKING, Any, TypeVar

from ._clock import Clock, ManualClock
from ._environment import ExecutionEnvironment
from ._parties import PlayedExtension, PlayedRuntime

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from ._function import Function
    from ._invocation import Invocation
    from ._records import Record
    from ._results import Answer, InitResult, InvocationResult, ShutdownResult
    from ._sandbox import Isolation

T = TypeVar("T")


class SentInvocation:
    """An invocation that goes on: ``answer()`` waits as its caller does, ``result()`` for all."""

    def __init__(self, environment: LambdaEnvironment, invocation: Invocation) -> None:
        self._environment, self._invocation = environment, invocation

    def answer(self) -> Answer:
        """What the caller gets."""
        return self._environment._wait_for(self._invocation.answered)

    def result(self) -> InvocationResult:
        """The whole of it, once it is over for the extensions, too."""
        self._environment._wait_for(self._invocation.ended)
        return self._invocation.result()


class LambdaEnvironment:
    """``ExecutionEnvironment`` with calls that block, its event loop in a thread of its own.

    A context manager; ``close`` kills what still runs. No call waits for longer than ``limit_s``,
    then ``TimeoutError`` is raised.

    Args:
        function: what to run.
        played: names of external extensions that the caller plays, and the runtime with them: no
            process is started, Init begins at once, and the parties are ``extension(name)`` and
            ``runtime()``, or any client of ``runtime_api``.
        clock: the time; a ``ManualClock`` only where all is played, since processes have their own.
        isolation: as in ``ExecutionEnvironment``.
        limit_s: how long a call may take, in seconds of this machine.

    Attributes:
        log: the lines of the log so far, as CloudWatch shows them.
        records: the records of the Telemetry API so far.
    """

    def __init__(
        self,
        function: Function,
        *,
        played: Sequence[str] | None = None,
        clock: Clock | None = None,
        isolation: Isolation = "auto",
        limit_s: float = 60.0,
    ) -> None:
        if isinstance(clock, ManualClock) and played is None:
            raise ValueError("a manual clock needs played=[...]: processes have their own time")
        self.log: list[str] = []
        self.records: list[Record] = []
        self._clock, self._limit_s, self._played = clock, limit_s, played
        self._parties: list[PlayedExtension | PlayedRuntime] = []
        self._environment = ExecutionEnvironment(
            function,
            on_log_line=self.log.append,
            on_record=self.records.append,
            isolation=isolation,
            clock=clock,
            played=played,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lambda", daemon=True)
        self._thread.start()
        try:
            self._run(self._environment.__aenter__())
            if played is not None:
                self._call(self._environment.begin_init)
        except BaseException:
            self._stop()
            raise

    def __enter__(self) -> LambdaEnvironment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(self._limit_s)
        except FutureTimeoutError as error:  # the built-in one since Python 3.11 only
            future.cancel()
            raise TimeoutError(f"it took longer than {self._limit_s:g} s") from error

    def _call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Calls a function in the loop's thread."""
        done: Future[T] = Future()

        def call() -> None:
            try:
                done.set_result(function(*arguments))
            except BaseException as error:  # noqa: BLE001 - raised where it was called from
                done.set_exception(error)

        self._loop.call_soon_threadsafe(call)
        return done.result(self._limit_s)

    def _wait_for(self, future: asyncio.Future[T]) -> T:
        async def wait() -> T:
            return await asyncio.shield(future)

        return self._run(wait())

    @property
    def runtime_api(self) -> str:
        """The address of the APIs, as in ``AWS_LAMBDA_RUNTIME_API``."""
        return self._environment.runtime_api

    @property
    def function(self) -> Function:
        """What is run."""
        return self._environment.function

    def init(self) -> InitResult:
        """Runs, or waits for, the Init phase; a failure is a result."""
        return self._run(self._environment.init())

    def invoke(self, event: object = None, **options: Any) -> InvocationResult:
        """Invokes the function, and waits until that is over for the extensions, too.

        ``event`` is bytes as they are, anything that is JSON, or None for ``{}``; ``options`` as in
        ``ExecutionEnvironment.send``. The first invocation of an environment without Init
        initialises.
        """
        return self.send(event, **options).result()

    def send(self, event: object = None, **options: Any) -> SentInvocation:
        """Begins an invocation, without waiting."""
        payload = event if isinstance(event, bytes) else json.dumps(event).encode()
        if event is None:
            payload = b"{}"
        return SentInvocation(self, self._call(lambda: self._environment.send(payload, **options)))

    def shutdown(self, reason: str = "spindown") -> ShutdownResult:
        """Runs the Shutdown phase."""
        return self._run(self._environment.shutdown(reason))

    def begin_shutdown(self, reason: str = "spindown") -> None:
        """Begins the Shutdown phase, without waiting; ``shutdown`` waits for its end."""
        self._call(self._environment.begin_shutdown, reason)

    # Where all is played

    def runtime(self) -> PlayedRuntime:
        """The runtime for the caller to play."""
        runtime = PlayedRuntime(self.runtime_api)
        self._parties.append(runtime)
        return runtime

    def extension(self, name: str) -> PlayedExtension:
        """An extension for the caller to play; an internal one where ``played`` lacks the name."""
        extension = PlayedExtension(self.runtime_api, name)
        self._parties.append(extension)
        return extension

    def exit(self, name: str, status: str = "exit status 0") -> None:
        """A played extension, or ``runtime``, ends."""
        self._call(self._environment.exit, name, status)

    def advance(self, by_ms: float) -> None:
        """Moves the manual clock on, and lets happen what falls due."""
        if not isinstance(self._clock, ManualClock):
            raise TypeError("only a ManualClock can be moved on")
        self._call(self._clock.advance, by_ms)

    def close(self) -> None:
        """Kills what still runs, and leaves nothing behind; again, it does nothing."""
        if self._loop.is_closed():
            return
        for party in self._parties:
            party.close()
        self._run(self._environment.__aexit__(None, None, None))
        self._stop()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(self._limit_s)
        self._loop.close()
