"""The execution environments of one function: as many as are needed at once, up to its limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from ..emulator import ExecutionEnvironment
from ._observer import Place, ServiceObserver
from ._refusal import throttled

if TYPE_CHECKING:
    from ..emulator import Invocation, Isolation
    from ._request import InvokeRequest
    from ._served_function import ServedFunction

# On loopback a caller's next request is here before the runtime has called ``next``, which no
# network to Lambda would let happen. Instead of a cold start, or a refusal, for each it waits as
# long as such a network might take.
_ALMOST_IDLE_S = 0.1


class _Member:
    """One environment of the pool, and how long it has been idle."""

    def __init__(
        self, served: ServedFunction, place: Place, observer: ServiceObserver, isolation: Isolation
    ) -> None:
        self.place = place
        self._observer = observer
        self._environment = ExecutionEnvironment(
            served.function,
            on_log_line=lambda line: observer.log_line(place, line),
            isolation=isolation,
        )
        self._is_open = self._was_used = False
        self._idle_timer: asyncio.TimerHandle | None = None

    async def open(self) -> None:
        """Makes the sandbox, where that has not been done; raises ``DiagnosticError``."""
        if not self._is_open:
            await self._environment.__aenter__()
            self._is_open = True

    def send(self, request: InvokeRequest) -> Invocation:
        """Begins an invocation; the first one initialises the environment."""
        if not self._was_used:
            self._was_used = True
            self._observer.environment_started(self.place)
        return self._environment.send(
            request.payload,
            request_id=request.request_id,
            trace_header=request.trace_header,
            client_context=request.client_context,
            tenant_id=request.tenant_id,
            invoked_function_arn=request.invoked_function_arn,
            on_piece=request.on_piece,
        )

    def rest(self, idle_timer: asyncio.TimerHandle) -> None:
        """The environment is idle, until the timer ends it."""
        self._idle_timer = idle_timer

    def wake(self) -> None:
        """The environment is idle no longer."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    async def shut_down(self) -> None:
        """The Shutdown phase, where there was an Init, and then the end of the sandbox."""
        self.wake()
        try:
            if self._is_open and self._was_used:
                self._observer.environment_ended(self.place, await self._environment.shutdown())
        finally:
            if self._is_open:
                await self._environment.__aexit__(None, None, None)


class EnvironmentPool:
    """Environments of one function, each with one invocation at a time.

    The one that was used last is used next, so that what is not needed becomes idle, as on the
    platform.
    """

    def __init__(
        self, served: ServedFunction, observer: ServiceObserver, isolation: Isolation
    ) -> None:
        self._served, self._observer, self._isolation = served, observer, isolation
        self._idle: list[_Member] = []
        self._members: dict[int, _Member] = {}
        # Their callers have their answers, but runtime or extensions have yet to call ``next``.
        self._answered: set[_Member] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._endings: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Makes the first environment's sandbox, so that what cannot be served is said at once."""
        member = self._add()
        await member.open()
        self._idle.append(member)

    async def invoke(self, request: InvokeRequest) -> Invocation:
        """Begins an invocation; raises ``InvokeRefusedError`` when every environment is busy."""
        if not self._idle and self._answered:
            await self._wait_in_line(_ALMOST_IDLE_S)
        return await self._invoke(request)

    async def invoke_in_turn(self, request: InvokeRequest) -> Invocation:
        """Begins an invocation as soon as there is an environment for it."""
        while self._waiting or not self._has_room:
            await self._wait_in_line(None)
            if self._has_room:
                break
        return await self._invoke(request)

    async def _wait_in_line(self, limit_s: float | None) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(turn, limit_s)

    async def _invoke(self, request: InvokeRequest) -> Invocation:
        member = self._take()
        try:
            await member.open()
            invocation = member.send(request)
        except BaseException:
            self._retire(member)
            raise
        invocation.answered.add_done_callback(lambda _: self._answered.add(member))
        invocation.ended.add_done_callback(lambda _: self._release(member, invocation))
        return invocation

    @property
    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._members) < self._served.concurrency

    def _take(self) -> _Member:
        if self._idle:
            member = self._idle.pop()
            member.wake()
            return member
        if not self._has_room:
            raise throttled()
        return self._add()

    def _add(self) -> _Member:
        number = next(n for n in range(1, len(self._members) + 2) if n not in self._members)
        place = Place(self._served.function.name, number)
        member = _Member(self._served, place, self._observer, self._isolation)
        self._members[number] = member
        return member

    def _release(self, member: _Member, invocation: Invocation) -> None:
        self._answered.discard(member)
        if invocation.ended.cancelled() or invocation.ended.exception() is not None:
            self._retire(member)  # the host of that environment is broken
            return
        self._observer.invocation_ended(member.place, invocation.result())
        if member.place.number in self._members:
            timer = asyncio.get_running_loop().call_later(
                self._served.idle_timeout_s, self._retire, member
            )
            member.rest(timer)
            self._idle.append(member)
            self._tell_of_room()

    def _tell_of_room(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _retire(self, member: _Member) -> None:
        """Takes the environment out of the pool; its Shutdown goes on beside it."""
        self._members.pop(member.place.number, None)
        if member in self._idle:
            self._idle.remove(member)
        ending = asyncio.get_running_loop().create_task(self._end(member))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)
        self._tell_of_room()

    async def _end(self, member: _Member) -> None:
        # What broke the host has been told to its callers.
        with contextlib.suppress(Exception):
            await member.shut_down()

    async def close(self) -> None:
        """Shuts all environments down, side by side."""
        for member in tuple(self._members.values()):
            self._retire(member)
        await asyncio.gather(*self._endings)
