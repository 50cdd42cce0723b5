"""From the start of the process to the first ``next``: what stands on the critical path of Init.

Lambda starts the runtime only when every external extension has registered, and Init ends only when
each has called ``next``. So this module, and what it loads, is all that runs before (a test holds
the list): raw ``_socket``, no ``os``, no ``enum``, no ``json``. The rest is loaded by the runner.

Rule 1. The datagram socket is bound before the registration: the runtime starts after it, so the
        hook finds the socket.
Rule 2. A listener listens before its address is given away.
Rule 3. Registering is the only step that may fail the extension. What else fails costs a line.
"""

import _socket

from ...lifecycle import (
    HttpError,
    MessageReader,
    RemoteLifecycleError,
    next_event_request,
    register_request,
    registered_identifier,
    telemetry_request,
)
from .. import _env
from .._report import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Optional

    from ...lifecycle import Message

# The newest schema, and the only one that Lambda Managed Instances accept; what wrapkit reads is
# the same since 2022-12-13.
TELEMETRY_SCHEMA = "2025-01-29"
_PLATFORM = "platform"
# https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html: 25 ms is the least that may be
# asked for.
TELEMETRY_TIMEOUT_MS = 25
_TELEMETRY_HOST = "sandbox.localdomain"
_MANAGED_INSTANCES = "lambda-managed-instances"
_BACKLOG = 128
# A tenth of the function's weight, where both want a processor: measured on two, the response of a
# function that does nothing came 0.16 ms later than bare rather than 0.20, and 0.22 instead of 0.35
# at the 99th percentile.
_NICENESS = 10
# The answers to register and subscribe come at once; a host that does not answer is beyond help.
_CALL_TIMEOUT_S = 5.0
_READ_BYTES = 65536


class ApiConnection:
    """The keep-alive connection to the Extensions API: one call is outstanding at a time."""

    __slots__ = ("_address", "_closing", "_reader", "authority", "next_outstanding", "sock")

    def __init__(self, authority: str) -> None:
        host, _, port = authority.rpartition(":")
        self.authority = authority
        self._address = (host.strip("[]"), int(port))
        self.next_outstanding = False
        self._open()

    def _open(self) -> None:
        family = _socket.AF_INET6 if ":" in self._address[0] else _socket.AF_INET
        self.sock = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
        self.sock.settimeout(_CALL_TIMEOUT_S)
        self.sock.connect(self._address)
        self.sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        self._reader = MessageReader(requests=False)
        self._closing = False

    def reopen(self) -> None:
        """Replaces a connection that the host has closed, or is about to."""
        self.sock.close()
        self.next_outstanding = False
        self._open()

    def call(self, request: bytes) -> "Message":
        """Sends a request and waits for its answer; ``OSError``, ``HttpError``."""
        self._send(request)
        while True:
            message = self.receive()
            if message is not None:
                return message

    def send_next(self, identifier: str) -> None:
        """Sends ``next``. Its answer has no timeout: the environment may be frozen meanwhile."""
        self._send(next_event_request(self.authority, identifier))
        self.sock.settimeout(None)
        self.next_outstanding = True

    def _send(self, request: bytes) -> None:
        if self._closing:
            self.reopen()
        self.sock.settimeout(_CALL_TIMEOUT_S)
        self.sock.sendall(request)

    def receive(self) -> "Optional[Message]":
        """Reads once; the whole answer, or None while it is incomplete.

        ``ConnectionResetError`` when the host has closed the connection.
        """
        data = self.sock.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError(104, "the host closed the connection")
        self._reader.receive(data)
        message = self._reader.next_message()
        if message is not None:
            self.next_outstanding = False
            self._closing = not message.head.keep_alive
        return message


class Started:
    """What the start leaves to the runner: the open sockets, and what the host has answered."""

    __slots__ = (
        "api",
        "datagrams",
        "environ",
        "events",
        "identifier",
        "name",
        "otlp_listener",
        "registration",
        "telemetry_listener",
        "telemetry_types",
    )

    def __init__(self, *, name: str, environ: "Mapping[str, str]", api: ApiConnection) -> None:
        self.name = name
        self.environ = environ
        self.api = api
        self.identifier = ""
        self.registration: Optional[Message] = None
        self.events: tuple[str, ...] = ("INVOKE", "SHUTDOWN")
        self.datagrams: Optional[_socket.socket] = None
        self.otlp_listener: Optional[_socket.socket] = None
        self.telemetry_types = (_PLATFORM, *_log_types(environ))
        # None as well when the host has no Telemetry API
        self.telemetry_listener: Optional[_socket.socket] = None

    def close_listeners(self) -> None:
        """Closes everything but the connection to the API, so that nobody waits for an answer."""
        for sock in (self.datagrams, self.otlp_listener, self.telemetry_listener):
            if sock is not None:
                sock.close()


