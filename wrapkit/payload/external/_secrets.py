"""Fetches the secrets that headers refer to, when the first export needs them, one at a time.

Kept until an endpoint refuses what was made of them (401, 403): after a rotation they are asked for
anew, and the batch is sent once more.
"""

from .. import _env_export, _tls
from ._connection import Connection
from ._proxy import proxy_for
from ._secret_reference import (
    extension_request,
    extension_target,
    header_text,
    read_secret,
    service_question,
    service_region,
    service_target,
)
from ._sigv4 import SigningScope, signed_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from ssl import SSLContext
    from typing import Callable, Optional, Union

    from ...lifecycle import Message
    from ._credentials import Credentials
    from ._credentials_source import Answer, CredentialsSource
    from ._loop import Loop
    from ._secret_reference import SecretReference

    # The values by the text of their references, or why there are none.
    Found = Union[Mapping[str, str], str]
    Waiter = Callable[[Found], None]

_EXTENSION_TIMEOUT_MS = 1_000.0
_SERVICE_TIMEOUT_MS = 5_000.0
# What was refused although it is so new will not get better by asking again.
_MIN_AGE_MS = 60_000.0


class Secrets:
    """The secrets that have been fetched, and those who wait for others.

    The session token of the function's credentials is the proof for AWS's extension, and the
    service wants a signature: so both ways begin with ``credentials``.
    """

    def __init__(
        self,
        environ: "Mapping[str, str]",
        loop: "Loop",
        credentials: "CredentialsSource",
        *,
        rank: int,
        now_ms: "Callable[[], float]",
    ) -> None:
        self._environ = environ
        self._loop = loop
        self._rank = rank
        self._credentials_source = credentials
        self._now_ms = now_ms
        self._values: dict[str, str] = {}
        self._fetched_ms = float("-inf")
        self._waiters: list[tuple[Sequence[SecretReference], Waiter]] = []
        self._credentials: Optional[Credentials] = None
        self._extension_is_there = True  # until it turns out not to be
        self._connection: Optional[Connection] = None
        self._deadline_ms: Optional[float] = None
        self._unreachable: Callable[[str], None] = self._fail

    def get(self, wanted: "Sequence[SecretReference]", waiter: "Waiter") -> None:
        """Calls ``waiter`` with the values or with why there are none, at once or later."""
        self._waiters.append((wanted, waiter))
        if len(self._waiters) == 1:
            self._go_on()

    def forget(self, wanted: "Sequence[SecretReference]") -> bool:
        """What was made of these was refused: whether it is worth to fetch them again."""
        if self._now_ms() - self._fetched_ms < _MIN_AGE_MS:
            return False
        for reference in wanted:
            self._values.pop(reference.text, None)
        return True

    def next_deadline_ms(self) -> "Optional[float]":
        """When what is asked is given up."""
        return self._deadline_ms

    def expire(self, _now_ms: float) -> None:
        """Gives it up."""
        self._end_question()
        self._unreachable("no answer in time")

    def _go_on(self) -> None:
        """Serves who can be served, and asks for what the next one misses."""
        while self._waiters:
            wanted, waiter = self._waiters[0]
            missing = [each for each in wanted if each.text not in self._values]
            if missing:
                self._ask(missing[0])
                return
            del self._waiters[0]
            waiter(self._values)

    def _fail(self, reason: str) -> None:
        self._deadline_ms = None
        waiters, self._waiters = self._waiters, []
        for _, waiter in waiters:
            waiter(reason)

    # One secret

    def _ask(self, reference: "SecretReference") -> None:
        self._credentials_source.get(lambda found: self._take_credentials(reference, found))

    def _take_credentials(self, reference: "SecretReference", found: "Answer") -> None:
        if isinstance(found, str):
            self._fail(found)
            return
        self._credentials = found
        if self._extension_is_there and found.session_token:
            self._ask_extension(reference, found.session_token)
        else:
            self._ask_service(reference)

    def _ask_extension(self, reference: "SecretReference", token: str) -> None:
        target = extension_target(self._environ)
        self._connection = Connection(self._loop, self._rank, target, _no_tls)
        self._unreachable = lambda _: self._without_extension(reference)
        self._deadline_ms = self._now_ms() + _EXTENSION_TIMEOUT_MS
        request = extension_request(reference, target, token)
        self._connection.ask(
            lambda: [request],
            lambda message: self._extension_answered(reference, message),
            self._unreachable,
        )

    def _extension_answered(self, reference: "SecretReference", message: "Message") -> None:
        if message.head.status == 200:
            self._answered(reference, message)
        else:  # it is not ready during Init, and may be told to be nobody's cache
            self._end_question()
            self._ask_service(reference)

    def _without_extension(self, reference: "SecretReference") -> None:
        self._extension_is_there = False
        self._end_question()
        self._ask_service(reference)

    def _ask_service(self, reference: "SecretReference") -> None:
        try:
            target = service_target(self._environ, reference)
        except ValueError as error:
            self._fail(_sentence(reference, str(error)))
            return
        settings = _env_export.ExportSettings(url="")
        proxy = proxy_for(self._environ, target)
        self._connection = Connection(
            self._loop, self._rank, target, lambda: _tls.tls_context(settings), proxy
        )
        self._unreachable = lambda reason: self._service_failed(reference, reason)
        self._deadline_ms = self._now_ms() + _SERVICE_TIMEOUT_MS
        self._connection.ask(
            lambda: [self._service_request(reference)],
            lambda message: self._answered(reference, message),
            self._unreachable,
        )

    def _service_request(self, reference: "SecretReference") -> bytes:
        from ...lifecycle import request_bytes

        assert self._credentials is not None  # noqa: S101 - they are asked for before
        target = service_target(self._environ, reference)
        headers, body = service_question(reference)
        region = service_region(self._environ, reference)
        signed = signed_headers(
            method="POST",
            target=target,
            headers=headers,
            body=body,
            credentials=self._credentials,
            scope=SigningScope(service=reference.service, region=region),
            unix_s=self._now_ms() / 1000,
        )
        return request_bytes("POST", target.path, target.authority, signed, body)

    def _service_failed(self, reference: "SecretReference", reason: str) -> None:
        self._end_question()
        self._fail(_sentence(reference, reason))

    def _answered(self, reference: "SecretReference", message: "Message") -> None:
        self._end_question()
        try:
            secret = read_secret(reference.service, message.head.status, message.body)
            self._take(reference, secret)
        except ValueError as error:
            self._fail(_sentence(reference, str(error)))
        else:
            self._go_on()

    def _take(self, reference: "SecretReference", secret: str) -> None:
        """Keeps what all who wait want of this secret, so that it is asked for once."""
        self._values[reference.text] = header_text(reference, secret)
        self._fetched_ms = self._now_ms()
        for wanted, _ in self._waiters:
            for other in wanted:
                if other.place == reference.place:
                    self._values[other.text] = header_text(other, secret)

    def _end_question(self) -> None:
        self._deadline_ms = None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.give_up()


def _sentence(reference: "SecretReference", reason: str) -> str:
    return f"the secret {reference.service}:{reference.name} for a header cannot be read: {reason}"


def _no_tls() -> "SSLContext":
    raise OSError(0, "no TLS is spoken with AWS's extension")
