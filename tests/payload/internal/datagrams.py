"""The runner's end of the hook's socket, and the traces that the tests speak of."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import tempfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
X_RAY = ("5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8")


@contextlib.contextmanager
def bound_socket() -> Iterator[socket.socket]:
    """A bound datagram socket in the runner's place; its path is short enough for one."""
    folder = tempfile.mkdtemp(prefix="wk")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"{folder}/s")
        sock.settimeout(0)
        yield sock
    shutil.rmtree(folder)


def received(sock: socket.socket) -> list[dict[str, Any]]:
    """All datagrams in the queue, as JSON."""
    messages = []
    while True:
        try:
            messages.append(json.loads(sock.recv(65536)))
        except BlockingIOError:
            return messages