def register(name: str) -> Started:
    """Registers the extension; the hook's socket is bound by then.

    ``SystemExit`` when that is not possible: outside Lambda, or when the host refuses.
    """
    environ = _env.variables()
    api = _connect(_env.text(environ, _env.RUNTIME_API))
    started = Started(name=name, environ=environ, api=api)
    if _env.text(environ, _env.INITIALIZATION_TYPE) == _MANAGED_INSTANCES:
        started.events = ("SHUTDOWN",)  # INVOKE is refused there: invocations run side by side
    started.datagrams = _bind_datagrams(_env.socket_path(environ))
    _register(started)
    return started


def call_first_next(started: Started) -> None:
    """Opens the listeners, subscribes to telemetry, and sends ``next``."""
    started.otlp_listener = _listen_for_otlp(_env.otlp_address(started.environ))
    _subscribe(started)
    started.api.send_next(started.identifier)
    if "INVOKE" in started.events:  # side by side, the functions would never leave it a turn
        _give_way()


def _give_way() -> None:
    """Lets the function go first from now on: nothing waits for the runner but its own work."""
    from posix import nice

    try:
        nice(_NICENESS)
    except OSError as error:
        report("its priority cannot be lowered", error)


def _log_types(environ: "Mapping[str, str]") -> "tuple[str, ...]":
    if not _env.text(environ, _env.LOGS):
        return ()  # as in most functions: not worth a module
    from .._env_export import log_types

    return log_types(environ)


def _connect(authority: str) -> ApiConnection:
    if not authority:
        report(f"{_env.RUNTIME_API} is not set. hint: this is started by AWS Lambda")
        raise SystemExit(2)
    try:
        return ApiConnection(authority)
    except (OSError, ValueError) as error:
        report("the Extensions API cannot be reached", error)
        raise SystemExit(1) from None


def _register(started: Started) -> None:
    api = started.api
    request = register_request(
        api.authority, started.name, started.events, accept_features=("accountId",)
    )
    try:
        started.registration = api.call(request)
        started.identifier = registered_identifier(started.registration)
    except RemoteLifecycleError as error:
        report(f"the registration was refused: {error}")
        raise SystemExit(1) from None
    except (OSError, HttpError) as error:
        report("the registration failed", error)
        raise SystemExit(1) from None


def _bind_datagrams(path: str) -> "Optional[_socket.socket]":
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        _remove_stale(path)
        sock.bind(path)
        sock.setblocking(False)
    except OSError as error:
        sock.close()
        report(f"the hook's socket {path} cannot be bound", error)
        return None
    return sock


def _remove_stale(path: str) -> None:
    """Removes the socket of an earlier life of this environment: /tmp outlives a reset."""
    from posix import unlink

    try:
        unlink(path)
    except FileNotFoundError:
        pass


def _listen_for_otlp(address: "tuple[str, int]") -> "Optional[_socket.socket]":
    try:
        return _listen(*address)
    except OSError as error:
        report(f"no OTLP/HTTP on {address[0]}:{address[1]}, going on without", error)
        return None


def _listen(host: str, port: int) -> "_socket.socket":
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    sock = _socket.socket(family, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(_BACKLOG)
        sock.setblocking(False)
    except OSError:
        sock.close()
        raise
    return sock


def _subscribe(started: Started) -> None:
    """Subscribes to the platform's telemetry; without it the runner has to do with the hook."""
    listener = None
    try:
        listener = _listen(_sandbox_address(), 0)
        uri = f"http://{_TELEMETRY_HOST}:{listener.getsockname()[1]}/"
        request = telemetry_request(
            started.api.authority,
            started.identifier,
            uri,
            started.telemetry_types,
            schema_version=TELEMETRY_SCHEMA,
            timeout_ms=TELEMETRY_TIMEOUT_MS,
        )
        status = started.api.call(request).head.status
    except (OSError, HttpError) as error:
        report("no platform telemetry, going on without", error)
        started.api.reopen()
        status = 0
    if status == 200:
        started.telemetry_listener = listener
        return
    if listener is not None:
        listener.close()
    # 202: "not supported in this local environment"; every emulator of AWS says so.
    if status not in (0, 202):
        report(f"no platform telemetry, going on without: the host answered {status}")


def _sandbox_address() -> str:
    """The address that the platform means by ``sandbox.localdomain``."""
    try:
        with open("/etc/hosts", encoding="utf-8", errors="replace") as hosts:
            for line in hosts:
                fields = line.partition("#")[0].split()
                if _TELEMETRY_HOST in fields[1:]:
                    return fields[0]
    except OSError:
        pass
    return "127.0.0.1"
