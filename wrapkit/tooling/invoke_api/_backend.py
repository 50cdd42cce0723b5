"""What stands behind one function's name."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ._event_queue import EventQueue
from ._pool import EnvironmentPool

if TYPE_CHECKING:
    from ..emulator import Invocation
    from ._environment_settings import EnvironmentSettings
    from ._observer import ServiceObserver
    from ._served_function import ServedFunction


class Backend:
    """A function, its environments and its queue of events."""

    def __init__(
        self, served: ServedFunction, observer: ServiceObserver, settings: EnvironmentSettings
    ) -> None:
        self.served = served
        self.pool = EnvironmentPool(served, observer, settings)
        self.events = EventQueue(served, self.pool, observer)

    async def close(self) -> None:
        """Gives up the waiting events, and shuts the environments down."""
        await self.events.close()
        await self.pool.close()


async def log_result(invocation: Invocation) -> str:
    """The last 4 KB of the log in base64; REPORT is in it, so the extensions are waited for."""
    await invocation.ended
    return base64.b64encode(invocation.log_tail.encode()).decode()
