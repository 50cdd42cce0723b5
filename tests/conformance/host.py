"""A host whose processes do nothing: the test speaks for the runtime and the extensions."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager

from tests.emulator.environments import INTERPRETER, Deployment, Watched
from wrapkit.lifecycle import MessageReader, request_bytes

EXTENSION = "/2020-01-01/extension"
RUNTIME = "/2018-06-01/runtime"


class Api:
    """Calls the host's API; each call has a connection of its own."""

    def __init__(self, address):
        self.address = address
        self.identifiers = {}

    async def call(self, method, path, body=b"", headers=()):
        """(status, headers, body) of the answer."""
        host, port = self.address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            writer.write(request_bytes(method, path, self.address, headers, body))
            messages = MessageReader(requests=False)
            while (message := messages.next_message()) is None:
                messages.receive(await reader.read(65536))
            return message.head.status, message.head.headers, message.body
        finally:
            writer.transport.abort()

    async def register(self, name, *events):
        body = json.dumps({"events": events}).encode()
        status, headers, _ = await self.call(
            "POST", f"{EXTENSION}/register", body, [("Lambda-Extension-Name", name)]
        )
        assert status == 200
        self.identifiers[name] = headers["lambda-extension-identifier"]

    def next_event(self, name):
        headers = [("Lambda-Extension-Identifier", self.identifiers[name])]
        return asyncio.ensure_future(self.call("GET", f"{EXTENSION}/event/next", b"", headers))

    def next_invocation(self):
        return asyncio.ensure_future(self.call("GET", f"{RUNTIME}/invocation/next"))


@asynccontextmanager
async def host(folder, *externals):
    """An environment whose processes do nothing, since the test speaks for them.

    Yields (environment, api, the task of its Init).
    """
    deployment = Deployment(folder)
    for name in externals:
        deployment.extension(name, "import signal\nsignal.pause()")
    idle = (INTERPRETER, "-c", "import signal; signal.pause()")
    async with Watched(deployment.function(command=idle, timeout_ms=20_000)) as environment:
        init = asyncio.ensure_future(environment.init())
        await asyncio.sleep(0)
        yield environment, Api(environment.runtime_api), init
        init.cancel()
