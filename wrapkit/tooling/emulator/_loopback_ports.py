"""Ports of the loopback that every environment expects for itself, as it has on Lambda.

All environments of a machine share one loopback. The first gets the port that the function expects,
any other a free one, in the variable that says so.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOOPBACK = "127.0.0.1"
logger = logging.getLogger("wrapkit.emulator")


class LoopbackPorts:
    """The ports that one environment has; ``variables`` names those that are not the expected."""

    def __init__(self, expected: Mapping[str, int]) -> None:
        self._claims: list[socket.socket] = []
        self.variables: dict[str, str] = {}
        for name, port in expected.items():
            if not self._claim(port):
                self.variables[name] = f"{_LOOPBACK}:{_free_port()}"
                logger.warning(
                    "port %d is taken: the function and its extensions get %s=%s",
                    port,
                    name,
                    self.variables[name],
                )

    def _claim(self, port: int) -> bool:
        """Claims the port among the environments of this machine, before anybody listens on it."""
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0wrapkit-port-{port}")
        except OSError:
            claim.close()
            return False
        self._claims.append(claim)
        return _is_free(port)

    def close(self) -> None:
        """Lets others have the ports."""
        while self._claims:
            self._claims.pop().close()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As who listens there later will: what lingers of an earlier connection is no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port
