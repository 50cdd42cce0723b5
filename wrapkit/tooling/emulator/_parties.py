"""The parties that a test plays: blocking clients of the Runtime and the Extensions API."""

from __future__ import annotations

import http.client
import json
from typing import Any

_EXTENSIONS, _RUNTIME = "/2020-01-01/extension", "/2018-06-01/runtime"
_LIMIT_S = 60


class RefusedCallError(Exception):
    """The host refused a call: its ``status``, and the ``error_type`` and message of its body."""

    def __init__(self, status: int, body: bytes) -> None:
        document = json.loads(body or b"{}")
        self.status, self.error_type = status, document.get("errorType", "")
        super().__init__(f"{status} {self.error_type}: {document.get('errorMessage', '')}")


class _Party:
    """One connection to the APIs. A call that waits is in two: what asks, and what takes."""

    def __init__(self, runtime_api: str) -> None:
        self._runtime_api = runtime_api
        self._connection = http.client.HTTPConnection(runtime_api, timeout=_LIMIT_S)

    def _ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, body, named)

    def _take(self) -> tuple[http.client.HTTPMessage, bytes]:
        answer = self._connection.getresponse()
        body = answer.read()
        if not 200 <= answer.status < 300:
            raise RefusedCallError(answer.status, body)
        return answer.headers, body

    def _be_heard(self) -> None:
        """Returns when the host has read what was asked before: a connection that is made now is
        answered later, so that a clock may be moved on without a race.
        """
        connection = http.client.HTTPConnection(self._runtime_api, timeout=_LIMIT_S)
        connection.request("GET", "/2018-06-01/ping")
        connection.getresponse().read()
        connection.close()

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()


class PlayedRuntime(_Party):
    """The runtime, as a test plays it. All calls raise ``RefusedCallError``."""

    def call_next(self) -> None:
        """Asks for the next invocation, without waiting for it."""
        self._ask("GET", f"{_RUNTIME}/invocation/next")
        self._be_heard()

    def invocation(self) -> tuple[str, bytes]:
        """The request id and the payload of the invocation that was asked for."""
        headers, body = self._take()
        return headers["Lambda-Runtime-Aws-Request-Id"], body

    def respond(self, request_id: str, payload: bytes) -> None:
        """Posts the response."""
        self._ask("POST", f"{_RUNTIME}/invocation/{request_id}/response", payload)
        self._take()

    def fail(self, request_id: str, error_type: str, message: str) -> None:
        """Posts an error of the handler."""
        body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
        self._ask("POST", f"{_RUNTIME}/invocation/{request_id}/error", body)
        self._take()


class PlayedExtension(_Party):
    """An extension, as a test plays it. All calls raise ``RefusedCallError``."""

    def __init__(self, runtime_api: str, name: str) -> None:
        super().__init__(runtime_api)
        self.name = name
        self.identifier = ""

    def register(self, *events: str) -> None:
        """Registers for ``INVOKE`` and ``SHUTDOWN``, or one of them, or neither."""
        body = json.dumps({"events": events}).encode()
        self._ask("POST", f"{_EXTENSIONS}/register", body, Lambda_Extension_Name=self.name)
        self.identifier = self._take()[0]["Lambda-Extension-Identifier"]

    def call_next(self) -> None:
        """Asks for the next event, without waiting for it."""
        self._ask("GET", f"{_EXTENSIONS}/event/next", Lambda_Extension_Identifier=self.identifier)
        self._be_heard()

    def event(self) -> dict[str, Any]:
        """The event that was asked for."""
        event: dict[str, Any] = json.loads(self._take()[1])
        return event
