"""What comes up from the units: read, checked and handed to whom it concerns, on one thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agent.contract import ContractError, Message, Topic, decode, encode
from agent.contract.events import Ack, Event
from provisioning.events import EventIntake
from provisioning.fleet import Fleet
from provisioning.help_calls import HelpCalls
from provisioning.hooks import Hooks
from provisioning.quality import Quality
from provisioning.queues import Places
from provisioning.room_requests import RoomRequests
from provisioning.schedules import Publish, Schedules
from provisioning.services import Services
from provisioning.signalling import Signalling

log = logging.getLogger(__name__)

HELP = frozenset({"help", "help_over"})


@dataclass(frozen=True, slots=True)
class Inbox:
    """Used by the region's worker thread only."""

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
        if not payload:
            return  # a retained message was cleared
        try:
            message = decode(topic_text, payload)
        except ContractError as error:
            log.warning("message dropped: %s", error)
            return
        if self.hooks.turns_away(message.topic.unit, message):
            return
        handler = _HANDLERS.get(message.topic.channel)
        if handler is not None:
            handler(self, message.topic.unit, message)
        self.hooks.heard(message.topic.unit, message)

    def acknowledge(self, unit: str, ack: Ack) -> None:
        """Tell a unit what is kept, and by the envelope what time it is."""
        self.publish(Topic(unit, "dn/ack"), encode(ack, now=self.clock()))

    def _status(self, unit: str, message: Message) -> None:
        back = self.fleet.status(unit, message.data)
        if message.data.state != "lost":
            self.acknowledge(unit, self.events.acknowledged(unit))
        if back:
            self.signalling.unit_is_back(unit)
            self.places.forget(unit)
        self.services.changed()

    def _info(self, unit: str, message: Message) -> None:
        self.fleet.info(unit, message.data)

    def _schedule(self, unit: str, message: Message) -> None:
        self.schedules.reported(unit, message.data)
        if self.requests.has_moved_in(unit):
            self.signalling.unit_is_back(unit)  # those who wait for the session go on to its new room
        self.services.changed()

    def _config(self, unit: str, message: Message) -> None:
        self.fleet.config(unit, message.rev, message.data)

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


_HANDLERS: dict[str, Callable[[Inbox, str, Any], None]] = {
    "up/status": Inbox._status,
    "up/info": Inbox._info,
    "up/schedule": Inbox._schedule,
    "up/config": Inbox._config,
    "up/call": Inbox._call,
    "up/event": Inbox._event,
    "up/event/quality": Inbox._quality,
    "up/intent": Inbox._intent,
}
