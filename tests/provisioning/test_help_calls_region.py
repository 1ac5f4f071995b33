"""Calls for help at the region: who hears of them, who answers, what the room is told, and what survives."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from agent.contract.events import Intent
from provisioning import meeting_log
from provisioning.accounts import Accounts
from provisioning.database import Database
from provisioning.help_calls import ANSWER_SHOWN, LATE_AFTER, HelpCalls
from provisioning.rooms import Rooms
from web.clinic.services import Account, NotAllowed, Refused

SID = "k3v9q2m4x8t1"
SECOND = timedelta(seconds=1)


@dataclass
class Centre:
    """The region's side with its pages played: `told` counts how often they were asked to look again."""

    database: Database
    wire: Any
    clock: Any
    unit_hand: Any
    told: list[None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.calls = HelpCalls(
            self.database, self.wire.publish, self.clock, changed=lambda: self.told.append(None)
        )

    def rings(self, call_id: str = "a1", unit: str = "unit-1", kind: str = "help") -> None:
        self.calls.intent(unit, kind, Intent(id=call_id, sid=SID), self.clock.now)

    def tells(self, kind: str, call_id: str = "a1", ago: timedelta = timedelta(0)) -> None:
        event = self.unit_hand.event(kind, self.clock.now - ago, SID, id=call_id)
        self.calls.event("unit-1", event)

    def notices(self) -> list[str]:
        return [message.data.id for message in self.wire.take("dn/notice")]


@pytest.fixture
def centre(database: Database, rooms: Rooms, wire: Any, clock: Any, unit_hand: Any) -> Centre:
    return Centre(database, wire, clock, unit_hand)


def account(accounts: Accounts, name: str, role: str, clinic: str = "Norra vårdcentralen") -> Account:
    return accounts.add(name, name.title(), role, clinic, "correct horse battery")


@pytest.fixture
def anna(accounts: Accounts) -> Account:
    return account(accounts, "anna", "clinician")


@pytest.fixture
def bo(accounts: Accounts) -> Account:
    return account(accounts, "bo", "staff")


def test_a_call_rings_at_its_own_clinic_until_somebody_comes_and_all_see_who(
    centre: Centre, anna: Account, bo: Account, clock: Any
) -> None:
    centre.tells("help_asked")
    centre.rings()
    (line,) = centre.calls.lines(bo)
    assert (line.room_name, line.asked_at, line.rings) == ("East", clock.now, True)
    clock.pass_by(seconds=20)
    centre.calls.come(bo, "unit-1", "a1")
    assert centre.notices() == ["a1"]
    (mine,), (theirs,) = centre.calls.lines(bo), centre.calls.lines(anna)
    assert (mine.rings, mine.is_mine, theirs.is_mine, theirs.answered_by) == (False, True, False, "Bo")
    assert len(centre.told) == 3


def test_the_answer_is_logged_with_the_account(centre: Centre, bo: Account, database: Database) -> None:
    centre.rings()
    centre.calls.come(bo, "unit-1", "a1")
    with database.read() as db:
        entry = [each for each in meeting_log.all_entries(db) if each.kind == "help_taken"][-1]
    assert (entry.sid, entry.unit_id) == (SID, "unit-1")
    assert entry.fields == {"by": bo.id, "role": "staff", "identified": "account", "id": "a1"}


def test_of_two_who_say_that_they_come_the_first_one_does(centre: Centre, anna: Account, bo: Account) -> None:
    centre.rings()
    centre.calls.come(anna, "unit-1", "a1")
    centre.calls.come(bo, "unit-1", "a1")
    assert centre.notices() == ["a1"]
    assert centre.calls.lines(bo)[0].answered_by == "Anna"


def test_nobody_else_hears_or_answers(centre: Centre, accounts: Accounts) -> None:
    centre.rings()
    for stranger in (account(accounts, "cy", "staff", "Södra"), account(accounts, "it", "it")):
        assert centre.calls.lines(stranger) == []
        with pytest.raises(NotAllowed):
            centre.calls.come(stranger, "unit-1", "a1")
    assert centre.notices() == []


@pytest.mark.parametrize("end", ["event", "intent"])
def test_a_call_that_is_taken_back_is_over(centre: Centre, bo: Account, end: str) -> None:
    centre.rings()
    centre.tells("help_over", "another")
    assert len(centre.calls.lines(bo)) == 1
    if end == "event":
        centre.tells("help_over")
    else:
        centre.rings(kind="help_over")
    assert centre.calls.lines(bo) == []
    with pytest.raises(Refused, match="over"):
        centre.calls.come(bo, "unit-1", "a1")
    centre.rings()  # an intent that the broker held back
    assert centre.calls.lines(bo) == []


def test_a_unit_that_asks_again_is_told_again_that_somebody_comes(centre: Centre, bo: Account) -> None:
    centre.rings()
    centre.wire.up = False
    centre.calls.come(bo, "unit-1", "a1")
    centre.wire.up = True
    centre.restart()
    centre.rings()
    assert centre.notices() == ["a1"]


def test_an_open_call_survives_a_restart(centre: Centre, bo: Account, clock: Any) -> None:
    centre.rings()
    clock.pass_by(minutes=30)
    centre.restart()
    assert centre.calls.lines(bo)[0].rings


def test_what_was_asked_while_the_room_was_away_is_shown_and_does_not_ring(
    centre: Centre, bo: Account, clock: Any
) -> None:
    asked_at = clock.now - LATE_AFTER - SECOND
    centre.tells("help_asked", ago=LATE_AFTER + SECOND)
    (line,) = centre.calls.lines(bo)
    assert (line.rings, line.late, line.asked_at) == (False, True, asked_at)
    centre.rings()
    (line,) = centre.calls.lines(bo)
    assert (line.rings, line.late, line.asked_at) == (True, False, asked_at), "somebody still waits there"


def test_what_came_too_late_is_gone_when_one_has_seen_it(centre: Centre, bo: Account) -> None:
    centre.tells("help_asked", ago=2 * LATE_AFTER)
    centre.calls.come(bo, "unit-1", "a1")
    assert centre.calls.lines(bo) == []


def test_an_old_call_from_the_outbox_does_not_stand_over_the_one_that_rings(
    centre: Centre, bo: Account
) -> None:
    centre.rings("new")
    centre.tells("help_asked", "old", ago=timedelta(hours=1))
    centre.tells("help_over", "old", ago=timedelta(hours=1))
    assert [(line.id, line.rings) for line in centre.calls.lines(bo)] == [("new", True)]


def test_a_new_call_takes_the_place_of_the_one_that_was_answered(centre: Centre, bo: Account) -> None:
    centre.rings("a1")
    centre.calls.come(bo, "unit-1", "a1")
    centre.rings("a2")
    assert [(line.id, line.rings) for line in centre.calls.lines(bo)] == [("a2", True)]


def test_an_answer_is_not_shown_for_ever_when_the_unit_is_gone(
    centre: Centre, bo: Account, clock: Any
) -> None:
    centre.rings()
    centre.calls.come(bo, "unit-1", "a1")
    clock.pass_by(seconds=ANSWER_SHOWN.total_seconds())
    assert centre.calls.lines(bo) == []


def test_a_clock_ahead_of_ours_asks_now(centre: Centre, bo: Account, clock: Any) -> None:
    centre.tells("help_asked", ago=-timedelta(hours=1))
    assert centre.calls.lines(bo)[0].asked_at == clock.now


def test_a_unit_in_no_room_and_a_call_without_an_id_are_said_in_the_log(
    centre: Centre, bo: Account, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    centre.rings(unit="unit-2")
    centre.calls.intent("unit-1", "help", Intent(), centre.clock.now)
    assert "stands in no room" in caplog.text
    assert "without an id" in caplog.text
    assert centre.calls.lines(bo) == []
