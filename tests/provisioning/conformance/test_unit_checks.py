"""A unit that keeps the contract passes every check; one that breaks it is found out."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from agent.contract import ContractError, Message, Topic, decode, encode
from agent.contract.commands import KNOWN, CommandReport
from agent.contract.events import GENESIS, Event, event_hash
from agent.contract.schedule import ScheduleReport, check_sessions
from agent.contract.status import Info, Status
from agent.contract.unit_config import ConfigReport
from provisioning.conformance.checks import Outcome, run_checks
from provisioning.conformance.peer import Patience, Peer, now
from provisioning.conformance.unit_checks import CHECKS, PlayedRegion

QUICK = Patience(answer_s=0.15, long_s=0.3, silence_s=0.02)
UNIT = "unit-1"
RESEND_S = 0.03
TELLS_FOR = timedelta(seconds=5)


@dataclass
class PlayedUnit:
    """Keeps the contract, but for what a test has it do otherwise."""

    held: tuple[int, int] = (1, 7)
    config: tuple[int, int] = (1, 2)
    done: set[str] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    acked: int = 0
    peer: Peer = None  # type: ignore[assignment]

    def start(self) -> Peer:
        self.peer = Peer(self.take, QUICK)
        self.up("up/status", Status(state="ready", boot=3))
        info = Info(software="1", board="sim", certificate_sha256="0" * 64, certificate_not_after=now())
        self.up("up/info", info)
        self.report("accepted", *self.held)
        self.up("up/config", ConfigReport(applied=True, epoch=1), rev=2)
        return self.peer

    def up(self, channel: str, body: Any, *levels: str, **named: Any) -> None:
        self.peer.came(str(Topic(UNIT, channel, levels)), encode(body, now=now(), **named))

    def report(self, outcome: Any, epoch: int, rev: int, rejected: Any = ()) -> None:
        body = ScheduleReport(epoch=epoch, rev=rev, sha256="0" * 64, outcome=outcome, rejected=rejected)
        self.up("up/schedule", body)

    def take(self, topic: Topic, payload: bytes) -> bool:
        if not payload:
            return True
        try:
            message = decode(str(topic), payload)
        except ContractError:
            return self.bad(topic, payload)
        handler = getattr(self, "on_" + topic.channel.replace("/", "_"), None)
        if handler is not None:
            handler(message)
        return True

    def bad(self, _topic: Topic, _payload: bytes) -> bool:
        return True

    def on_dn_schedule(self, message: Message) -> None:
        number = (message.data.epoch, message.rev or 0)
        if number <= self.held:
            return
        self.held = number
        rejected = check_sessions(message.data)[1]
        self.report("accepted", *number, rejected=rejected)
        if rejected:
            self.happened()

    def happened(self) -> None:
        prev = self.events[-1].hash if self.events else GENESIS
        content: dict[str, Any] = {"epoch": 1, "seq": len(self.events) + 1, "prev": prev, "sid": None}
        at = now()
        digest = event_hash(**content, at=at.isoformat(), kind="schedule_rejected", fields={})
        event = Event(**content, at=at, kind="schedule_rejected", hash=digest, signature="x")
        self.events.append(event)
        self.tell(event)

    def tell(self, event: Event) -> None:
        if event.seq > self.acked and now() - event.at < TELLS_FOR:
            self.up("up/event", event, event.kind)
            again = threading.Timer(RESEND_S, self.tell, [event])
            again.daemon = True
            again.start()

    def on_dn_ack(self, message: Message) -> None:
        self.acked = message.data.seq

    def on_dn_config(self, message: Message) -> None:
        number = (message.data.epoch, message.rev or 0)
        errors = () if message.data.languages is None or message.data.languages else ("languages: none",)
        if number > self.config and not errors:
            self.config = number
        epoch, rev = self.config
        self.up("up/config", ConfigReport(applied=not errors, errors=errors, epoch=epoch), rev=rev)

    def on_dn_cmd(self, message: Message) -> None:
        number = message.topic.levels[0]
        if number in self.done:
            return
        self.done.add(number)
        if message.expires_at is None:
            states: tuple[Any, ...] = ("rejected",)
        elif message.expires_at < now():
            states = ("expired",)
        else:
            states = ("accepted", "running", "succeeded") if message.data.name in KNOWN else ("rejected",)
        for state in states:
            self.up("up/cmd", CommandReport(state=state), number)


def check(unit: PlayedUnit, **named: Any) -> dict[str, Outcome]:
    return {each.name: each for each in run_checks(CHECKS, PlayedRegion(UNIT, unit.start(), **named))}


def test_a_unit_that_keeps_the_contract_passes_all() -> None:
    outcomes = check(PlayedUnit())
    others = {name: each.said for name, each in outcomes.items() if each.result != "pass"}
    assert set(others) == {"loss"}  # nobody cut its power
    assert outcomes["loss"].result == "not applicable"


def test_its_loss_is_waited_for() -> None:
    unit = PlayedUnit()
    region = PlayedRegion(UNIT, unit.start(), wait_loss_s=2)
    threading.Timer(0.05, lambda: unit.up("up/status", Status(state="lost", boot=3))).start()
    (outcome,) = run_checks(CHECKS[-1:], region)
    assert (outcome.result, outcome.said) == ("pass", "lost, boot 3")


class TakesOlder(PlayedUnit):
    def on_dn_schedule(self, message: Message) -> None:
        self.held = (-1, -1)
        super().on_dn_schedule(message)


class RejectsWhole(PlayedUnit):
    def on_dn_schedule(self, message: Message) -> None:
        if check_sessions(message.data)[1]:
            self.report("rejected", message.data.epoch, message.rev or 0)
        else:
            super().on_dn_schedule(message)


class TakesVersionTwo(PlayedUnit):
    def bad(self, topic: Topic, payload: bytes) -> bool:
        if b'"v": 2' in payload:
            self.take(topic, payload.replace(b'"v": 2', b'"v": 1'))
        return True


class Falls(PlayedUnit):
    fallen = False

    def bad(self, _topic: Topic, _payload: bytes) -> bool:
        self.fallen = True
        return True

    def on_dn_schedule(self, message: Message) -> None:
        if not self.fallen:
            super().on_dn_schedule(message)


class TakesAnyConfig(PlayedUnit):
    def on_dn_config(self, message: Message) -> None:
        self.up("up/config", ConfigReport(applied=True, epoch=message.data.epoch), rev=message.rev)


class RunsTwice(PlayedUnit):
    def on_dn_cmd(self, message: Message) -> None:
        self.done.clear()
        super().on_dn_cmd(message)


class RunsAnything(PlayedUnit):
    def on_dn_cmd(self, message: Message) -> None:
        self.up("up/cmd", CommandReport(state="succeeded"), message.topic.levels[0])


class TellsOnce(PlayedUnit):
    def tell(self, event: Event) -> None:
        self.up("up/event", event, event.kind)


class NeverStops(PlayedUnit):
    def on_dn_ack(self, _message: Message) -> None:
        """Hears nothing."""


class Garbled(PlayedUnit):
    def on_dn_ack(self, message: Message) -> None:
        super().on_dn_ack(message)
        self.peer.came(f"hr/v1/u/{UNIT}/up/status", b"ready")


@pytest.mark.parametrize(
    ("kind", "found_by"),
    [
        (TakesOlder, "older schedule"),
        (RejectsWhole, "bad session"),
        (TakesVersionTwo, "other version"),
        (Falls, "bad messages"),
        (TakesAnyConfig, "configuration"),
        (RunsTwice, "command once"),
        (RunsAnything, "expired command"),
        (RunsAnything, "no expiry"),
        (RunsAnything, "unknown command"),
        (TellsOnce, "events"),
        (NeverStops, "events"),
        (Garbled, "well-formed"),
    ],
)
def test_one_that_breaks_it_is_found_out(kind: type[PlayedUnit], found_by: str) -> None:
    outcome = check(kind())[found_by]
    assert outcome.result == "fail", outcome.said
    assert "the check itself failed" not in outcome.said
