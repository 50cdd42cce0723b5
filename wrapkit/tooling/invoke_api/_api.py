"""The Invoke API over HTTP: Invoke, InvokeWithResponseStream, and the older InvokeAsync.

Source: Lambda API reference, Invoke and InvokeWithResponseStream.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from wrapkit.lifecycle import response_bytes

from .._http_server import Application, Connection, Exchange
from ._backend import log_result
from ._function_name import read_function_name
from ._refusal import (
    MAX_REQUEST_BYTES,
    InvokeRefusedError,
    function_not_found,
    refusal_of,
    unknown_operation,
)
from ._request import DRY_RUN, EVENT, REQUEST_RESPONSE, InvokeRequest, read_options, read_request
from ._response_stream import ResponseStream

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping
    from typing import Any

    from wrapkit.lifecycle import Head

    from ..emulator import Answer, Invocation
    from ._backend import Backend

_PATHS = (
    ("invoke", re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")),
    ("stream", re.compile(r"/2021-11-15/functions/([^/]+)/response-streaming-invocations/?")),
    ("invoke-async", re.compile(r"/2014-11-13/functions/([^/]+)/invoke-async/?")),
)
_MAX_ROUTES = 1000
_SYNCHRONOUS = (REQUEST_RESPONSE, DRY_RUN)


class InvokeApi(Application):
    """Answers the requests, with the functions' backends by name."""

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        # What has been found, by method and target: a caller calls the same again and again.
        self._routes: dict[tuple[str, str], tuple[str, Backend, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, connection: Connection, head: Head) -> Exchange:
        """The exchange that reads the request; what is wrong with it is said behind its body."""
        return _Exchange(self, connection, head)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on with an exchange whose answer takes time; its caller's leaving ends nothing."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Waits for the answers of invocations that have been ended."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def route(self, head: Head) -> tuple[str, Backend, str]:
        """The operation, the backend and the invoked ARN; raises ``InvokeRefusedError``."""
        key = (head.method, head.target)
        route = self._routes.get(key)
        if route is None:
            path, _, query = head.target.partition("?")
            operation, segment = _operation(head.method, path)
            qualifier = parse_qs(query).get("Qualifier", [""])[0]
            route = (operation, *self._find(segment, qualifier))
            if len(self._routes) < _MAX_ROUTES:
                self._routes[key] = route
        return route

    def _find(self, segment: str, qualifier: str) -> tuple[Backend, str]:
        """The backend and the invoked ARN; raises ``InvokeRefusedError``."""
        name, qualifier = read_function_name(segment, qualifier)
        backend = self._backends.get(name)
        if backend is None:
            place = next(iter(self._backends.values())).served.function
            arn = f"arn:aws:lambda:{place.region}:{place.account_id}:function:{name}"
            raise function_not_found(f"{arn}:{qualifier}" if qualifier else arn)
        arn = backend.served.invoked_arn(qualifier)
        if qualifier and not backend.served.has_qualifier(qualifier):
            raise function_not_found(arn)
        return backend, arn


class _Exchange(Exchange):
    """One request, from its head to its answer."""

    def __init__(self, api: InvokeApi, connection: Connection, head: Head) -> None:
        self._api, self._connection, self._head = api, connection, head
        self._body = bytearray()
        self._received_bytes = 0
        self._request_id = str(uuid.uuid4())

    def take(self, piece: bytes) -> None:
        """Keeps no more than can be accepted."""
        self._received_bytes += len(piece)
        if self._received_bytes <= MAX_REQUEST_BYTES:
            self._body += piece

    def finish(self, trailers: dict[str, str]) -> None:  # noqa: ARG002 - a body's end may have some
        try:
            self._dispatch()
        except InvokeRefusedError as refusal:
            self._connection.answer(refusal.answer(self._request_id))

    def abandon(self) -> None:
        """The invocation goes on without its caller, as on the platform."""

    def _dispatch(self) -> None:
        operation, backend, arn = self._api.route(self._head)
        if operation == "stream":
            self._stream(backend, arn)
        elif operation == "invoke-async":
            self._head.headers["x-amz-invocation-type"] = EVENT
            self._invoke(backend, arn)
        else:
            self._invoke(backend, arn)

    def _invoke(self, backend: Backend, arn: str) -> None:
        options = read_options(self._head.headers, allowed_types=(*_SYNCHRONOUS, EVENT))
        request = read_request(
            self._head.headers,
            bytes(self._body),
            self._received_bytes,
            request_id=self._request_id,
            options=options,
            invoked_function_arn=arn,
        )
        version = backend.served.function.version
        if options.invocation_type == DRY_RUN:
            self._connection.answer(response_bytes(204, self._headers(request, version)))
        elif options.invocation_type == EVENT:
            backend.events.put(request)
            self._connection.answer(response_bytes(202, self._headers(request, version)))
        else:
            caller = _Caller(self, backend, request, has_log_tail=options.has_log_tail)
            if options.has_log_tail or not backend.pool.invoke_at_once(request, caller):
                caller.must_invoke()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Goes on in a task."""
        self._api.start(work)

    def refuse(self, error: Exception) -> None:
        """Answers with what came instead of an invocation."""
        self._connection.answer(refusal_of(error).answer(self._request_id))

    def answer(
        self, request: InvokeRequest, backend: Backend, answer: Answer, log_tail: str
    ) -> None:
        """Answers with what the function said."""
        headers = self._headers(request, backend.served.function.version)
        if answer.function_error:
            headers.append(("X-Amz-Function-Error", answer.function_error))
        if log_tail:
            headers.append(("X-Amz-Log-Result", log_tail))
        self._connection.answer(response_bytes(200, headers, answer.payload))

    def _headers(self, request: InvokeRequest, version: str) -> list[tuple[str, str]]:
        return [
            ("Content-Type", "application/json"),
            ("x-amzn-RequestId", self._request_id),
            ("X-Amzn-Trace-Id", request.trace_header),
            ("X-Amz-Executed-Version", version),
        ]

    def _stream(self, backend: Backend, arn: str) -> None:
        options = read_options(self._head.headers, allowed_types=_SYNCHRONOUS)
        stream = ResponseStream(self._connection, self._request_id, backend.served.function.version)
        request = read_request(
            self._head.headers,
            bytes(self._body),
            self._received_bytes,
            request_id=self._request_id,
            options=options,
            invoked_function_arn=arn,
            on_piece=stream.write,
        )
        if options.invocation_type == DRY_RUN:
            version = backend.served.function.version
            self._connection.answer(response_bytes(204, self._headers(request, version)))
        else:
            self._api.start(stream.run(backend, request, has_log_tail=options.has_log_tail))


class _Caller:
    """Who waits for an invocation to begin, and then to be answered."""

    def __init__(
        self, exchange: _Exchange, backend: Backend, request: InvokeRequest, *, has_log_tail: bool
    ) -> None:
        self._exchange, self._backend, self._request = exchange, backend, request
        self._has_log_tail = has_log_tail

    def begun(self, invocation: Invocation) -> None:
        """Answers as soon as the function does."""
        invocation.on_answer = self._answer
        invocation.answered.add_done_callback(self._say_failure)

    def failed(self, error: Exception) -> None:
        """The emulator failed."""
        self._exchange.refuse(error)

    def must_invoke(self) -> None:
        """Goes on in a task, since an environment has to be made."""
        self._exchange.start(self._invoke())

    def _answer(self, answer: Answer) -> None:
        self._exchange.answer(self._request, self._backend, answer, "")

    def _say_failure(self, answered: asyncio.Future[Answer]) -> None:
        error = None if answered.cancelled() else answered.exception()
        if isinstance(error, Exception):
            self._exchange.refuse(error)

    async def _invoke(self) -> None:
        try:
            invocation = await self._backend.pool.invoke(self._request)
            answer = await invocation.answered
            tail = await log_result(invocation) if self._has_log_tail else ""
            self._exchange.answer(self._request, self._backend, answer, tail)
        except Exception as error:  # noqa: BLE001 - whoever waits hears of it
            self._exchange.refuse(error)


def _operation(method: str, path: str) -> tuple[str, str]:
    """The operation and the function's segment of the path."""
    for operation, pattern in _PATHS:
        found = pattern.fullmatch(path)
        if found is not None and method == "POST":
            return operation, found[1]
    raise unknown_operation(f"{method} {path}")
