"""Addresses of a host without blocking the loop: ``getaddrinfo`` has no timeout."""

import _socket
import _thread

from ._loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ._loop import Loop

    # (family, address) pairs, or why there are none
    Found = "list[tuple[int, Any]] | OSError"


class Resolution:
    """One question, asked in a thread; ``answered`` is called from the loop, unless cancelled."""

    __slots__ = ("_answered", "_loop", "_ours")

    def __init__(
        self, loop: "Loop", host: str, port: int, rank: int, answered: "Callable[[Any], None]"
    ) -> None:
        self._loop = loop
        self._answered = answered
        self._ours, theirs = _socket.socketpair()
        found: list[Any] = []
        loop.watch(self._ours.fileno(), READ, rank, lambda _: self._finish(found[0]))
        _thread.start_new_thread(_resolve, (host, port, found, theirs))

    def _finish(self, found: "Any") -> None:
        self.cancel()
        self._answered(found)

    def cancel(self) -> None:
        """Ends the wait; the thread is left to itself, and its answer unread."""
        if self._ours.fileno() >= 0:
            self._loop.forget(self._ours.fileno())
            self._ours.close()


def _resolve(host: str, port: int, found: "list[Any]", wake: "_socket.socket") -> None:
    try:
        found.append(addresses(host, port))
    except OSError as error:
        found.append(error)
    finally:
        wake.close()  # which makes the other end readable


def addresses(host: str, port: int, flags: int = 0) -> "list[tuple[int, Any]]":
    """(family, address) pairs to try in turn; ``OSError``."""
    # As bytes: for a str the idna codec would be loaded, with 300 KB of tables.
    found = _socket.getaddrinfo(host.encode(), port, 0, _socket.SOCK_STREAM, 0, flags)
    return [(entry[0], entry[4]) for entry in found]


def numeric_addresses(host: str, port: int) -> "list[tuple[int, Any]]":
    """The same for an address that needs no name server; empty for a name."""
    try:
        return addresses(host, port, _socket.AI_NUMERICHOST)
    except OSError:
        return []
