"""One instance of the region's service: it leads, or stands by until it does. A WSGI application throughout.

With SQLite it leads from the start, and a lock keeps a second one away. With PostgreSQL it stands by until it has
the lease; then the region is made and started. Whoever has led and may no longer (it was stopped, or cut off from
PostgreSQL) ends its process: nothing that it has in memory is worth anything, and the service's manager starts it
again, to stand by.

| thread | does |
|---|---|
| lease | takes the lease, then renews it each second |
| lead | makes and starts the region; then looks five times a second whether it still leads |
| web threads | the region's pages; while standing by, 503 for all but /healthz and /metrics |
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

from agent.faults import kind_and_place
from provisioning.alive import LOOK_SHARE, DatabaseProbe, Part, watchdog_s
from provisioning.database_url import is_postgresql
from provisioning.lease import RENEW_EVERY_S, Lease
from provisioning.region import Region
from provisioning.settings import RegionSettings
from provisioning.sqlite_lock import SqliteLock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger(__name__)

TRY_EVERY_S = 0.5
LOOK_EVERY_S = 0.2
LAST_OWNER_MAY_TAKE_S = 5.0
"""The worker before this one, which is just ending."""
STOP_TIMEOUT_S = 5.0
STANDBY = b"standby: another instance of this region answers now\n"
STANDBY_METRICS = b"# TYPE halsorum_region_leads gauge\nhalsorum_region_leads 0.0\n"


class Instance:
    """start() begins; on_lost is called when it has led and may no longer: it is to end the process."""

    def __init__(
        self,
        settings: RegionSettings,
        on_lost: Callable[[], None],
        make_region: Callable[..., Region] = Region,
    ) -> None:
        self._settings = settings
        self._on_lost = on_lost
        self._make_region = make_region
        shared = is_postgresql(settings.database_url)
        self._lease = Lease(settings.database_url, settings.broker.name) if shared else None
        self._lock: SqliteLock | None = None
        self._region: Region | None = None
        self._probe: DatabaseProbe | None = None
        self._app: WSGIApplication | None = None
        self._stopping, self._has_lease = Event(), Event()
        self._threads: list[Thread] = []

    @property
    def leads(self) -> bool:
        """Whether requests are for this instance."""
        return self._app is not None and (self._lease is None or self._lease.holds())

    def start(self) -> None:
        """Begin to lead or to stand by. Raises AnotherInstance where there may be only one."""
        if self._lease is None:
            self._lock = SqliteLock.take(self._settings.database_url, LAST_OWNER_MAY_TAKE_S)
            self._lead()
            return
        for name, work in (("lease", self._keep_lease), ("lead", self._lead_and_look)):
            thread = Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def parts(self) -> list[Part]:
        """What the watchdog looks at; nothing while it stands by, when each wait of its threads has an end."""
        region, probe = self._region, self._probe
        if region is None or probe is None or self._stopping.is_set():
            return []
        return [
            Part("worker", lambda: region.turned_at),
            Part("link", lambda: float(region.link.moved_at)),
            Part("database", lambda: probe.answered_at),
        ]

    def stop(self) -> None:
        """Stop the region first, then let another begin."""
        self._stopping.set()
        if self._probe is not None:
            self._probe.stop()
        if self._region is not None:
            self._region.stop()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
        if self._lease is not None and self._has_lease.is_set():
            self._lease.release()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The region's pages, or that another answers."""
        if self.leads and self._app is not None:
            return self._app(environ, start_response)
        if environ.get("PATH_INFO") == "/metrics":
            # Of an instance that stands by there is nothing to protect.
            start_response("200 OK", [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")])
            return [STANDBY_METRICS]
        headers = [("Content-Type", "text/plain"), ("Cache-Control", "no-store"), ("Retry-After", "2")]
        start_response("503 Service Unavailable", headers)
        return [STANDBY]

    def _keep_lease(self) -> None:
        assert self._lease is not None
        while not self._stopping.is_set() and not self._lease.take():
            self._stopping.wait(TRY_EVERY_S)
        if self._stopping.is_set():
            return
        self._has_lease.set()
        while not self._stopping.wait(RENEW_EVERY_S):
            self._lease.renew()

    def _lead_and_look(self) -> None:
        assert self._lease is not None
        while not self._has_lease.wait(LOOK_EVERY_S):
            if self._stopping.is_set():
                return
        try:
            self._lead()
        except Exception as error:
            log.error("the region could not be started: %s", kind_and_place(error))  # noqa: TRY400
            self._lost()
            return
        while not self._stopping.wait(LOOK_EVERY_S):
            if not self._lease.holds():
                log.error("this instance leads no more: it was held up, or cut off from PostgreSQL")
                self._lost()
                return

    def _lost(self) -> None:
        if not self._stopping.is_set():
            self._on_lost()

    def _lead(self) -> None:
        region = self._make_region(self._settings, lease=self._lease)
        self._region = region
        app = region.web_app()
        region.start()
        self._probe = DatabaseProbe(region.database, watchdog_s() * LOOK_SHARE)
        self._probe.start()
        self._app = app.wsgi_app
