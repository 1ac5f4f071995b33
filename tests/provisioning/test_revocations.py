"""A revoked unit: unheard, shown as revoked whatever still comes, and taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from agent.contract import Message, Topic, decode, encode
from agent.contract.events import Intent
from agent.contract.status import Status
from provisioning.database import Database
from provisioning.enrolments import Enrolments
from provisioning.models import UnitReport
from provisioning.revocations import Revocations
from web.clinic.services import Refused

UNIT = "unit-1"


@dataclass
class Gate:
    revocations: Revocations
    enrolments: Enrolments
    wire: Any
    clock: Any

    def hears(self, channel: str, data: Any, *levels: str, unit: str = UNIT) -> bool:
        topic = Topic(unit, channel, levels)
        message: Message = decode(str(topic), encode(data, now=self.clock()))
        return not self.revocations.turns_away(unit, message)

    def said(self) -> list[Any]:
        return [each and each.data.state for each in self.wire.take("up/status")]


@pytest.fixture
def gate(database: Database, wire: Any, clock: Any) -> Gate:
    return Gate(Revocations(database, wire.publish, clock), Enrolments(database, clock), wire, clock)


def test_what_a_revoked_unit_says_is_unheard_and_its_presence_overwritten(
    gate: Gate, database: Database
) -> None:
    assert gate.hears("up/status", Status(state="ready", boot=3))
    gate.enrolments.revoke(UNIT, "stolen", "acc-it")
    gate.clock.pass_by(seconds=2)  # another instance looks anew after a second
    assert not gate.hears("up/status", Status(state="ready", boot=3))
    assert gate.said() == ["revoked"]
    assert not gate.hears("up/status", Status(state="lost", boot=3))
    assert gate.said() == ["revoked"]
    assert not gate.hears("up/intent", Intent(), "help")
    assert not gate.hears("up/status", Status(state="revoked", boot=3))
    assert gate.said() == []  # our own word needs no answer
    assert gate.hears("up/status", Status(state="ready", boot=3), unit="unit-2")
    with database.read() as db:
        assert db.get_one(UnitReport, UNIT).state == "revoked"


def test_taken_back_it_is_heard_and_its_presence_is_its_own_again(gate: Gate) -> None:
    gate.enrolments.revoke(UNIT, "", "acc-it")
    gate.enrolments.unrevoke(UNIT, "acc-it")
    gate.revocations.look()
    gate.revocations.say(UNIT)
    assert gate.said() == [None]
    assert gate.hears("up/status", Status(state="ready", boot=3))


def test_what_cannot_be_revoked_or_taken_back_is_said(gate: Gate) -> None:
    with pytest.raises(Refused, match="unit-9 is not known"):
        gate.enrolments.revoke("unit-9", "", "acc-it")
    with pytest.raises(Refused, match="is not revoked"):
        gate.enrolments.unrevoke(UNIT, "acc-it")
    gate.enrolments.revoke(UNIT, "", "acc-it")
    with pytest.raises(Refused, match="revoked already"):
        gate.enrolments.revoke(UNIT, "", "acc-it")
