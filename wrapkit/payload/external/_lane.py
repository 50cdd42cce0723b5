"""What goes to one endpoint: batch after batch, over one connection.

Rule 1. One request is outstanding at a time.
Rule 2. A batch leaves the lane in one of three ways: delivered, dropped (the endpoint refused it
        for good), or put back to where it came from. After the last the lane is done with this
        flush, unless it is the last flush and there is time for another attempt: waiting for one
        beside an invocation would be billed.
Rule 3. After a failure the endpoint is left alone for a while (``Retry``), so that a dead backend
        does not cost every invocation a timeout. A flush that is the last one tries all the same.
Rule 4. An invocation waits for a lane for PATIENCE_MS at most, and hardly at all while its endpoint
        has just failed. The request goes on after that, up to its own timeout: to give it up would
        mean to send it twice to a backend that is only slow.
Rule 5. A request is signed as it is sent, and again as it is sent again: AWS takes a signature for
        five minutes, and a freeze may last for longer.
"""

from ...lifecycle import request_bytes
from .. import _env_export, _otlp_http, _tls
from .._report import report, report_once
from ._connection import Connection
from ._partial_success import partial_success, refusal_message
from ._proxy import proxy_for
from ._retry import Retry, retry_after_ms
from ._sigv4 import signed_headers, signing_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Callable, Optional

    from ...lifecycle import Message
    from .._env_export import ExportSettings
    from ._backlog import Backlog
    from ._credentials import Credentials
    from ._credentials_source import Answer, CredentialsSource
    from ._loop import Loop
    from ._outbox import Batch
    from ._secret_reference import SecretReference
    from ._secrets import Found, Secrets
    from ._sigv4 import SigningScope

# What an earlier life has left shall not hold up an invocation of this one for longer.
_SPOOL_SHARE_MS = 1_000.0
# What a backend may cost an invocation, which is billed for it: enough for a connection over
# continents with TLS and a request. After a failure, enough to find out that the backend is back.
PATIENCE_MS = 1_000.0
PATIENCE_AFTER_FAILURE_MS = 250.0
_UNAUTHORISED = (401, 403)
# A quarter of what makes an export begin for want of memory.
_WORTH_A_REQUEST_BYTES = 256 * 1024
# Between two turns of the loop so much time passes in a freeze only; and how long after one an
# answer may take to be read.
THAW_MS = 1_000.0
_FOR_EVER = float("inf")


class Outlet:
    """How one signal goes out: its settings, its target, and how its requests are signed."""

    __slots__ = ("destination", "scope", "secrets", "settings", "signal", "target")

    def __init__(
        self,
        environ: "Mapping[str, str]",
        signal: str,
        settings: "ExportSettings",
        target: _otlp_http.Target,
    ) -> None:
        self.signal = signal
        self.destination = settings.destination
        self.settings = settings
        self.target = target
        self.scope: Optional[SigningScope] = signing_scope(
            environ, signal, target, settings.headers, settings.sigv4_variable
        )
        self.secrets = _secrets_of(settings.headers)


class Attempt:
    """A batch on its way, with the user's headers and the compressed body of its request."""

    __slots__ = ("batch", "body", "credentials", "headers", "outlet")

    def __init__(self, batch: "Batch", outlet: Outlet) -> None:
        self.batch = batch
        self.outlet = outlet
        self.credentials: Optional[Credentials] = None
        settings = outlet.settings
        self.headers = settings.headers
        self.body = [_otlp_http.compressed(batch.parts)] if settings.gzip else batch.parts


