"""The requests of the runtime and of the extensions, turned into events of the lifecycle."""

from __future__ import annotations

import contextlib
import secrets
import time
import uuid
from typing import TYPE_CHECKING

from wrapkit.lifecycle import (
    EXTENSION_ERROR_TYPE,
    EXTENSION_IDENTIFIER,
    FUNCTION_ERROR_TYPE,
    RESPONSE_MODE,
    Endpoint,
    ExtensionExitError,
    ExtensionInitError,
    Head,
    HttpError,
    Message,
    Next,
    Register,
    RemoteLifecycleError,
    RuntimeInitError,
    RuntimeInvocationError,
    RuntimeNext,
    RuntimeResponse,
    RuntimeResponseSent,
    RuntimeRestoreError,
    RuntimeRestoreNext,
    Subscribe,
    accepted_answer,
    credentials_answer,
    error_answer,
    metadata_answer,
    read_register_request,
    register_answer,
    response_bytes,
    route,
    without_error_cause,
)
from wrapkit.tooling._http_server import Application, Connection, Exchange

from ._credentials import credentials_of
from ._records import iso_time
from ._region import availability_zone_id
from ._subscription import LOGS, TELEMETRY, read_subscription

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._host import Host

# Runtime API: 6 MiB and 100 bytes; streamed responses up to 200 MB (Lambda quotas).
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100
_MAX_STREAM_BYTES = 200 * 1024 * 1024
# The second is what the Node runtime client falls back to.
_JSON_TYPE, _STREAM_TYPE = "application/json", "application/octet-stream"
# An error with its X-Ray cause, which is not the caller's business.
_ERROR_CAUSE_TYPE = "application/vnd.aws.lambda.error.cause+json"
_MAX_REPORT_BYTES = 1024 * 1024
_CREDENTIALS_LIFE_S = 3600
_OK = b'"OK"'


