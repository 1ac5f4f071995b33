"""Between the unit and the broker: topics and bytes on one side, events and effects on the other."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from pydantic import BaseModel

from agent.contract import PREFIX, ContractError, Message, Topic, decode, encode
from agent.contract.events import Ack, Intent
from agent.contract.instructions import instruction, worst_first
from agent.contract.quality import QualityReport
from agent.contract.schedule import Schedule, ScheduleReport
from agent.contract.signalling import (
    UNIT_PEER,
    Admit,
    Bye,
    ByeReason,
    Candidate,
    Chair,
    Join,
    Offer,
    Reject,
)
from agent.contract.status import Fault, Info, Status, UnitState
from agent.identity import Identity
from agent.link import LinkSettings
from agent.link_figures import LinkFigures
from agent.notices import Notices
from agent.room import State as RoomState
from agent.room import TestAsked
from agent.schedule import accept
from agent.session_state import OCCUPYING
from agent.signals import Calls, Signals
from agent.unit import Unit

log = logging.getLogger(__name__)

RESEND_S = 10.0
"""Events not acknowledged by then are sent again."""
ON_THE_WAY = frozenset({"network", "names", "region"})
"""Probes whose faults keep us from the region: once it is reached they are tried again at once."""
ASK_AGAIN_S = 5.0
"""A region that was away has not heard whether a session may resume."""


class Sender(Protocol):
    """The link's outgoing side."""

    @property
    def settings(self) -> LinkSettings: ...
    @property
    def figures(self) -> LinkFigures: ...
    @property
    def up(self) -> bool: ...
    def publish(self, topic: Topic, payload: bytes) -> bool: ...
    def hurry(self, in_call: bool) -> None: ...
    def doubt(self) -> None: ...
    def network_changed(self, addresses: Collection[str]) -> None: ...


def last_will(unit: str, boot: int, encode_now: Callable[[BaseModel], bytes]) -> tuple[Topic, bytes]:
    """What the broker says of a unit that is gone."""
    return Topic(unit, "up/status"), encode_now(Status(state="lost", boot=boot))


