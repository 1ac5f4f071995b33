"""The region's service: what it is made of, started in order and stopped in the reverse of it.

| runs where | may touch |
|---|---|
| paho's thread (agent.link) | puts what comes into the queue, nothing else |
| the worker thread | Inbox, RoomRequests, Places, Schedules, EventIntake, Fleet, Quality, HelpCalls; ticks |
| notices' threads | NoticeSender: one sends mail, one webhooks |
| web threads | Services, FhirBookings, Accounts, Quality, HelpCalls, Signalling (locked), the database |
"""

from __future__ import annotations

import logging
import queue
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from flask import Flask

from agent.contract import Topic, bootstrap_up_filter, up_filter
from agent.faults import kind_and_place
from agent.link import Link, LinkSettings
from provisioning import meeting_log
from provisioning.accounts import Accounts, Clients
from provisioning.booking import Bookings
from provisioning.commands import Commands
from provisioning.database import Database
from provisioning.dropins import DropIns
from provisioning.events import EventIntake
from provisioning.fhir import FhirBookings
from provisioning.fleet import Fleet
from provisioning.fleet_parts import join_fleet
from provisioning.help_calls import HelpCalls
from provisioning.hooks import Hooks
from provisioning.ice import IceConfiguration
from provisioning.ice_requests import IceRequests
from provisioning.inbox import Inbox
from provisioning.lease import Lease
from provisioning.meeting_log import Entry
from provisioning.metrics import FleetMetrics, WorkerFigures
from provisioning.moving import MOVED_IN, Moving
from provisioning.neighbours import Neighbours
from provisioning.notice_parts import channels, join_notices
from provisioning.oidc_client import oidc_client
from provisioning.quality import Quality
from provisioning.queues import Intake, Places, Queues
from provisioning.readiness_services import Readiness
from provisioning.recipient_services import RecipientPages
from provisioning.recipients import Recipients
from provisioning.room_requests import RoomRequests
from provisioning.schedules import Schedules
from provisioning.seats import Seats
from provisioning.services import Services
from provisioning.settings import RegionSettings
from provisioning.signalling import Signalling
from provisioning.standing import StoredStandings
from provisioning.views import StoredSessionFacts

log = logging.getLogger(__name__)

QUEUE_LENGTH = 10_000
TICK_S = 0.25
MESSAGES_TOGETHER = 100
"""Then the worker looks at the clock again. A transaction of so many is open for some tens of milliseconds."""
STOP_TIMEOUT_S = 2.0
BACKOFF_MAX_S = 2.0
"""There is one region, and calls may be waiting for it."""

LinkFactory = Callable[..., Any]


def utc_now() -> datetime:
    """The region's clock, which teaches the units theirs."""
    return datetime.now(UTC)


