"""Exports each signal to where its settings say, in parallel where the endpoints differ."""

from .. import _env
from .._otlp_http import parse_url
from .._report import report
from ._credentials_source import CredentialsSource
from ._lane import Lane, Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, Optional

    from ._backlog import Backlog
    from ._loop import Loop

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Exporter:
    """The lanes of all signals. ``signals`` are those that have an endpoint; others are not to be
    queued.
    """

    def __init__(
        self,
        environ: "Mapping[str, str]",
        loop: "Loop",
        backlog: "Backlog",
        *,
        rank: int,
        now_ms: "Callable[[], float]",
        user_agent: str,
        own_port: int = 0,
    ) -> None:
        self._lanes: dict[tuple[object, ...], Lane] = {}
        self._own_port = own_port
        self._open = 0
        self._done: Optional[Callable[[], None]] = None
        self._queued: Optional[tuple[float, Callable[[], None], bool]] = None
        self.signals: list[str] = []

        credentials = CredentialsSource(environ, loop, rank=rank, now_ms=now_ms)
        loop.add_timed(credentials)

        def new_lane(first: Outlet) -> Lane:
            lane = Lane(
                environ,
                loop,
                backlog,
                credentials,
                first,
                rank=rank,
                now_ms=now_ms,
                user_agent=user_agent,
            )
            loop.add_timed(lane)
            return lane

        for signal in _env.SIGNALS:
            self._add(environ, signal, new_lane)

    def _add(
        self, environ: "Mapping[str, str]", signal: str, new_lane: "Callable[[Outlet], Lane]"
    ) -> None:
        settings = _env.export_settings(environ, signal)
        if settings is None:
            return
        try:
            target = parse_url(settings.url)
        except ValueError as error:
            report(f"no export of {signal}: {error}")
            return
        if target.host in _LOOPBACK and target.port == self._own_port:
            report(
                f"no export of {signal}: the endpoint is this extension's own listener."
                f" hint: set {_env.OTLP_ENDPOINT} to where the telemetry shall go"
            )
            return
        # Signals that go to one host share a connection, unless they differ in its certificates.
        certificates = (settings.certificate, settings.client_certificate, settings.client_key)
        key = (*target.connection_key, *certificates)
        outlet = Outlet(environ, signal, settings, target)
        if key in self._lanes:
            self._lanes[key].serve(outlet)
        else:
            self._lanes[key] = new_lane(outlet)
        self.signals.append(signal)

    @property
    def busy(self) -> bool:
        """Whether a flush is under way."""
        return self._open > 0

    def flush(self, deadline_ms: float, done: "Callable[[], None]", *, last: bool = False) -> None:
        """Exports what waits; calls ``done`` when all of it is sent, has failed, or is late.

        ``last``: no other flush will follow, so endpoints that failed a moment ago are tried too.
        """
        if self.busy:
            # Its batches go on; the rest goes out in a second round, by the new deadline.
            self._queued = (deadline_ms, done, last)
            for lane in self._lanes.values():
                lane.hurry(deadline_ms)
            return
        self._done = done
        self._open = len(self._lanes) + 1
        for lane in list(self._lanes.values()):
            lane.flush(deadline_ms, self._lane_done, last=last)
        self._lane_done()

    def _lane_done(self) -> None:
        self._open -= 1
        if self._open == 0 and self._done is not None:
            done, self._done = self._done, None
            done()
            queued, self._queued = self._queued, None
            if queued is not None:
                self.flush(queued[0], queued[1], last=queued[2])

    def close(self) -> None:
        """Closes every connection, at the end of the process."""
        for lane in self._lanes.values():
            lane.close()
