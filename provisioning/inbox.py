"""What comes up from the units: read, checked and handed to whom it concerns, on one thread."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract import ContractError, Message, Topic, decode, encode
from agent.contract.events import Ack, Event
from agent.faults import kind_and_place
from provisioning.database import Database
from provisioning.events import EventIntake
from provisioning.fleet import Fleet
from provisioning.help_calls import HelpCalls
from provisioning.hooks import Hooks
from provisioning.models import Base, Unit, UnitChain, UnitReport
from provisioning.quality import Quality
from provisioning.queues import Places
from provisioning.room_requests import RoomRequests
from provisioning.schedules import Publish, Schedules
from provisioning.services import Services
from provisioning.signalling import Signalling

log = logging.getLogger(__name__)

HELP = frozenset({"help", "help_over"})
Follow = Callable[[], None]
Guarded = Callable[[Callable[[], object]], None]


@dataclass(frozen=True, slots=True)
class Inbox:
    """Used by the region's worker thread only."""

    database: Database
    fleet: Fleet
    schedules: Schedules
    events: EventIntake
    quality: Quality
    signalling: Signalling
    services: Services
    requests: RoomRequests
    places: Places
    help_calls: HelpCalls
    publish: Publish
    clock: Callable[[], datetime]
    hooks: Hooks

    def handle(self, topic_text: str, payload: bytes) -> None:
        """Do what a message asks for. One that breaks the contract is dropped, its topic and field logged."""
        message = self._read(topic_text, payload)
        if message is not None:
            self._one(message)

    def handle_all(self, items: Sequence[tuple[str, bytes]], guarded: Guarded) -> None:
        """Do what messages ask for, in their order; guarded(work) lets no message's failure harm another.

        Reports that come in a row, as from a whole fleet that connects, are kept in one transaction.
        """
        read: list[Message] = []
        for item in items:
            guarded(partial(self._read_to, read, *item))
        for are_reports, some in groupby(read, key=lambda message: message.topic.channel in _REPORTS):
            messages = list(some)
            if not are_reports or len(messages) == 1 or not self._keep_together(messages, guarded):
                for message in messages:
                    guarded(partial(self._one, message))

    def _read_to(self, read: list[Message], topic_text: str, payload: bytes) -> None:
        message = self._read(topic_text, payload)
        if message is not None:
            read.append(message)

    def _read(self, topic_text: str, payload: bytes) -> Message | None:
        if not payload:
            return None  # a retained message was cleared
        try:
            message = decode(topic_text, payload)
        except ContractError as error:
            log.warning("message dropped: %s", error)
            return None
        return None if self.hooks.turns_away(message.topic.unit, message) else message

    def _one(self, message: Message) -> None:
        unit, channel = message.topic.unit, message.topic.channel
        if channel in _REPORTS:
            _REPORTS[channel](self, unit, message)()
            self.services.changed()
        elif channel in _HANDLERS:
            _HANDLERS[channel](self, unit, message)
        self.hooks.heard(unit, message)

    def _keep_together(self, messages: Sequence[Message], guarded: Guarded) -> bool:
        """Keep reports in one transaction and then do what follows from each; False if nothing was kept."""
        try:
            with self.database.together() as db:
                _kept = _rows_of(db, {message.topic.unit for message in messages})
                follow = [_REPORTS[m.topic.channel](self, m.topic.unit, m) for m in messages]
        except Exception as error:
            log.warning("%d reports are kept one by one: %s", len(messages), kind_and_place(error))
            return False
        for message, then in zip(messages, follow, strict=True):
            guarded(then)
            guarded(partial(self.hooks.heard, message.topic.unit, message))
        self.services.changed()
        return True

    def acknowledge(self, unit: str, ack: Ack) -> None:
        """Tell a unit what is kept, and by the envelope what time it is."""
        self.publish(Topic(unit, "dn/ack"), encode(ack, now=self.clock()))

    def _status(self, unit: str, message: Message) -> Follow:
        back = self.fleet.status(unit, message.data)
        ack = self.events.acknowledged(unit) if message.data.state != "lost" else None

        def follow() -> None:
            if ack is not None:
                self.acknowledge(unit, ack)
            if back:
                self.signalling.unit_is_back(unit)
                self.places.forget(unit)

        return follow

    def _info(self, unit: str, message: Message) -> Follow:
        self.fleet.info(unit, message.data)
        return _nothing

    def _schedule(self, unit: str, message: Message) -> Follow:
        again = self.schedules.keep_report(unit, message.data)

        def follow() -> None:
            if again:
                self.schedules.publish_schedule(unit)
            if self.requests.has_moved_in(unit):
                # Those who wait for the session go on to its new room.
                self.signalling.unit_is_back(unit)

        return follow

    def _config(self, unit: str, message: Message) -> Follow:
        self.fleet.config(unit, message.rev, message.data)
        return _nothing

    def _call(self, unit: str, message: Message) -> None:
        sid, peer = message.topic.levels
        self.signalling.from_unit(unit, sid, peer, message.data)

    def _event(self, unit: str, message: Message) -> None:
        event: Event = message.data
        if message.topic.levels != (event.kind,):
            log.warning("message dropped: %s: kind: is not the topic's", message.topic)
            return
        taken = self.events.take(unit, event)
        self.acknowledge(unit, taken.ack)
        if event.kind == "checked_in":
            self.requests.room_is_taken(unit)
        if taken.changed_sid:
            self.services.changed(taken.changed_sid)
        if taken.is_new:
            self.help_calls.event(unit, event)

    def _quality(self, unit: str, message: Message) -> None:
        self.quality.take(unit, message.data)

    def _intent(self, unit: str, message: Message) -> None:
        kind = message.topic.levels[0]
        log.info("unit %s asks: %s", unit, kind)
        if self.requests.take(unit, kind, message.data):
            self.services.changed()
        elif kind in HELP:
            self.help_calls.intent(unit, kind, message.data, message.ts)


def _rows_of(db: Session, units: Collection[str]) -> list[Base]:
    """What reports are about, read at once; while the list lives, the session asks for none of them again.

    Locked by name, as whoever changes many units' configurations does: neither waits for the other for ever.
    """
    tables = (Unit.id, UnitReport.unit_id, UnitChain.unit_id)
    queries = (select(name.class_).where(name.in_(units)).order_by(name).with_for_update() for name in tables)
    return [row for query in queries for row in db.scalars(query)]


def _nothing() -> None:
    """What follows from most reports."""


_REPORTS: dict[str, Callable[[Inbox, str, Any], Follow]] = {
    "up/status": Inbox._status,
    "up/info": Inbox._info,
    "up/schedule": Inbox._schedule,
    "up/config": Inbox._config,
}
"""These touch the database alone; what they return is done when it is kept, with no transaction open."""
_HANDLERS: dict[str, Callable[[Inbox, str, Any], None]] = {
    "up/call": Inbox._call,
    "up/event": Inbox._event,
    "up/event/quality": Inbox._quality,
    "up/intent": Inbox._intent,
}
