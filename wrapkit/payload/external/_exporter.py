"""Exports each signal to where its settings say, in parallel where the endpoints differ.

What goes to several destinations is kept for each by itself: one that has got it does not get it
again because another one has not.
"""

from .. import _env, _env_export
from .._otlp_http import parse_url
from .._report import report
from ._credentials_source import CredentialsSource
from ._lane import Lane, Outlet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Callable, Optional

    from .._env_export import ExportSettings
    from ._backlog import Backlog
    from ._loop import Loop
    from ._secrets import Secrets

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Exporter:
    """The lanes of all signals. ``signals`` are those that have an endpoint; others are not to be
    queued. ``settled`` is called as ``is_awaited`` may have changed.
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
        settled: "Callable[[], None]",
        own_port: int = 0,
    ) -> None:
        self._lanes: dict[tuple[object, ...], Lane] = {}
        self._own_port = own_port
        self.signals: list[str] = []

        credentials = CredentialsSource(environ, loop, rank=rank, now_ms=now_ms)
        loop.add_timed(credentials)
        self._secrets: Optional[Secrets] = None

        def secrets() -> "Secrets":
            if self._secrets is None:
                from ._secrets import Secrets

                self._secrets = Secrets(environ, loop, credentials, rank=rank, now_ms=now_ms)
                loop.add_timed(self._secrets)
            return self._secrets

        def new_lane(first: Outlet) -> Lane:
            lane = Lane(
                environ,
                loop,
                backlog,
                credentials,
                first,
                secrets=secrets,
                rank=rank,
                now_ms=now_ms,
                user_agent=user_agent,
                settled=settled,
            )
            loop.add_timed(lane)
            return lane

        for destination in _env_export.destinations(environ):
            for signal in _env.SIGNALS:
                settings = _env_export.export_settings(environ, signal, destination)
                if settings is not None and self._add(environ, signal, settings, new_lane):
                    backlog.send_to(signal, destination)

    def _add(
        self,
        environ: "Mapping[str, str]",
        signal: str,
        settings: "ExportSettings",
        new_lane: "Callable[[Outlet], Lane]",
    ) -> bool:
        what = f"{signal} to {settings.destination}" if settings.destination else signal
        try:
            target = parse_url(settings.url)
        except ValueError as error:
            report(f"no export of {what}: {error}")
            return False
        if target.host in _LOOPBACK and target.port == self._own_port:
            report(
                f"no export of {what}: the endpoint is this extension's own listener."
                f" hint: set {_env.OTLP_ENDPOINT} to where the telemetry shall go"
            )
            return False
        # Signals that go to one host share a connection, unless they differ in its certificates.
        # Destinations never do: what one is refused, or has to wait for, is not another's business.
        certificates = (settings.certificate, settings.client_certificate, settings.client_key)
        key = (settings.destination, *target.connection_key, *certificates)
        outlet = Outlet(environ, signal, settings, target)
        if key in self._lanes:
            self._lanes[key].serve(outlet)
        else:
            self._lanes[key] = new_lane(outlet)
        if signal not in self.signals:
            self.signals.append(signal)
        return True

    @property
    def is_awaited(self) -> bool:
        """Whether an export is under way that has not been waited for in vain."""
        return any(lane.busy and not lane.overdue for lane in self._lanes.values())

    def next_try_ms(self, *, more_waits: bool) -> "Optional[float]":
        """From when on a flush can send something; None while none can.

        ``more_waits``: there is more than the backlog knows of.
        """
        tries = [lane.next_try_ms(more_waits=more_waits) for lane in self._lanes.values()]
        return min([moment for moment in tries if moment is not None], default=None)

    def flush(self, *, last_until_ms: "Optional[float]" = None, tries_again: bool = False) -> None:
        """Begins to export what waits.

        ``last_until_ms``: no other flush will follow, so endpoints that failed a moment ago are
        tried too, until then. ``tries_again``: more than once, while there is time.
        """
        for lane in list(self._lanes.values()):
            lane.flush(last_until_ms=last_until_ms, tries_again=tries_again)

    def wait(self) -> None:
        """An invocation waits for what is under way, for as long as it is worth."""
        for lane in self._lanes.values():
            lane.wait()

    def close(self) -> None:
        """Closes every connection, at the end of the process."""
        for lane in self._lanes.values():
            lane.close()
