"""Who waits in a queue, at which place, and who takes them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.status import Status
from provisioning import meeting_log
from provisioning.dropins import DropIns
from provisioning.fleet import Fleet
from provisioning.models import BookedSession, QueueEntry
from provisioning.queues import EXPIRES_AFTER, HALF_TAKEN, Intake, Places, Queues
from tests.provisioning.conftest import CLINIC
from web.clinic.services import Account, NotAllowed, Refused

SOUTH = "Södra vårdcentralen"
EVA = Account("acc-eva", "Eva", "clinician", SOUTH)
LARS = Account("acc-lars", "Lars", "clinician", SOUTH)


class House:
    def __init__(self, database: Any, bookings: Any, rooms: Any, wire: Any, clock: Any) -> None:
        self.database, self.clock, self.wire = database, clock, wire
        rooms.assign("west", "unit-2")
        fleet = Fleet(database, clock)
        for unit in ("unit-1", "unit-2"):
            fleet.status(unit, Status(state="ready", boot=1))
        self.queues = Queues(database, clock)
        self.queues.add("jour", "Jouren", SOUTH)
        self.intake = Intake(database, DropIns(database, bookings, clock), clock)
        self.places = Places(database, wire.publish, clock)

    def told(self) -> dict[str, tuple[str | None, int | None]]:
        """What each unit hears in the next second."""
        self.clock.pass_by(seconds=1)
        self.places.tick()
        return {each.topic.unit: (each.data.queue, each.data.place) for each in self.wire.take("dn/notice")}

    def waiting(self, account: Account = EVA) -> list[str]:
        return [each.room.id for queue in self.intake.queues(account) for each in queue.waiting]

    def entries(self) -> list[QueueEntry]:
        with self.database.read() as db:
            return list(db.scalars(select(QueueEntry).order_by(QueueEntry.id)))


@pytest.fixture
def house(database: Any, bookings: Any, rooms: Any, wire: Any, clock: Any) -> House:
    return House(database, bookings, rooms, wire, clock)


@pytest.fixture
def both_wait(house: House) -> House:
    assert house.queues.ask("unit-2", "jour", "s1") == ""
    house.clock.pass_by(seconds=30)
    assert house.queues.ask("unit-1", "jour", None) == ""
    return house


def test_first_come_first_and_each_is_told_its_place(both_wait: House) -> None:
    assert both_wait.waiting() == ["west", "east"]
    assert both_wait.told() == {"unit-2": ("jour", 1), "unit-1": ("jour", 2)}
    assert both_wait.told() == {}, "nothing has changed"
    both_wait.clock.pass_by(seconds=15)
    assert both_wait.told() == {"unit-2": ("jour", 1), "unit-1": ("jour", 2)}
    assert both_wait.queues.leave("unit-2")
    assert both_wait.told() == {"unit-2": (None, None), "unit-1": ("jour", 1)}
    assert not both_wait.queues.leave("unit-2")


def test_asking_again_keeps_the_place_and_another_queue_gives_it_up(both_wait: House) -> None:
    both_wait.queues.add("natt", "Natten", SOUTH)
    both_wait.queues.ask("unit-2", "jour", "s1")
    assert both_wait.waiting() == ["west", "east"]
    both_wait.queues.ask("unit-2", "natt", "s1")
    assert both_wait.told() == {"unit-1": ("jour", 1), "unit-2": ("natt", 1)}


def test_a_new_wait_is_not_ended_by_word_of_an_old_one(both_wait: House) -> None:
    both_wait.queues.leave("unit-2")
    both_wait.queues.ask("unit-2", "jour", None)
    both_wait.intake.take(EVA, "jour", both_wait.entries()[-1].id)
    assert "unit-2" not in both_wait.told()


@pytest.mark.parametrize(
    ("unit", "queue", "reason"), [("unit-9", "jour", "no_such_room"), ("unit-1", "x", "no_queue")]
)
def test_who_may_not_ask_is_told_why(house: House, unit: str, queue: str, reason: str) -> None:
    assert house.queues.ask(unit, queue, None) == reason


def test_a_queue_that_is_not_for_this_clinics_rooms(house: House) -> None:
    house.queues.add("natt", "Natten", SOUTH, [SOUTH])
    assert house.queues.ask("unit-1", "natt", None) == "no_queue"


def test_one_click_books_the_room_for_the_queues_clinic(both_wait: House, clock: Any) -> None:
    sid = both_wait.intake.take(EVA, "jour", None)
    with both_wait.database.read() as db:
        row = db.get_one(BookedSession, sid)
    assert (row.room_id, row.kind, row.waiting_room, row.clinic.name) == ("west", "dropin", False, SOUTH)
    assert row.room.clinic.name == CLINIC
    assert row.start == clock.now
    assert both_wait.waiting() == ["east"]
    assert both_wait.told() == {"unit-1": ("jour", 1)}, "the one taken hears it by its schedule"
    assert both_wait.entries()[0].sid == sid


def test_the_log_says_how_the_one_who_took_it_was_identified(both_wait: House) -> None:
    sid = both_wait.intake.take(replace(EVA, identified="oidc"), "jour", None)
    with both_wait.database.read() as db:
        told = {entry.kind: entry.fields for entry in meeting_log.of_session(db, sid)}
    assert told["queue_taken"] | {"role": "clinician", "identified": "oidc"} == told["queue_taken"]
    assert {fields["identified"] for fields in told.values()} == {"oidc"}


def test_of_two_who_take_the_same_one_at_once_one_gets_it(both_wait: House) -> None:
    first = both_wait.entries()[0].id

    def take(account: Account) -> str:
        try:
            both_wait.intake.take(account, "jour", first)
        except Refused as refused:
            return refused.reason
        return "taken"

    with ThreadPoolExecutor(2) as hands:
        answers = sorted(hands.map(take, (EVA, LARS)))
    assert answers == ["taken", "was taken by a colleague, or waits no longer"]
    assert both_wait.waiting() == ["east"]


def test_others_queues_are_others(both_wait: House) -> None:
    assert both_wait.waiting(Account("a", "Anna", "clinician", CLINIC)) == []
    with pytest.raises(NotAllowed):
        both_wait.intake.take(Account("a", "Anna", "clinician", CLINIC), "jour", None)
    with pytest.raises(NotAllowed):
        both_wait.intake.take(Account("p", "Per", "staff", SOUTH), "jour", None)
    with pytest.raises(Refused, match="not known"):
        both_wait.intake.take(EVA, "nosuch", None)


def test_an_empty_queue_gives_nobody(house: House) -> None:
    with pytest.raises(Refused, match="empty"):
        house.intake.take(EVA, "jour", None)


def test_a_room_that_cannot_be_reached_keeps_its_place(both_wait: House) -> None:
    Fleet(both_wait.database, both_wait.clock).status("unit-2", Status(state="lost", boot=1))
    with pytest.raises(Refused, match="out of reach"):
        both_wait.intake.take(EVA, "jour", None)
    assert both_wait.waiting() == ["west", "east"]


def test_a_room_that_was_booked_meanwhile_waits_no_more(
    both_wait: House, bookings: Any, booker: Any, wanted: Any, clock: Any
) -> None:
    bookings.book(booker, wanted(clock, hours=0, room_id="west"))
    with pytest.raises(Refused, match="is taken now"):
        both_wait.intake.take(EVA, "jour", None)
    assert both_wait.told()["unit-2"] == (None, None)


def test_it_outlives_a_restart_and_a_kill_between_taking_and_booking(both_wait: House) -> None:
    both_wait.told()
    both_wait.places = Places(both_wait.database, both_wait.wire.publish, both_wait.clock)
    assert both_wait.told() == {"unit-2": ("jour", 1), "unit-1": ("jour", 2)}
    with both_wait.database.write() as db:
        entry = db.get_one(QueueEntry, both_wait.entries()[0].id)
        entry.state, entry.changed_at = "taken", both_wait.clock.now
    assert both_wait.told() == {"unit-1": ("jour", 1)}
    both_wait.clock.pass_by(seconds=HALF_TAKEN.total_seconds())
    assert both_wait.told()["unit-2"] == ("jour", 1)


def test_who_waits_for_hours_is_forgotten_and_told(both_wait: House) -> None:
    both_wait.clock.pass_by(seconds=EXPIRES_AFTER / timedelta(seconds=1))
    assert both_wait.told() == {"unit-1": (None, None), "unit-2": (None, None)}
    assert [entry.state for entry in both_wait.entries()] == ["expired", "expired"]


def test_one_who_is_taken_at_the_last_moment_is_not_forgotten(
    both_wait: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    both_wait.clock.pass_by(seconds=EXPIRES_AFTER / timedelta(seconds=1))
    write, taken = both_wait.database.write, []

    def after_a_colleague() -> Any:
        monkeypatch.undo()
        taken.append(both_wait.intake.take(EVA, "jour", None))
        return write()

    monkeypatch.setattr(both_wait.database, "write", after_a_colleague)
    both_wait.told()
    assert taken
    assert [entry.state for entry in both_wait.entries()] == ["taken", "expired"]


def test_with_the_broker_away_the_word_waits(both_wait: House, wire: Any) -> None:
    both_wait.queues.leave("unit-2")
    wire.up = False
    assert both_wait.told() == {}
    wire.up = True
    assert both_wait.told() == {"unit-2": (None, None), "unit-1": ("jour", 1)}


def test_a_unit_that_is_back_hears_its_place_at_once(both_wait: House) -> None:
    both_wait.told()
    both_wait.places.forget("unit-2")
    assert both_wait.told() == {"unit-2": ("jour", 1)}


def test_a_closed_queue_lets_everybody_go_and_may_be_opened_again(both_wait: House) -> None:
    both_wait.queues.remove("jour")
    assert both_wait.told() == {"unit-1": (None, None), "unit-2": (None, None)}
    with pytest.raises(Refused, match="not known"):
        both_wait.queues.remove("jour")
    both_wait.queues.add("jour", "Jouren", SOUTH)
    with pytest.raises(Refused, match="exists already"):
        both_wait.queues.add("jour", "Jouren", SOUTH)
    assert [(row.id, count) for row, count in both_wait.queues.list()] == [("jour", 0)]


@pytest.mark.parametrize(
    ("queue", "rooms_of", "field"), [("Jour", (), "queue"), ("natt", ("Nowhere",), "rooms_of")]
)
def test_a_queue_needs_an_id_and_clinics_that_are_here(
    house: House, queue: str, rooms_of: tuple[str, ...], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        house.queues.add(queue, "", SOUTH, rooms_of)
    assert refused.value.field_name == field
