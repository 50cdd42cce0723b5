"""The extension from its first ``next`` on: sockets in, spans and forwarded requests out.

What may be called when, and how long anything may take, is decided by ``ExtensionSession``; when to
export by the ``FlushPolicy``. This wires both to the sockets.
"""

import time

from ...lifecycle import (
    CallNext,
    ExtensionSession,
    Flush,
    Flushed,
    HookEnd,
    HttpError,
    InvokeEvent,
    Refused,
    Registered,
    RemoteLifecycleError,
    ShutdownEvent,
    Stop,
    Subscribed,
    extension_error_request,
    raise_for_error,
)
from .. import _env, _env_export, _env_resource
from .._invocation import trace_context, wrapkit_version
from .._placement import choose_place
from .._report import report, report_once
from ._backlog import Backlog
from ._document import read_object
from ._exporter import Exporter
from ._flush_policy import choose_policy
from ._http_server import HttpServer
from ._intake import MAX_BODY_BYTES, OtlpIntake
from ._invocations import Invocations
from ._loop import READ, Loop
from ._outbox import Outbox
from ._platform import PlatformTelemetry
from ._sources import Sources
from ._spans import SpanBuffer
from ._spool import Spool, spool_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Optional

    from ...lifecycle import Head, Message, PlatformRuntimeDone
    from ...lifecycle._effects import SessionEffect
    from ._start import Started

# Who goes first when several sockets are ready. The event before the datagrams that belong to it,
# these before the telemetry that says the same less exactly, exports last.
_API, _HOOK, _OTLP, _TELEMETRY, _EXPORT = range(5)
# Why an environment is shut down that lives on: what the shutdown takes is billed to the invocation
# that failed, and what is not sent is sent by the next life.
_RESETS = ("timeout", "failure")
# A batch of telemetry is about twice the 256 KiB that were asked for, at most.
_MAX_TELEMETRY_BYTES = 2 * 1024 * 1024
# The platform's word on an invocation that was cut off comes up to 25 ms after SHUTDOWN (the
# buffering that was asked for), of which the shutdown has 2000 ms.
_SETTLE_MS = 100


def now_ms() -> float:
    """The wall clock: deadlines are in epoch milliseconds, and it goes on through a freeze."""
    return time.time() * 1000