class Wire:
    """Everything the unit says to the region and hears from it. Used on the event loop."""

    def __init__(self, unit: Unit, identity: Identity, *, boot: int, info: Callable[[], Info]) -> None:
        self._unit = unit
        self._identity = identity
        self._boot = boot
        self._info = info
        self._told: Status | None = None
        self._in_call = False
        self._stopping = False
        self._sent = (0, 0)
        self._sent_at = 0.0
        self._asked_at = 0.0
        self._up_at = self._acked_at = float("-inf")
        self._signals = Signals(unit, identity.unit, self._send)
        self.notices = Notices()
        self.notices.on("help_answered", unit.help.answered)
        self.link: Sender | None = None
        self._heard: dict[str, Callable[[Message, bytes], None]] = {
            "dn/schedule": self._schedule,
            "dn/call": self._call,
            "dn/ack": self._ack,
            "dn/notice": self._notice,
        }
        self._on_cleared: dict[str, Callable[[Topic], None]] = {}
        self._on_connection: list[Callable[[bool], None]] = []
        self._after_ack: list[Callable[[], None]] = []

    def on(self, channel: str, heard: Callable[[Message, bytes], None]) -> None:
        """Let a part of the agent hear a channel, in place of who heard it before."""
        self._heard[channel] = heard

    def on_cleared(self, channel: str, told: Callable[[Topic], None]) -> None:
        """Tell a part of the agent when the region clears a retained message of a channel."""
        self._on_cleared[channel] = told

    def on_connection(self, told: Callable[[bool], None]) -> None:
        """Tell a part of the agent when the broker's connection comes up and goes."""
        self._on_connection.append(told)

    def after_ack(self, told: Callable[[], None]) -> None:
        """Tell a part of the agent when the region has answered over the present connection."""
        self._after_ack.append(told)

    def send(self, topic: Topic, body: BaseModel, rev: int | None = None) -> bool:
        """Send for a part of the agent; False when there is no connection."""
        return self._send(topic, body, rev)

    @property
    def calls(self) -> Calls | None:
        """The media side, which signalling serves."""
        return self._signals.calls

    @calls.setter
    def calls(self, calls: Calls) -> None:
        self._signals.calls = calls

    @property
    def up(self) -> bool:
        """Whether the broker is connected."""
        return self.link is not None and self.link.up

    def connection(self, up: bool) -> None:
        """The link came up or went: on every connect the unit says again what it is and has."""
        if self.calls is not None:
            self.calls.signalling(up)
        if up:
            self._up_at = self._unit.clock.monotonic_s()
            self._told = None
            self._sent = (0, 0)
            self.state_changed()
            self.info_changed()
            self._report_schedule()
            self.event_added()
            self._ask_unconfirmed()
            if any(instruction(key).probe in ON_THE_WAY for key in self._unit.room.faults):
                self._unit.room_event(TestAsked("again"))
        for told in self._on_connection:
            told(up)
        self._unit.changed()

    def say_again(self) -> None:
        """Say how the unit is though it is nothing new: the region acknowledges it, if it is there."""
        self._told = None
        self.state_changed()

    def has_heard_since(self, since_s: float) -> bool:
        """Whether the region has acknowledged something after this moment of the unit's monotonic clock, over the
        connection there is now."""
        return self.up and self._acked_at >= max(since_s, self._up_at)

    def doubt(self) -> None:
        """Media has stopped: the broker may be out of reach too, and nobody has told us."""
        if self.link is not None:
            self.link.doubt()

    def network_changed(self, addresses: Collection[str]) -> None:
        """This machine has these addresses now."""
        if self.link is not None:
            self.link.network_changed(addresses)

    def info_changed(self) -> None:
        """Say what the unit is and can do."""
        self._send(Topic(self._name, "up/info"), self._info())

    def message(self, topic: str, payload: bytes) -> None:
        """A message came; one that breaks the contract is logged by topic and field, and dropped."""
        if not payload:
            self._was_cleared(topic)
            return
        try:
            message = decode(topic, payload)
        except ContractError as error:
            channel = _channel_of(error.topic)
            about = {"halsorum_topic": channel, "halsorum_field": error.field}
            log.warning("message refused: %s: %s: %s", channel, error.field, error.reason, extra=about)
            return
        if message.topic.unit != self._name or not message.topic.channel.startswith("dn/"):
            log.warning("message refused: topic is not ours")
            return
        heard = self._heard.get(message.topic.channel)
        if heard is not None:
            heard(message, payload)

    def _was_cleared(self, text: str) -> None:
        """The region has cleared a retained message."""
        try:
            topic = Topic.parse(text)
        except ContractError:
            return
        told = self._on_cleared.get(topic.channel)
        if told is not None and topic.unit == self._name:
            told(topic)

    def state_changed(self) -> None:
        """Say how the unit is, when that is something new."""
        in_call = self._unit.held() is not None
        if in_call != self._in_call and self.link is not None:
            self._in_call = in_call
            self.link.hurry(in_call)
        if not self.up:
            return
        status = self._status()
        if status != self._told and self._send(Topic(self._name, "up/status"), status):
            self._told = status

    def stopping(self) -> None:
        """Say that the unit stops by its own will."""
        self._stopping = True
        self.state_changed()

    def event_added(self) -> None:
        """Send what was not yet sent, the oldest first."""
        for event in self._unit.outbox.pending() if self.up else ():
            number = (event.epoch, event.seq)
            if number <= self._sent:
                continue
            if not self._send(Topic(self._name, "up/event", (event.kind,)), event):
                return  # none may overtake another
            self._sent = number
            self._sent_at = self._unit.clock.monotonic_s()

    def tick(self) -> None:
        """Send again what was not acknowledged in time."""
        now_s = self._unit.clock.monotonic_s()
        if now_s - self._sent_at > RESEND_S:
            self._sent = (0, 0)
            self.event_added()
        if self.up and now_s - self._asked_at > ASK_AGAIN_S:
            self._ask_unconfirmed()

    def say_bye(self, sid: str, reason: str) -> None:
        """Tell the region that the session is over on this side."""
        ended: ByeReason = "ended" if reason == "ended" else "left"
        self._signals.up(sid, UNIT_PEER, lambda n: Bye(**n, reason=ended, end=True))

    def ask_resume(self, sid: str) -> None:
        """Ask whether a session goes on after a restart."""
        self._asked_at = self._unit.clock.monotonic_s()
        self._signals.up(sid, UNIT_PEER, lambda n: Join(**n, role="staff", identified="unit", resume=True))

    def offer(self, sid: str, peer: str, attempt: int, sdp: str) -> None:
        """Send our description to a party."""
        self._signals.up(sid, peer, lambda n: Offer(**n, attempt=attempt, sdp=sdp))

    def candidate(self, sid: str, peer: str, attempt: int, candidate: str, sdp_mid: str | None) -> None:
        """Send a party a way to us that our description does not hold."""
        self._signals.up(
            sid, peer, lambda n: Candidate(**n, attempt=attempt, candidate=candidate, sdp_mid=sdp_mid)
        )

    def admit_party(self, sid: str, peer: str) -> bool:
        """Staff in the room, who lead, let one in that waits outside; False without a connection."""
        return self._signals.up(sid, peer, lambda n: Admit(**n))

    def reject_party(self, sid: str, peer: str) -> bool:
        """They turn one away."""
        return self._signals.up(sid, peer, lambda n: Reject(**n))

    def give_chair(self, sid: str, holder: str) -> bool:
        """They hand the meeting to that party; the region says when it is so."""
        return self._signals.up(sid, UNIT_PEER, lambda n: Chair(**n, holder=holder))

    def intent(self, kind: str, intent: Intent) -> bool:
        """Ask the region for something; False when it cannot be reached."""
        return self._send(Topic(self._name, "up/intent", (kind,)), intent)

    def quality(self, report: QualityReport) -> bool:
        """Send a call's figures; False when there is no connection."""
        return self._send(Topic(self._name, "up/event/quality"), report)

    def forget(self, sid: str) -> None:
        """Keep nothing of a session."""
        self._signals.forget(sid)

    @property
    def _name(self) -> str:
        return self._identity.unit

    def _send(self, topic: Topic, body: BaseModel, rev: int | None = None) -> bool:
        return self.link is not None and self.link.publish(
            topic, encode(body, now=self._unit.clock.now(), rev=rev)
        )

    def _status(self) -> Status:
        room = self._unit.room
        faults = [Fault(probe=instruction(key).probe, instruction=key) for key in worst_first(room.faults)]
        faults += [
            Fault(probe=instruction(key).probe, instruction=key, level="warn")
            for key in worst_first(room.warnings)
        ]
        faults += [
            Fault(probe=part, instruction=name, level="warn")
            for name, parts in self._unit.notes.items()
            for part in parts
        ]
        return Status(state=self._unit_state(), boot=self._boot, faults=tuple(faults))

    def _unit_state(self) -> UnitState:
        room = self._unit.room
        if self._stopping:
            return "stopping"
        if room.state == RoomState.OCCUPIED:
            return "in_session"
        if room.faults or room.warnings or self._unit.notes:
            return "degraded"
        return "ready" if room.tested_at is not None else "starting"

    def _schedule(self, message: Message, payload: bytes) -> None:
        schedule: Schedule = message.data
        snapshot, report = accept(self._unit.snapshot, schedule, message.rev, payload)
        if report is None:
            return
        if report.outcome == "accepted":
            self._unit.replace_snapshot(snapshot)
            self._unit.memory.keep("schedule_report", report.model_dump_json().encode())
        if report.outcome == "rejected" or report.rejected:
            reason = report.reason or report.rejected[0].reason
            self._unit.record("schedule_rejected", None, {"rev": report.rev, "reason": reason[:120]})
        self._send(Topic(self._name, "up/schedule"), report)

    def _report_schedule(self) -> None:
        """Say again which snapshot is held: a broker that was killed may have lost both it and our word."""
        kept = self._unit.store.get("schedule_report")
        if kept is not None:
            self._send(Topic(self._name, "up/schedule"), ScheduleReport.model_validate_json(kept))

    def _ask_unconfirmed(self) -> None:
        for session in self._unit.sessions.values():
            if session.state in OCCUPYING and not session.confirmed:
                self.ask_resume(session.plan.sid)

    def _ack(self, message: Message, _payload: bytes) -> None:
        ack: Ack = message.data
        self._unit.clock.learn(message.ts, fresh=True)
        self._acked_at = self._unit.clock.monotonic_s()
        with suppress(sqlite3.Error):  # the store says what is wrong with it; the region acknowledges again
            self._unit.outbox.acknowledge(ack.epoch, ack.seq)
        self.event_added()
        for told in self._after_ack:
            told()

    def _call(self, message: Message, _payload: bytes) -> None:
        self._signals.hear(message)

    def _notice(self, message: Message, _payload: bytes) -> None:
        self._unit.clock.learn(message.ts, fresh=False)
        self.notices.take(message.topic.levels[0], message.data)


def _channel_of(topic: str) -> str:
    """A topic's channel: its further levels name a session, which no log is to remember."""
    return "/".join(topic.split("/")[4:6]) if topic.startswith(f"{PREFIX}/") else topic