class Lane:
    """Exports the signals that go to one endpoint; ``busy`` while a flush is under way, ``overdue``
    when it has been waited for and is not over. ``settled`` is called as either changes.

    All outlets share the connection, so the first one's certificates have to be every one's.
    """

    def __init__(
        self,
        environ: "Mapping[str, str]",
        loop: "Loop",
        backlog: "Backlog",
        credentials: "CredentialsSource",
        first: Outlet,
        *,
        secrets: "Callable[[], Secrets]",
        rank: int,
        now_ms: "Callable[[], float]",
        user_agent: str,
        settled: "Callable[[], None]",
    ) -> None:
        self._backlog = backlog
        self._credentials = credentials
        self._secrets = secrets
        self._now_ms = now_ms
        self._user_agent = user_agent
        self._outlets = [first]
        self._target = first.target
        self._proxy = proxy_for(environ, first.target)
        self._connection = Connection(
            loop, rank, first.target, lambda: _tls.tls_context(first.settings), self._proxy
        )
        self._settled = settled
        self._last = self._tries_again = False
        self._flush_deadline_ms = _FOR_EVER
        self._spool_until_ms = 0.0
        self._patient_until_ms: Optional[float] = None
        self._attempt: Optional[Attempt] = None
        self._deadline_ms: Optional[float] = None  # of the attempt, or until the next one
        self._retry = Retry(_random)
        self.busy = self.overdue = self._is_awaited = False
        self._promised_bytes = 0

    def serve(self, outlet: Outlet) -> None:
        """Lets another signal go this way."""
        self._outlets.append(outlet)

    # The flush

    def flush(self, *, last_until_ms: "Optional[float]", tries_again: bool) -> None:
        """Exports what waits, until no more of it can be sent now. A flush that is under way takes
        it along.

        ``last_until_ms``: no other flush will follow this one, which has to be over by then.
        ``tries_again``: and attempts that fail are worth another one while there is time.
        """
        self._tries_again = tries_again
        now = self._now_ms()
        self._last = last_until_ms is not None
        self._flush_deadline_ms = _FOR_EVER if last_until_ms is None else last_until_ms
        if self.busy:
            self._hurry()
            return
        self.busy = True
        self._promised_bytes = self._waiting_bytes()
        self._spool_until_ms = self._flush_deadline_ms if self._last else now + _SPOOL_SHARE_MS
        if self._retry.may_try(now) or self._last:
            self._next_batch()
        else:
            self._finish()

    def _hurry(self) -> None:
        """Ends what is under way by the deadline of the last flush."""
        if not self._last:
            return
        self.overdue, self._patient_until_ms = False, None
        self._spool_until_ms = self._flush_deadline_ms
        if self._deadline_ms is not None:
            self._deadline_ms = min(self._deadline_ms, self._flush_deadline_ms)

    def wait(self) -> None:
        """An invocation waits for the flush from now on, until it is ``overdue``."""
        self._is_awaited = self.busy and not self.overdue
        if self.busy and not self.overdue and self._patient_until_ms is None:
            failed = self._retry.failures > 0
            self._patient_until_ms = self._now_ms() + (
                PATIENCE_AFTER_FAILURE_MS if failed else PATIENCE_MS
            )

    def next_try_ms(self, *, more_waits: bool) -> "Optional[float]":
        """From when on a flush is of use; None while nothing waits, or a flush is under way.

        ``more_waits``: there is more than the backlog knows of.
        """
        if self.busy or not (more_waits or self._waiting_bytes()):
            return None
        return self._retry.not_before_ms

    def _next_batch(self) -> None:
        spooled = self._now_ms() < self._spool_until_ms
        queued = self._takes_more()
        for outlet in self._outlets:
            signal, destination = outlet.signal, outlet.destination
            batch = self._backlog.take(signal, destination, queued=queued, spooled=spooled)
            if batch is not None:
                self._promised_bytes -= batch.length
                self._begin(batch, outlet)
                return
        self._finish()

    def _takes_more(self) -> bool:
        """Whether what is in memory goes out with this flush: where nobody waits for its end, what
        has come since it began only if it is worth a request.
        """
        return (
            self._is_awaited
            or self._last
            or self._promised_bytes > 0
            or (self._waiting_bytes() >= _WORTH_A_REQUEST_BYTES)
        )

    def _waiting_bytes(self) -> int:
        return sum(
            [self._backlog.waiting_bytes(each.signal, each.destination) for each in self._outlets]
        )

    def _finish(self) -> None:
        self._deadline_ms = self._patient_until_ms = None
        if self.busy:
            self.busy = self.overdue = self._is_awaited = False
            self._settled()

    def next_deadline_ms(self) -> "Optional[float]":
        """When the outstanding request is given up, or sent again, or not waited for any more."""
        if self._deadline_ms is None or self._patient_until_ms is None:
            return self._deadline_ms if self._patient_until_ms is None else self._patient_until_ms
        return min(self._deadline_ms, self._patient_until_ms)

    def expire(self, now_ms: float) -> None:
        """Gives the outstanding request up, or begins anew after a failure."""
        if self._patient_until_ms is not None and self._patient_until_ms <= now_ms:
            self._patient_until_ms = None
            self.overdue, self._is_awaited = True, False
            self._settled()
        if self._deadline_ms is None or self._deadline_ms > now_ms:
            return
        if self._attempt is not None and now_ms - self._deadline_ms > THAW_MS and not self._last:
            # It passed in a freeze: what the endpoint has answered meanwhile is about to come.
            self._deadline_ms = now_ms + THAW_MS
            return
        self._deadline_ms = None
        if self._attempt is None:
            self._next_batch()
        else:
            self._connection.give_up()
            self._fail("no answer in time")

    # One request

    def _begin(self, batch: "Batch", outlet: Outlet) -> None:
        self._deadline_ms = min(
            self._flush_deadline_ms, self._now_ms() + outlet.settings.timeout_ms
        )
        attempt = self._attempt = Attempt(batch, outlet)
        if outlet.secrets:
            self._secrets().get(outlet.secrets, lambda found: self._take_secrets(attempt, found))
        else:
            self._authenticate(attempt)

    def _take_secrets(self, attempt: Attempt, found: "Found") -> None:
        if attempt is not self._attempt:
            return  # it was given up meanwhile
        if isinstance(found, str):
            self._fail(found)
            return
        from ._secret_reference import resolved

        attempt.headers = resolved(attempt.outlet.settings.headers, found)
        self._authenticate(attempt)

    def _authenticate(self, attempt: Attempt) -> None:
        if attempt.outlet.scope is None:
            self._send(attempt)
        else:
            self._credentials.get(lambda found: self._take_credentials(attempt, found))

    def _take_credentials(self, attempt: Attempt, found: "Answer") -> None:
        if attempt is not self._attempt:
            return  # it was given up meanwhile
        if isinstance(found, str):
            self._fail(found)
        else:
            attempt.credentials = found
            self._send(attempt)

    def _send(self, attempt: Attempt) -> None:
        self._connection.ask(lambda: self._request(attempt), self._answered, self._fail)

    def _request(self, attempt: Attempt) -> "list[bytes]":
        outlet = attempt.outlet
        headers = _otlp_http.headers_of(
            outlet.settings, attempt.headers, attempt.batch.content_type, self._user_agent
        )
        target = outlet.target.path
        if outlet.scope is not None and attempt.credentials is not None:
            headers = signed_headers(
                method="POST",
                target=outlet.target,
                headers=headers,
                body=attempt.body,
                credentials=attempt.credentials,
                scope=outlet.scope,
                unix_s=self._now_ms() / 1000,
            )
        if self._proxy is not None and not outlet.target.tls:
            # RFC 9112, 3.2.2: a proxy is asked with the whole URL.
            target = f"http://{outlet.target.authority}{target}"
            headers = [*headers, *self._proxy.headers]
        length = sum([len(part) for part in attempt.body])
        head = request_bytes(
            "POST", target, outlet.target.authority, headers, body_follows_bytes=length
        )
        return [head, *attempt.body]

    # The outcome

    def _answered(self, message: "Message") -> None:
        status = message.head.status
        outcome = _otlp_http.outcome(status)
        if outcome == _otlp_http.RETRYABLE:
            header = message.head.headers.get("retry-after", "")
            self._fail(f"it answered {status}", retry_after_ms(header, self._now_ms()))
            return
        attempt, self._attempt = self._attempt, None
        assert attempt is not None  # noqa: S101 - its answer this is
        self._retry.succeeded()
        if status in _UNAUTHORISED and self._has_old_secrets(attempt.outlet):
            self._backlog.put_back(attempt.batch)
            self._promised_bytes += attempt.batch.length
        elif outcome == _otlp_http.REFUSED:
            self._backlog.drop(attempt.batch)
            self._report_refusal(attempt.batch.signal, message)
        else:
            self._backlog.delivered(attempt.batch)
            self._take_partial_success(attempt.batch.signal, message)
        self._next_batch()

    def _has_old_secrets(self, outlet: Outlet) -> bool:
        """Whether a secret may have been changed since it was fetched."""
        return bool(outlet.secrets) and self._secrets().forget(outlet.secrets)

    def _report_refusal(self, signal: str, message: "Message") -> None:
        status = message.head.status
        reason = refusal_message(message.head.headers.get("content-type", ""), message.body)
        report_once(
            f"refused {status}",
            f"the endpoint refused {signal}: it answered {status}; they are dropped"
            + (f" (it says: {reason})" if reason else ""),
        )

    def _take_partial_success(self, signal: str, message: "Message") -> None:
        """Counts what was not taken of a batch that was: it must not be sent again."""
        found = partial_success(message.head.headers.get("content-type", ""), message.body)
        self._backlog.rejected += found.rejected
        if found:
            reason = f" (it says: {found.message})" if found.message else ""
            report_once(
                f"partial success {signal}",
                f"the endpoint rejected {found.rejected} items of {signal}{reason}",
            )

    def _fail(self, reason: str, retry_after_ms: "Optional[float]" = None) -> None:
        attempt, self._attempt = self._attempt, None
        if self._retry.failures == 0:
            via = f" through {self._proxy}" if self._proxy is not None else ""
            said = f"the endpoint {self._target} cannot be used{via}: {reason}"
            report_once(f"export {self._target} {reason}", said)
        again_ms = self._retry.failed(self._now_ms(), self._flush_deadline_ms, retry_after_ms)
        if attempt is not None:
            self._backlog.put_back(attempt.batch)
        if self._last and self._tries_again and again_ms is not None:
            self._deadline_ms = again_ms
        else:
            self._finish()

    def close(self) -> None:
        """Closes the connection, at the end of the process; what was under way waits again."""
        attempt, self._attempt = self._attempt, None
        self._connection.give_up()
        if attempt is not None:
            report(f"the last export to {self._target} was cut off")
            self._backlog.put_back(attempt.batch)


def _secrets_of(headers: "Sequence[tuple[str, str]]") -> "list[SecretReference]":
    if not any(_env_export.refers_to_secret(value) for _, value in headers):
        return []
    from ._secret_reference import references

    return references(headers)


def _random() -> float:
    from posix import urandom

    return int.from_bytes(urandom(4), "little") / 2**32