class Api(Application):
    """Answers the Runtime, Extensions and Telemetry APIs for a host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def begin(self, connection: Connection, head: Head) -> Exchange:
        """The exchange that reads and answers the request."""
        try:
            endpoint, request_id = route(head)
        except HttpError as error:
            return _Refused(connection, error_answer(error.status, "NotFound", error.message))
        if endpoint is Endpoint.RUNTIME_RESPONSE:
            return _Response(self._host, connection, head, request_id)
        if endpoint is Endpoint.RUNTIME_ERROR:
            return _InvocationError(self._host, connection, head, request_id)
        return _Call(self._host, connection, head, _CALLS[endpoint])


class _Refused(Exchange):
    """A request that is answered with an error once it has been read."""

    def __init__(self, connection: Connection, answer: bytes) -> None:
        self._connection, self._answer = connection, answer

    def take(self, piece: bytes) -> None:
        """Reads and forgets."""

    def finish(self, trailers: dict[str, str]) -> None:  # noqa: ARG002
        self._connection.answer(self._answer)

    def abandon(self) -> None:
        """Nothing has come of it."""


class _Call(Exchange):
    """A request that is handled as a whole."""

    def __init__(
        self,
        host: Host,
        connection: Connection,
        head: Head,
        handle: Callable[[_Call, Message], bytes | None],
    ) -> None:
        self.host, self.connection = host, connection
        self._head, self._handle = head, handle
        self._body = bytearray()
        self._excess_bytes = 0

    def take(self, piece: bytes) -> None:
        if len(self._body) + len(piece) > _MAX_REPORT_BYTES:
            self._excess_bytes += len(piece)
        else:
            self._body += piece

    def finish(self, trailers: dict[str, str]) -> None:  # noqa: ARG002
        if self._excess_bytes:
            self.connection.answer(_too_large())
            return
        _answer(self.host, self.connection, self._handle_message)

    def _handle_message(self) -> bytes | None:
        return self._handle(self, Message(self._head, bytes(self._body), {}))

    def abandon(self) -> None:
        self.host.abandon(self.connection)


class _Delivery(Exchange):
    """The outcome of an invocation: the lifecycle hears of its head and, when the body has been
    read, of its end.
    """

    max_bytes = MAX_RESPONSE_BYTES
    is_streamed = False

    def __init__(self, host: Host, connection: Connection, head: Head, request_id: str) -> None:
        self._host, self._connection, self._head = host, connection, head
        self._request_id = request_id
        self._body = bytearray()
        self._received_bytes = 0
        self._refusal: bytes | None = None
        self._trailers: dict[str, str] = {}
        try:
            self._begin()
        except RemoteLifecycleError as error:
            self._refusal = error_answer(error.status, error.error_type, error.message)

    def _begin(self) -> None:
        raise NotImplementedError

    def take(self, piece: bytes) -> None:
        self._received_bytes += len(piece)
        if self._refusal is not None or self._received_bytes > self.max_bytes:
            return
        if self.is_streamed:
            self._host.stream(self._request_id, piece)
        else:
            self._body += piece

    def finish(self, trailers: dict[str, str]) -> None:
        if self._refusal is not None:
            self._connection.answer(self._refusal)
            return
        self._trailers = trailers
        _answer(self._host, self._connection, self._accept)

    def _accept(self) -> bytes:
        too_large = self._received_bytes > self.max_bytes
        self._host.keep_outcome(self._request_id, bytes(self._body), self._trailers)
        self._end("Function.ResponseSizeTooLarge" if too_large else None)
        return _too_large() if too_large else accepted_answer()

    def abandon(self) -> None:
        if self._refusal is None:
            self._refusal = b""
            with contextlib.suppress(RemoteLifecycleError):  # the runtime itself may be gone
                self._end("Runtime.TruncatedResponse")

    def _end(self, error_type: str | None) -> None:
        self._host.receive(
            RuntimeResponseSent(
                request_id=self._request_id,
                produced_bytes=self._received_bytes,
                error_type=error_type,
            )
        )


class _Response(_Delivery):
    def _begin(self) -> None:
        mode = self._head.headers.get(RESPONSE_MODE.lower(), "")
        self._host.receive(RuntimeResponse(request_id=self._request_id))
        if mode.lower() == "streaming":
            self.max_bytes, self.is_streamed = _MAX_STREAM_BYTES, True
        default = _STREAM_TYPE if self.is_streamed else _JSON_TYPE
        content_type = self._head.headers.get("content-type", default)
        self._host.begin_response(self._request_id, content_type, is_streamed=self.is_streamed)
        if mode and not self.is_streamed:
            self._end("Runtime.InvalidResponseModeHeader")
            raise RemoteLifecycleError(
                "InvalidFunctionResponseMode", f"unknown response mode {mode!r}", 400
            )


class _InvocationError(_Delivery):
    def _accept(self) -> bytes:
        if self._head.headers.get("content-type", "") == _ERROR_CAUSE_TYPE:
            self._body = bytearray(without_error_cause(bytes(self._body)))
        return super()._accept()

    def _begin(self) -> None:
        error_type = self._head.headers.get(FUNCTION_ERROR_TYPE.lower())
        self._host.receive(
            RuntimeInvocationError(request_id=self._request_id, error_type=error_type)
        )


def _answer(host: Host, connection: Connection, handle: Callable[[], bytes | None]) -> None:
    """Answers what ``handle`` returns, or the refusal; None leaves the answer for later."""
    try:
        answer = handle()
    except RemoteLifecycleError as error:
        answer = error_answer(error.status, error.error_type, error.message)
    except Exception as error:  # noqa: BLE001 - a fault of ours; whoever waits hears of it
        host.fail(error)
        answer = error_answer(500, "InternalServerError", "Internal Server Error")
    if answer is not None:
        connection.answer(answer)


def _too_large() -> bytes:
    message = f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    return error_answer(413, "RequestEntityTooLarge", message)


def _identifier(message: Message) -> str | None:
    return message.head.headers.get(EXTENSION_IDENTIFIER.lower())


def _ping(_call: _Call, _message: Message) -> bytes:
    return response_bytes(200, (("Content-Type", "text/plain"),), b"pong")


def _runtime_next(call: _Call, _message: Message) -> None:
    call.host.wait_for_invocation(call.connection, RuntimeNext())


def _runtime_init_error(call: _Call, message: Message) -> bytes:
    error_type = message.head.headers.get(FUNCTION_ERROR_TYPE.lower())
    call.host.receive(RuntimeInitError(error_type=error_type))
    call.host.init_error_body = message.body
    return accepted_answer()


def _restore_next(call: _Call, _message: Message) -> None:
    call.host.wait_for_restore(call.connection, RuntimeRestoreNext())


def _restore_error(call: _Call, message: Message) -> bytes:
    error_type = message.head.headers.get(FUNCTION_ERROR_TYPE.lower())
    call.host.receive(RuntimeRestoreError(error_type=error_type))
    return accepted_answer()


def _register(call: _Call, message: Message) -> bytes:
    name, events, features = read_register_request(message)
    identifier = str(uuid.uuid4())
    at_ms = call.host.progress.elapsed_ms()
    call.host.receive(Register(extension=name, events=events, identifier=identifier))
    call.host.progress.registered(name, at_ms)
    function = call.host.function
    return register_answer(
        identifier,
        function_name=function.name,
        function_version=function.version,
        handler=function.handler,
        account_id=function.account_id if "accountId" in features else None,
    )


def _extension_next(call: _Call, message: Message) -> None:
    identifier = _identifier(message)
    call.host.wait_for_event(call.connection, Next(identifier=identifier))


def _extension_init_error(call: _Call, message: Message) -> bytes:
    call.host.receive(
        ExtensionInitError(identifier=_identifier(message), error_type=_extension_error(message))
    )
    return accepted_answer()


def _extension_exit_error(call: _Call, message: Message) -> bytes:
    call.host.receive(
        ExtensionExitError(identifier=_identifier(message), error_type=_extension_error(message))
    )
    return accepted_answer()


def _extension_error(message: Message) -> str | None:
    return message.head.headers.get(EXTENSION_ERROR_TYPE.lower())


def _subscribe_to_telemetry(call: _Call, message: Message) -> bytes:
    return _subscribe(call, message, TELEMETRY)


def _subscribe_to_logs(call: _Call, message: Message) -> bytes:
    return _subscribe(call, message, LOGS)


def _subscribe(call: _Call, message: Message, api: str) -> bytes:
    if not call.host.profile.has_telemetry:
        return error_answer(202, f"{api}.NotSupported", f"{api} API is not supported")
    is_managed = call.host.function.is_managed
    subscription = read_subscription(message.body, api, is_managed=is_managed)
    event = Subscribe(identifier=_identifier(message), types=subscription.types, api=api)
    call.host.subscribe(event, subscription)
    return response_bytes(200, (("Content-Type", "application/json"),), _OK)


def _credentials(call: _Call, message: Message) -> bytes:
    if call.host.function.initialization_type != "snap-start":
        return error_answer(404, "NotFound", "The credentials are in the variables")
    given = message.head.headers.get("authorization", "")
    if not secrets.compare_digest(given.encode(), call.host.tokens.credentials.encode()):
        return error_answer(401, "Unauthorized", "The token is missing or wrong")
    expiration = iso_time((time.time() + _CREDENTIALS_LIFE_S) * 1000)
    key_id, secret, token = credentials_of(call.host.function).values()
    return credentials_answer(key_id, secret, token, expiration)


def _metadata(call: _Call, message: Message) -> bytes:
    given = message.head.headers.get("authorization", "")
    if not secrets.compare_digest(given.encode(), f"Bearer {call.host.tokens.metadata}".encode()):
        return error_answer(401, "Unauthorized", "The token is missing or wrong")
    return metadata_answer(availability_zone_id(call.host.function.region))


_CALLS: dict[Endpoint, Callable[[_Call, Message], bytes | None]] = {
    Endpoint.PING: _ping,
    Endpoint.RUNTIME_NEXT: _runtime_next,
    Endpoint.RUNTIME_INIT_ERROR: _runtime_init_error,
    Endpoint.RUNTIME_RESTORE_NEXT: _restore_next,
    Endpoint.RUNTIME_RESTORE_ERROR: _restore_error,
    Endpoint.EXTENSION_REGISTER: _register,
    Endpoint.EXTENSION_NEXT: _extension_next,
    Endpoint.EXTENSION_INIT_ERROR: _extension_init_error,
    Endpoint.EXTENSION_EXIT_ERROR: _extension_exit_error,
    Endpoint.TELEMETRY_SUBSCRIBE: _subscribe_to_telemetry,
    Endpoint.LOGS_SUBSCRIBE: _subscribe_to_logs,
    Endpoint.CREDENTIALS: _credentials,
    Endpoint.METADATA: _metadata,
}
