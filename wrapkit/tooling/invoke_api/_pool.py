"""The execution environments of one function: as many as are needed at once, up to its limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Protocol

from .._lazy_timer import LazyTimer
from ..emulator import ExecutionEnvironment
from ._observer import Place, ServiceObserver
from ._refusal import throttled

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..emulator import Answer, Invocation
    from ._environment_settings import EnvironmentSettings
    from ._request import InvokeRequest
    from ._served_function import ServedFunction

# On loopback a caller's next request is here before the runtime has called ``next``, which no
# network to Lambda would let happen. Instead of a cold start, or a refusal, for each it waits as
# long as such a network might take.
_ALMOST_IDLE_S = 0.1


class _Member:
    """One environment of the pool, and how long it has been idle."""

    def __init__(
        self,
        served: ServedFunction,
        place: Place,
        observer: ServiceObserver,
        settings: EnvironmentSettings,
        on_idle: Callable[[], None],
    ) -> None:
        self.place = place
        self.invocations = 0
        self.is_almost_idle = False
        self._observer = observer
        self._environment = ExecutionEnvironment(
            served.function,
            on_log_line=lambda line: observer.log_line(place, line),
            isolation=settings.isolation,
            profile=settings.profile,
            freezes=settings.freezes,
            limits_cpu=settings.limits_cpu,
        )
        self._is_open = self._was_used = False
        self._idle_timer = LazyTimer(on_idle)

    async def open(self) -> None:
        """Makes the sandbox, where that has not been done; raises ``DiagnosticError``."""
        if not self._is_open:
            await self._environment.__aenter__()
            self._is_open = True

    async def init(self) -> None:
        """Init before anybody calls; where it fails, the first invocation repeats it."""
        self._use()
        await self._environment.init()

    def _use(self) -> None:
        if not self._was_used:
            self._was_used = True
            self._observer.environment_started(self.place)

    def send(self, request: InvokeRequest) -> Invocation:
        """Begins an invocation; the first one initialises the environment."""
        self._use()
        return self._environment.send(
            request.payload,
            request_id=request.request_id,
            trace_header=request.trace_header,
            client_context=request.client_context,
            tenant_id=request.tenant_id,
            invoked_function_arn=request.invoked_function_arn,
            on_piece=request.on_piece,
        )

    @property
    def has_extensions(self) -> bool:
        """Whether there are external extensions, which may go on after the response."""
        return bool(self._environment.extensions)

    def rest(self, idle_timeout_s: float) -> None:
        """The environment is idle, for so long at most."""
        self._idle_timer.set(idle_timeout_s)

    def wake(self) -> None:
        """The environment is idle no longer."""
        self._idle_timer.cancel()

    async def shut_down(self) -> None:
        """The Shutdown phase, where there was an Init, and then the end of the sandbox."""
        self._idle_timer.close()
        try:
            if self._is_open and self._was_used:
                self._observer.environment_ended(self.place, await self._environment.shutdown())
        finally:
            if self._is_open:
                await self._environment.__aexit__(None, None, None)


class Caller(Protocol):
    """Who waits for an invocation to begin."""

    def begun(self, invocation: Invocation) -> None:
        """It has begun."""

    def failed(self, error: Exception) -> None:
        """It could not begin."""

    def must_invoke(self) -> None:
        """No environment became idle in time."""


class EnvironmentPool:
    """Environments of one function, each with one invocation at a time.

    The one that was used last is used next, so that what is not needed becomes idle, as on the
    platform.
    """

    def __init__(
        self, served: ServedFunction, observer: ServiceObserver, settings: EnvironmentSettings
    ) -> None:
        self._served, self._observer, self._settings = served, observer, settings
        self._tells_results = (
            type(observer).invocation_ended is not ServiceObserver.invocation_ended
        )
        self._idle: list[_Member] = []
        self._members: dict[int, _Member] = {}
        # Their callers have their answers, but runtime or extensions have yet to call ``next``.
        self._answered: set[_Member] = set()
        self._waiting: deque[Callable[[], None]] = deque()
        self._endings: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Makes the first environment's sandbox, so that what cannot be served is said at once.

        Where Lambda has an environment ready before the first caller, its Init is done as well.
        """
        member = self._add()
        await member.open()
        if self._served.function.initialization_type != "on-demand":
            await member.init()
        self._idle.append(member)

    def invoke_at_once(self, request: InvokeRequest, caller: Caller) -> bool:
        """Begins an invocation without a task: what a warm one does, and all that it needs.

        True where an environment is idle or about to be; the caller is then called back, in the
        first case before this returns. False where it has to ``invoke``.
        """
        if self._idle:
            self._begin(self._take(), request, caller)
            return True
        if not self._answered:
            return False
        if not self._waiting and (next_idle := self._next_idle()) is not None:
            self._answered.discard(next_idle)
            self._begin(next_idle, request, caller)
            return True

        def go_on() -> None:
            limit.cancel()
            if self._idle:
                self._begin(self._take(), request, caller)
            else:
                caller.must_invoke()

        def give_up() -> None:
            self._waiting.remove(go_on)
            caller.must_invoke()

        limit = asyncio.get_running_loop().call_later(_ALMOST_IDLE_S, give_up)
        self._waiting.append(go_on)
        return True

    def _next_idle(self) -> _Member | None:
        """An environment whose runtime is about to call ``next``, and which nobody else can keep
        busy until then: it takes the request now, and is not frozen between.
        """
        return next((one for one in self._answered if one.is_almost_idle), None)

    def _begin(self, member: _Member, request: InvokeRequest, caller: Caller) -> None:
        try:
            invocation = self._send(member, request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller hears of it
            caller.failed(error)
        else:
            caller.begun(invocation)

    async def invoke(self, request: InvokeRequest) -> Invocation:
        """Begins an invocation, if need be in a new environment; raises ``InvokeRefusedError`` when
        there may not be another.
        """
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
        turn = asyncio.Event()
        self._waiting.append(turn.set)
        try:
            await asyncio.wait_for(turn.wait(), limit_s)
        except asyncio.TimeoutError:
            pass
        finally:
            if not turn.is_set():
                self._waiting.remove(turn.set)

    async def _invoke(self, request: InvokeRequest) -> Invocation:
        member = self._take()
        try:
            await member.open()
        except BaseException:
            self._retire(member)
            raise
        return self._send(member, request)

    def _send(self, member: _Member, request: InvokeRequest) -> Invocation:
        try:
            invocation = member.send(request)
        except BaseException:
            self._retire(member)
            raise
        member.invocations += 1
        invocation.answered.add_done_callback(lambda answered: self._note_answer(member, answered))
        invocation.ended.add_done_callback(lambda _: self._release(member, invocation))
        return invocation

    def _note_answer(self, member: _Member, answered: asyncio.Future[Answer]) -> None:
        if member.invocations != 1 or answered.cancelled() or answered.exception() is not None:
            return
        self._answered.add(member)
        # After an error it may have to be reset first.
        member.is_almost_idle = not member.has_extensions and not answered.result().function_error

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
        member = _Member(
            self._served, place, self._observer, self._settings, lambda: self._retire(member)
        )
        self._members[number] = member
        return member

    def _release(self, member: _Member, invocation: Invocation) -> None:
        self._answered.discard(member)
        member.invocations -= 1
        if invocation.ended.cancelled() or invocation.ended.exception() is not None:
            self._retire(member)  # the host of that environment is broken
            return
        if self._tells_results:
            self._observer.invocation_ended(member.place, invocation.result())
        if member.invocations == 0 and member.place.number in self._members:
            member.rest(self._served.idle_timeout_s)
            self._idle.append(member)
            self._tell_of_room()

    def _tell_of_room(self) -> None:
        if self._waiting:
            self._waiting.popleft()()

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