class Region:
    """Everything wired together; `start()` begins, `stop()` ends it. Tests may bring a clock and a link."""

    def __init__(
        self,
        settings: RegionSettings,
        *,
        clock: Callable[[], datetime] = utc_now,
        make_link: LinkFactory = Link,
        lease: Lease | None = None,
    ) -> None:
        """lease: held by this process, where another may take over."""
        self.settings = settings
        self.clock = clock
        self._lease = lease
        fence = {"fence": lease.fence} if lease is not None else {}
        self.database = Database(settings.database_url, **fence)
        self.database.create(upgrade=True)
        self._queue: queue.Queue[tuple[str, bytes] | bool | None] = queue.Queue(QUEUE_LENGTH)
        self.link = make_link(
            _link_settings(settings, lease), on_message=self._on_message, on_connection=self._queue.put
        )
        zone = settings.zone
        self._ice = IceConfiguration(settings.ice_servers, settings.turn)
        self.signalling = self._make_signalling()
        self.seats = Seats(self.database, self.signalling, clock)
        bookings = Bookings(self.database, clock, zone)
        self.quality = Quality(self.database, clock, kept=timedelta(days=settings.quality_days))
        self.help_calls = HelpCalls(self.database, self.publish, clock, changed=self._help_changed)
        drop_ins = DropIns(self.database, bookings, clock)
        self.services = self._make_services(bookings, drop_ins)
        self.bookings = FhirBookings(
            self.database,
            Clients(self.database),
            bookings,
            public_url=settings.web.public_url,
            changed=self.services.changed,
        )
        self.hooks = Hooks()
        self.hooks.on_message("up/intent", IceRequests(self._ice, self.publish, clock).heard)
        self.schedules = Schedules(
            self.database, self.publish, clock, zone, self.hooks.changed, keep=self.keep
        )
        self.places = Places(self.database, self.publish, clock)
        self.inbox = self._make_inbox(drop_ins)
        self.hooks.on_outbox(MOVED_IN, self.inbox.requests.expect)
        self.fleet = join_fleet(
            self.hooks, settings, self.database, self.publish, clock, up=lambda: self.link.up
        )
        self.notices = join_notices(
            self.hooks, settings, self.database, clock, leads=self.leads, up=lambda: self.link.up
        )
        self.figures = WorkerFigures(self._queue.qsize, lambda: self.link.up, self.leads)
        self.neighbours = self._make_neighbours()
        self._worker = Thread(target=self._work, name="region", daemon=True)
        self.turned_at = time.monotonic()
        """When the worker last began a turn of its loop (time.monotonic())."""
        self._stopping = Lock()
        self._stopped = False

    def _make_signalling(self) -> Signalling:
        settings = self.settings
        return Signalling(
            self.publish,
            self.clock,
            StoredSessionFacts(self.database, self.clock),
            self._note,
            secret=self.database.fact("secret"),
            ice=self._ice,
            ice_transport_policy=settings.ice_transport_policy,
            standings=StoredStandings(self.database),
            close_seat=self._close_seat,
        )

    def _make_neighbours(self) -> Neighbours:
        token = self.settings.web.metrics_token_file
        return Neighbours(
            self.fleet.uploads,
            FleetMetrics(self.database, self.clock, self.figures),
            token.read_text().strip() if token else None,
            self.leads,
        )

    def _make_services(self, bookings: Bookings, drop_ins: DropIns) -> Services:
        return Services(
            self.database,
            Accounts(self.database, self.clock),
            bookings,
            self.signalling,
            self.quality,
            help_calls=self.help_calls,
            seats=self.seats,
            intake=Intake(self.database, drop_ins, self.clock),
            clock=self.clock,
            zone=self.settings.zone,
            oidc=self.settings.oidc,
        )

    def _close_seat(self, seat_id: str) -> None:
        self.seats.close(seat_id)

    def _make_inbox(self, drop_ins: DropIns) -> Inbox:
        queues = Queues(self.database, self.clock)
        return Inbox(
            self.database,
            Fleet(self.database, self.clock),
            self.schedules,
            EventIntake(self.database, self.clock),
            self.quality,
            self.signalling,
            self.services,
            RoomRequests(self.database, drop_ins, queues, self.publish, self.clock),
            self.places,
            self.help_calls,
            self.publish,
            self.clock,
            self.hooks,
        )

    def start(self) -> None:
        """Begin to work."""
        self._worker.start()
        self.link.start()
        self.notices.start()

    def stop(self) -> None:
        """Stop in the reverse order; a second call waits for the first and does nothing."""
        with self._stopping:
            if self._stopped:
                return
            self._stopped = True
            self.services.end()
            self.link.stop()
            self.notices.stop()
            self._queue.put(None)
            if self._worker.is_alive():
                self._worker.join(STOP_TIMEOUT_S)
            self.database.close()

    def web_app(self) -> Flask:
        """The pages and the FHIR door."""
        from web.clinic import WebSettings, create_app

        web = self.settings.web
        settings = WebSettings(
            secret_key=_kept_secret(self.settings.state_dir / "web.secret"),
            public_url=web.public_url,
            time_zone=self.settings.timezone,
            support_phone=web.support_phone,
            max_feeds=web.threads - 24,
            quality_days=self.settings.quality_days,
            return_to=web.return_to,
            oidc=oidc_client(self.settings.oidc),
        )
        return create_app(
            self.services,
            self.bookings,
            settings,
            fleet=self.fleet.services,
            now=self.clock,
            neighbours=self.neighbours,
            readiness=self._readiness(),
            recipients=self._recipients(),
        )

    def _recipients(self) -> RecipientPages:
        ways = channels(self.settings, self.clock)
        return RecipientPages(self.database, Recipients(self.database, self.clock), ways)

    def _readiness(self) -> Readiness:
        zone = self.settings.zone
        return Readiness(
            self.database,
            Commands(self.database, self.clock),
            Moving(self.database, self.clock, zone),
            self.services.booker,
            self.services.changed,
            clock=self.clock,
            zone=zone,
        )

    def leads(self) -> bool:
        """Whether this instance is the one that acts."""
        return self._lease is None or self._lease.holds()

    def publish(self, topic: Topic, payload: bytes) -> bool:
        """Send to the broker, if this instance still leads. False: not sent."""
        return self.leads() and bool(self.link.publish(topic, payload))

    def keep(self, topic: Topic, payload: bytes) -> bool:
        """The same for who is away: the broker retains it and queues nothing. False: not sent."""
        return self.leads() and bool(self.link.publish(topic, payload, qos=0))

    def _on_message(self, topic: str, payload: bytes) -> None:
        self._queue.put((topic, payload))

    def _help_changed(self) -> None:
        self.services.help_changed()

    def _work(self) -> None:
        next_tick, more = time.monotonic(), False
        while True:
            self.turned_at = time.monotonic()
            messages, item = self._take(0.0 if more else max(0.0, next_tick - time.monotonic()))
            if messages:
                self._guarded(partial(self.inbox.handle_all, messages, self._guarded))
                self.figures.messages += len(messages)
            if item is None:
                return
            if item is True:
                self._guarded(self._connected)
            if (began_s := time.monotonic()) >= next_tick:
                self._guarded(self._tick)
                next_tick = time.monotonic() + TICK_S
                self.figures.tick_s, self.figures.ticked_at = time.monotonic() - began_s, self.clock()
            more = self._publish_some()

    def _publish_some(self) -> bool:
        try:
            return self.link.up and self.schedules.go_on()
        except Exception as error:
            log.error("schedules were not published: %s", kind_and_place(error))  # noqa: TRY400
            return False

    def _take(self, within_s: float) -> tuple[list[tuple[str, bytes]], bool | None]:
        """The messages that are there, and what came after them: up, gone or nothing (False), the end (None)."""
        messages: list[tuple[str, bytes]] = []
        with suppress(queue.Empty):
            item = self._queue.get(timeout=within_s)
            while isinstance(item, tuple):
                messages.append(item)
                if len(messages) == MESSAGES_TOGETHER:
                    break
                item = self._queue.get_nowait()
            else:
                return messages, item
        return messages, False

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            # One bad piece of work must not end the service. The error's text may repeat what a unit sent.
            place = kind_and_place(error)
            log.error("the region's worker failed at one piece of work and goes on: %s", place)  # noqa: TRY400

    def _connected(self) -> None:
        self.schedules.publish_soon()
        self.signalling.link_is_up()
        for connected in self.hooks.connected:
            self._guarded(connected)

    def _tick(self) -> None:
        works = (
            self._work_off_outbox,
            self.schedules.roll_over,
            self.signalling.tick,
            self.services.tell_entered,
            self.seats.tick,
            self._tick_places,
            self.quality.tick,
        )
        for tick in (*works, *self.hooks.ticks):
            self._guarded(tick)  # one that fails at every tick must not keep the others from theirs

    def _work_off_outbox(self) -> None:
        if self.link.up and self.schedules.work_off_outbox():
            self.services.changed()

    def _tick_places(self) -> None:
        if self.link.up and self.places.tick():
            self.services.changed()

    def _note(self, kind: str, sid: str, fields: Any) -> None:  # noqa: ANN401 - a mapping of plain values
        with self.database.write() as db:
            meeting_log.append(db, Entry(kind, self.clock(), sid=sid, fields=fields))


def _link_settings(settings: RegionSettings, lease: Lease | None) -> LinkSettings:
    broker = settings.broker
    return LinkSettings(
        host=broker.host,
        port=broker.port,
        client_id=broker.name,
        ca_file=broker.ca_file,
        certificate_file=broker.certificate_file,
        key_file=broker.key_file,
        filters=(up_filter(), bootstrap_up_filter()),
        backoff_max_s=BACKOFF_MAX_S,
        # What the broker kept for us from a time when we led before is older than what the other has done since.
        clean_start=lease is not None and lease.holder_before != broker.name,
    )


def _kept_secret(path: Path) -> str:
    """Signs the cookies; kept, so that a restart signs nobody out."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with path.open("x") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text().strip()