class Runner:
    """Runs the loop until the session says ``Stop``."""

    def __init__(self, started: "Started") -> None:
        self._started = started
        self._api = started.api
        self._exit_code: Optional[int] = None
        self._shutdown_reason = ""
        self._settle_deadline_ms: Optional[float] = None
        self._last_until_ms: Optional[float] = None
        self._session_waits = False  # for exports to be over, before it goes on
        self._waiting_since_ms: Optional[float] = None
        self._reconnected = False
        environ = started.environ
        self._loop = Loop()
        spool = Spool(spool_path(environ), destinations=_env_export.destinations(environ))
        self._outbox = Outbox(spill=spool.add)
        self._backlog = Backlog(self._outbox, spool)
        self._exporter = self._new_exporter()
        invoked = "INVOKE" in started.events
        self._policy = choose_policy(environ, invoked=invoked)
        place = choose_place(environ) if _env.places_invocations(environ) else trace_context
        self._invocations = Invocations(
            _env_resource.FunctionSettings(environ).name, invoked=invoked, place=place
        )
        self._invocations.account_id = self._registered_account_id()
        makes_spans = not _hook_exports(environ)
        self._spans = SpanBuffer(
            environ,
            self._outbox,
            makes_spans and "traces" in self._exporter.signals,
            prints=makes_spans and "console" in _env_export.exporters(environ, "traces"),
        )
        self._platform = PlatformTelemetry(
            environ,
            self._outbox,
            spans=self._spans,
            invocations=self._invocations,
            signals=self._exporter.signals,
            makes_spans=makes_spans,
            is_subscribed=started.telemetry_listener is not None,
            now_ns=time.time_ns(),
        )
        self._sources = Sources(
            started.datagrams, self._invocations, self._spans, self._platform, self._ended
        )
        self._intake = OtlpIntake(self._outbox, self._exporter.signals)
        self._session = self._session_so_far()
        self._watch_sockets()

    def _new_exporter(self) -> Exporter:
        listener = self._started.otlp_listener
        exporter = Exporter(
            self._started.environ,
            self._loop,
            self._backlog,
            rank=_EXPORT,
            now_ms=now_ms,
            user_agent=f"wrapkit/{wrapkit_version()}",
            settled=self._exports_settled,
            own_port=listener.getsockname()[1] if listener is not None else 0,
        )
        if not exporter.signals and _env_export.exports(self._started.environ, "traces"):
            report(f"nothing is exported: set {_env.OTLP_ENDPOINT} to where telemetry shall go")
        return exporter

    def _registered_account_id(self) -> str:
        """The account from the answer to the registration; managed instances have no INVOKE."""
        registration = self._started.registration
        try:
            facts = read_object(registration.body) if registration is not None else {}
        except ValueError:
            facts = {}
        return str(facts.get("accountId") or "")

    def _session_so_far(self) -> ExtensionSession:
        """The session, told what the start has done already; its effects have happened too."""
        started, now = self._started, now_ms()
        session = ExtensionSession(extension=started.name, events=started.events)
        session.register()
        session.receive(Registered(identifier=started.identifier), now)
        session.subscribe(started.telemetry_types)
        session.receive(Subscribed(supported=started.telemetry_listener is not None), now)
        session.next()
        return session

    def _watch_sockets(self) -> None:
        started, loop = self._started, self._loop
        loop.add_timed(self)
        self._watch_api()
        if started.datagrams is not None:
            read = self._sources.read_datagrams
            loop.watch(started.datagrams.fileno(), READ, _HOOK, lambda _: read())
        if started.otlp_listener is not None:
            HttpServer(
                loop,
                started.otlp_listener,
                rank=_OTLP,
                take=self._intake.take,
                refused=self._intake.refuse,
                max_body_bytes=MAX_BODY_BYTES,
            )
        if started.telemetry_listener is not None:
            HttpServer(
                loop,
                started.telemetry_listener,
                rank=_TELEMETRY,
                take=self._take_telemetry,
                max_body_bytes=_MAX_TELEMETRY_BYTES,
            )

    def run(self) -> int:
        """Handles events until the end; the process's exit code.

        What is raised is a defect: the caller goes on without collecting anything. During the
        shutdown there is nothing to go on with.
        """
        try:
            while self._exit_code is None:
                self._loop.turn(now_ms)
        except Exception as error:
            if not self._shutdown_reason:
                raise
            report("an error during the shutdown", error)
            return 0
        finally:
            self._leave()
        return self._exit_code

    def _leave(self) -> None:
        """Lets the endpoints go, and keeps what they have not got."""
        self._exporter.close()
        waiting = self._backlog.leave()
        dropped, rejected = self._backlog.dropped, self._backlog.rejected
        where = f"wait in {spool_path(self._started.environ)} for the environment's next life"
        said = [
            f"{dropped} requests were dropped" if dropped else "",
            f"{rejected} items were rejected" if rejected else "",
            f"{waiting} could not be sent and {where}" if waiting else "",
        ]
        if any(said):
            report(", ".join([part for part in said if part]))

    # The session's effects

    def _apply(self, effects: "list[SessionEffect]") -> None:
        for effect in effects:
            if isinstance(effect, Flush):
                self._flush_for_session(effect.deadline_ms)
            elif isinstance(effect, CallNext):
                self._call_next()
            elif isinstance(effect, Stop):
                self._stop(effect)

    def _call_next(self) -> None:
        self._session_waits = False
        self._session.next()
        self._send_next()

    def _send_next(self) -> None:
        self._loop.forget(self._api.sock.fileno())  # sending may open another connection
        self._api.send_next(self._started.identifier)
        self._watch_api()

    def _watch_api(self) -> None:
        self._loop.watch(self._api.sock.fileno(), READ, _API, lambda _: self._read_api())

    def _flush_for_session(self, deadline_ms: float) -> None:
        now = now_ms()
        if self._shutdown_reason:
            self._last_until_ms = deadline_ms
            self._settle_deadline_ms = now + _SETTLE_MS
            self._settle()
            return
        if self._session.end_is_told and self._policy.exports_at_end(now, self._queued_bytes):
            self._export()
        # Also for what was begun beside the function: a freeze in the middle of it could lose the
        # answer.
        self._exporter.wait()
        self._session_waits = True
        self._exports_settled()

    def _exports_settled(self) -> None:
        if self._session_waits and not self._exporter.is_awaited:
            self._session_waits = False
            self._apply(self._session.receive(Flushed(), now_ms()))

    def _export(self) -> None:
        self._policy.exported(now_ms())
        self._spans.encode(self._invocations.account_id)
        last = bool(self._shutdown_reason)
        self._platform.encode(self._counters(), time.time_ns(), last=last)
        self._waiting_since_ms = None
        self._exporter.flush(
            last_until_ms=self._last_until_ms,
            tries_again=self._shutdown_reason not in _RESETS,
        )

    def _counters(self) -> "dict[str, int]":
        return {
            "datagrams.dropped": self._sources.dropped,
            "requests.refused": self._intake.refused,
            "requests.dropped": self._backlog.dropped,
            "requests.recovered": self._backlog.recovered,
            "items.rejected": self._backlog.rejected,
        }

    def _stop(self, stop: Stop) -> None:
        self._exit_code = stop.exit_code
        if stop.error_type:
            self._say_exit_error(stop.error_type)

    def _say_exit_error(self, error_type: str) -> None:
        request = extension_error_request(
            self._api.authority,
            self._started.identifier,
            error_type,
            "the extension cannot go on",
            during_init=False,
        )
        report(f"the extension ends: {error_type}")
        try:
            self._api.call(request)
        except (OSError, HttpError) as error:
            report("the end could not be told to the host", error)

    # Deadlines

    def next_deadline_ms(self) -> "Optional[float]":
        """The next of the session's deadline, the end of settling, and the policy's export."""
        due = [self._session.next_deadline_ms(), self._settle_deadline_ms, self._export_due_ms()]
        return min([moment for moment in due if moment is not None], default=None)

    def _export_due_ms(self) -> "Optional[float]":
        if not (self._spans or self._outbox or self._platform.is_waiting):
            return None
        if self._waiting_since_ms is None:
            self._waiting_since_ms = now_ms()
        due = self._policy.export_due_ms(self._waiting_since_ms, self._queued_bytes)
        if (
            due is None or due > now_ms()
        ):  # whether an endpoint may be tried is asked when it is due
            return due
        more_waits = bool(self._spans) or self._platform.is_waiting
        try_ms = self._exporter.next_try_ms(more_waits=more_waits)
        return None if try_ms is None else max(due, try_ms)

    @property
    def _queued_bytes(self) -> int:
        return self._outbox.queued_bytes

    def expire(self, now: float) -> None:
        """Lets what is due happen."""
        if self._settle_deadline_ms is not None and self._settle_deadline_ms <= now:
            self._finish_settling()
        due = self._export_due_ms()
        if due is not None and due <= now:
            self._export()
        deadline = self._session.next_deadline_ms()
        if deadline is not None and deadline <= now:
            self._apply(self._session.expire(now))

    # Events of the Extensions API

    def _read_api(self) -> None:
        try:
            message = self._api.receive()
        except (OSError, HttpError) as error:
            self._reconnect(error)
            return
        if message is not None:
            self._reconnected = False
            self._handle_event(message)

    def _reconnect(self, error: Exception) -> None:
        """Asks again on a fresh connection, once; a host that closes that one too is gone."""
        report("the connection to the Extensions API was lost", error)
        self._loop.forget(self._api.sock.fileno())
        try:
            if self._reconnected:
                raise error
            self._reconnected = True
            self._api.reopen()
            self._send_next()
        except (OSError, HttpError):
            self._exit_code = 1

    def _handle_event(self, message: "Message") -> None:
        try:
            raise_for_error(message)
            event = read_object(message.body)
        except RemoteLifecycleError as error:
            report(f"the host refused next: {error}")
            refused = Refused(error_type=error.error_type, status=error.status)
            self._apply(self._session.receive(refused, now_ms()))
            return
        except ValueError:
            event = {}
        kind, deadline = event.get("eventType"), event.get("deadlineMs")
        if kind == "INVOKE":
            self._invoked(event, _milliseconds(deadline))
        elif kind == "SHUTDOWN":
            self._shut_down(event, _milliseconds(deadline))
        else:
            report_once(f"event {kind}", "an event of an unknown type came; asking for the next")
            self._send_next()

    def _invoked(self, event: "dict[str, Any]", deadline_ms: int) -> None:
        now = now_ms()
        request_id = str(event.get("requestId", ""))
        span = self._invocations.invoked(event, time.time_ns())
        self._spans.add(span)
        self._policy.invoked(now)
        if self._exports_beside_function(now):
            # Of the invocation before: they may have waited for a thaw.
            self._sources.read_datagrams()
            self._export()
        self._session.end_is_told = self._is_end_told and self._policy.waits_for_end(now)
        received = InvokeEvent(request_id=request_id, deadline_ms=deadline_ms)
        self._apply(self._session.receive(received, now))
        if span is not None:  # the hook was faster than the event
            self._ended(HookEnd(request_id=request_id))

    def _exports_beside_function(self, now: float) -> bool:
        """Whether this INVOKE is the occasion to export what the invocations before have left."""
        if self._policy.exports_on_invoke(now, self._queued_bytes):
            return True
        return not self._is_end_told and self._policy.waits_for_end(now)

    @property
    def _is_end_told(self) -> bool:
        """Whether something will tell of the end, and there is something to export then.

        Without telemetry a hook that has never spoken may not be there at all, and waiting for it
        would last until the function times out.
        """
        told = self._started.telemetry_listener is not None or self._sources.hook_spoke
        return told and bool(self._exporter.signals)

    def _ended(self, end: "HookEnd | PlatformRuntimeDone") -> None:
        now = now_ms()
        if end.request_id == self._session.request_id:
            self._policy.ended(now)
        self._apply(self._session.receive(end, now))
        if self._settle_deadline_ms is not None:
            self._settle()

    def _take_telemetry(self, head: "Head", body: "list[bytes]") -> bytes:
        answer = self._sources.take_telemetry(head, body)
        if self._settle_deadline_ms is not None:
            self._settle()
        return answer

    def _shut_down(self, event: "dict[str, Any]", deadline_ms: int) -> None:
        reason = str(event.get("shutdownReason", "")).lower() or "unknown"
        self._shutdown_reason = reason
        self._sources.read_datagrams()
        received = ShutdownEvent(reason=reason, deadline_ms=deadline_ms)
        self._apply(self._session.receive(received, now_ms()))

    def _settle(self) -> None:
        """Waits, briefly, for the platform's word on what was cut off or is over just now."""
        expects = len(self._invocations) or self._platform.expects_more
        if not expects or self._started.telemetry_listener is None:
            self._finish_settling()

    def _finish_settling(self) -> None:
        self._settle_deadline_ms = None
        now_ns = time.time_ns()
        self._platform.shut_down(self._shutdown_reason, now_ns)
        for span in self._invocations.shut_down(self._shutdown_reason, now_ns):
            self._sources.cut_off(span)
            self._spans.add(span)
        self._sources.shut_down(now_ns)
        self._export()
        self._session_waits = True
        self._exports_settled()


def _hook_exports(environ: "Mapping[str, str]") -> bool:
    """Whether internal mode is asked for, of a layer that has a runner: the spans are the hook's.

    What SDKs send is forwarded all the same.
    """
    return _env.mode(environ) == "internal"


def _milliseconds(value: "Any") -> int:
    return int(value) if isinstance(value, (int, float)) and 0 < value < 1e15 else 0
