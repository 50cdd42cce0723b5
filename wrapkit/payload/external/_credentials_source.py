"""The function's credentials for signatures, fetched when the first one is due."""

from .. import _env_export, _tls
from .._report import report_once
from ._connection import Connection
from ._credentials import credentials_request, environment_credentials, read_credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, Optional, Union

    from ...lifecycle import Message
    from ._credentials import Credentials
    from ._loop import Loop

    # Credentials, or why there are none.
    Answer = Union[Credentials, str]
    Waiter = Callable[[Answer], None]

# The endpoint is a process on the same machine.
_TIMEOUT_MS = 2_000.0


class CredentialsSource:
    """Asks for credentials once for all that need them, and again before they expire."""

    __slots__ = ("_connection", "_deadline_ms", "_environ", "_known", "_loop", "_now_ms", "_rank",
                 "_waiters")  # fmt: skip

    def __init__(
        self,
        environ: "Mapping[str, str]",
        loop: "Loop",
        *,
        rank: int,
        now_ms: "Callable[[], float]",
    ) -> None:
        self._environ = environ
        self._loop = loop
        self._rank = rank
        self._now_ms = now_ms
        self._known: Optional[Credentials] = None
        self._connection: Optional[Connection] = None
        self._deadline_ms: Optional[float] = None
        self._waiters: list[Waiter] = []

    def get(self, waiter: "Waiter") -> None:
        """Calls ``waiter`` with the credentials or with why there are none, at once or later."""
        known = self._known or environment_credentials(self._environ)
        if known is not None and known.are_fresh(self._now_ms()):
            self._known = known
            waiter(known)
            return
        self._waiters.append(waiter)
        if len(self._waiters) == 1:
            self._ask()

    def _ask(self) -> None:
        try:
            found = credentials_request(self._environ)
        except ValueError as error:
            self._failed(str(error))
            return
        if found is None:
            self._failed("the function has no AWS credentials in its environment")
            return
        target, request = found
        if self._connection is None:
            settings = _env_export.ExportSettings(url="")
            self._connection = Connection(
                self._loop, self._rank, target, lambda: _tls.tls_context(settings)
            )
        self._deadline_ms = self._now_ms() + _TIMEOUT_MS
        self._connection.ask(lambda: [request], self._answered, self._unreachable)

    def next_deadline_ms(self) -> "Optional[float]":
        """When the credentials' endpoint is given up."""
        return self._deadline_ms

    def expire(self, _now_ms: float) -> None:
        """Gives it up."""
        if self._connection is not None:
            self._connection.give_up()
        self._unreachable("no answer in time")

    def _answered(self, message: "Message") -> None:
        try:
            self._known = read_credentials(message.head.status, message.body)
        except ValueError as error:
            self._failed(str(error))
        else:
            self._tell(self._known)

    def _unreachable(self, reason: str) -> None:
        self._failed(f"the credentials' endpoint cannot be used: {reason}")

    def _failed(self, reason: str) -> None:
        """Those that are about to expire are still good, for minutes."""
        known, now = self._known, self._now_ms()
        if known is not None and (known.expires_ms is None or now < known.expires_ms):
            report_once("credentials", reason)
            self._tell(known)
        else:
            self._tell(reason)

    def _tell(self, answer: "Answer") -> None:
        self._deadline_ms = None
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter(answer)
