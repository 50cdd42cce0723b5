"""The service: the Invoke API's socket, and behind it each function with its environments."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .._errors import USAGE, DiagnosticError
from .._http_server import Server
from ._api import InvokeApi
from ._backend import Backend
from ._environment_settings import EnvironmentSettings
from ._observer import ServiceObserver

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from ._served_function import ServedFunction


class InvokeService:
    """Serves functions over Lambda's Invoke API; an asynchronous context manager.

    Entering it makes each function's first sandbox and listens; leaving it shuts every environment
    down as the platform does, with its Shutdown phase.

    Args:
        functions: what is served, each by its name.
        port: of the API, on the loopback; 0 for any that is free.
        environments: how they are played; None for the platform's way.
        observer: is told what happens.
    """

    def __init__(
        self,
        functions: Sequence[ServedFunction],
        *,
        port: int = 0,
        environments: EnvironmentSettings | None = None,
        observer: ServiceObserver | None = None,
    ) -> None:
        names = [served.function.name for served in functions]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise DiagnosticError(
                "function-name-twice", f"two functions are named {twice}", exit_code=USAGE
            )
        self._backends = {
            served.function.name: Backend(
                served, observer or ServiceObserver(), environments or EnvironmentSettings()
            )
            for served in functions
        }
        self._port = port
        self._api = InvokeApi(self._backends)
        self._server = Server(self._api, "the Invoke API")

    @property
    def endpoint(self) -> str:
        """What clients are given as ``endpoint_url``."""
        return f"http://{self._server.address}"

    async def __aenter__(self) -> InvokeService:
        try:
            await self._server.start(self._port)
            for backend in self._backends.values():
                await backend.pool.prepare()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    async def _close(self) -> None:
        self._server.stop_listening()
        await asyncio.gather(*(backend.close() for backend in self._backends.values()))
        await self._api.close()
        self._server.close()
