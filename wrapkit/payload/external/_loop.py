"""One thread, one poll: readiness of sockets, in an order of importance, and deadlines."""

from select import POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional, Protocol

    class Timed(Protocol):
        """What has deadlines, in the shape of the lifecycle core's drivers."""

        def next_deadline_ms(self) -> "Optional[float]":
            """When to call ``expire``, in epoch milliseconds; None for never."""

        def expire(self, now_ms: float) -> object:
            """Let the deadline pass."""


READ = POLLIN
WRITE = POLLOUT
# What poll reports unasked, and a handler finds out by reading or writing.
_TROUBLE = POLLERR | POLLHUP | POLLNVAL
# Between two looks at the clock, though nothing was due: bounds the harm of a clock that was set.
_MAX_WAIT_MS = 60_000


class Loop:
    """Calls handlers as their sockets become ready, those with the lower ``rank`` first."""

    __slots__ = ("_handlers", "_poll", "_timed")

    def __init__(self) -> None:
        self._poll = poll()
        self._handlers: dict[int, tuple[int, Callable[[int], None]]] = {}
        self._timed: list[Timed] = []

    def watch(self, fd: int, interest: int, rank: int, handler: "Callable[[int], None]") -> None:
        """Calls ``handler`` with the readiness (of READ, WRITE) whenever ``fd`` has any."""
        self._poll.register(fd, interest)
        self._handlers[fd] = (rank, handler)

    def change(self, fd: int, interest: int) -> None:
        """Watches ``fd`` for something else from now on."""
        self._poll.modify(fd, interest)

    def forget(self, fd: int) -> None:
        """Ends the watch; to be called before the socket is closed."""
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def add_timed(self, timed: "Timed") -> None:
        """Lets the deadlines of ``timed`` pass from now on."""
        self._timed.append(timed)

    def turn(self, now_ms: "Callable[[], float]") -> None:
        """Waits until something is ready or due, and handles all of it."""
        now = now_ms()
        deadline_ms = self._deadline_ms(now)
        # Rounded up: a poll that returns early would spin until the deadline.
        ready = self._poll.poll(max(0, int(deadline_ms - now) + 1))
        if len(ready) > 1:
            ready.sort(key=self._rank)
        for fd, readiness in ready:
            found = self._handlers.get(fd)
            if found is not None:  # else an earlier handler of this turn closed it
                found[1](readiness | READ | WRITE if readiness & _TROUBLE else readiness)
        now = now_ms()
        if now >= deadline_ms:  # what became due only now is found by the next turn
            self._expire(now)

    def _expire(self, now: float) -> None:
        for timed in self._timed:
            deadline = timed.next_deadline_ms()
            if deadline is not None and deadline <= now:
                timed.expire(now)

    def _rank(self, item: "tuple[int, int]") -> int:
        found = self._handlers.get(item[0])
        return found[0] if found else 0

    def _deadline_ms(self, now: float) -> float:
        earliest = now + _MAX_WAIT_MS
        for timed in self._timed:
            deadline = timed.next_deadline_ms()
            if deadline is not None and deadline < earliest:
                earliest = deadline
        return earliest
