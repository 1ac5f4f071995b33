"""Who may unlock the screens, with which PINs, and what the units are told of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from provisioning.database import Database
from provisioning.models import OutboxRow, Unit
from provisioning.queues import Queues
from provisioning.staff import StaffMembers, check_pin
from tests.provisioning.conftest import CLINIC, QUICK_HASHER
from web.clinic.services import Refused


@pytest.fixture
def staff(database: Database, clock: Any, rooms: Any) -> StaffMembers:
    return StaffMembers(database, clock, QUICK_HASHER)


def config(database: Database, unit: str = "unit-1") -> dict[str, Any]:
    with database.read() as db:
        return db.get_one(Unit, unit).config


@pytest.mark.parametrize("pin", ["4711", "83091", "470216", "90817263", "1945673"])
def test_a_pin_that_tells_nothing_is_taken(pin: str) -> None:
    check_pin(pin)


@pytest.mark.parametrize("pin", ["", "471", "471102834", "47a1", "４７１１", " 4711"])
def test_what_is_no_pin_is_refused(pin: str) -> None:
    with pytest.raises(Refused, match="4 to 8 digits"):
        check_pin(pin)


@pytest.mark.parametrize(
    "pin",
    [
        "0000",
        "1234",
        "4321",
        "7890",
        "1357",
        "1212",
        "123123",
        "1122",
        "1984",
        "2026",
        "2580",
        "0852",
        "11111112",
    ],
)
def test_what_everybody_tries_first_is_refused(pin: str) -> None:
    with pytest.raises(Refused, match="guessed"):
        check_pin(pin)


def test_the_units_of_the_clinic_follow_and_hold_digests_alone(
    staff: StaffMembers, database: Database, rooms: Any
) -> None:
    anna = staff.add("Anna", CLINIC, "471102")
    staff.add("Bo", "Södra vårdcentralen", "471102")
    (told,) = config(database)["staff"]
    assert (told["id"], told["label"]) == (anna, "Anna")
    assert QUICK_HASHER.verify(told["pin_digest"], "471102")
    staff.set_pin(anna, "830915")
    assert QUICK_HASHER.verify(config(database)["staff"][0]["pin_digest"], "830915")
    rooms.assign("west", "unit-2")
    assert [each["id"] for each in config(database, "unit-2")["staff"]] == [anna]
    staff.remove(anna)
    assert config(database)["staff"] == config(database, "unit-2")["staff"] == []
    assert [row.label for row in staff.list()] == ["Bo"]
    with pytest.raises(Refused, match="not known"):
        staff.remove(anna)
    with pytest.raises(Refused, match="not known"):
        staff.set_pin(anna, "471102")


def test_people_choose_themselves_by_a_label_of_their_own(staff: StaffMembers) -> None:
    first = staff.add("Anna", CLINIC, "471102")
    with pytest.raises(Refused, match="is taken"):
        staff.add(" anna ", CLINIC, "830915")
    staff.remove(first)
    assert staff.add("Anna", CLINIC, "830915") != first, "the log tells the two apart"
    for label in ("", "   ", "A" * 21, "A\nB"):
        with pytest.raises(Refused, match="1 to 20"):
            staff.add(label, CLINIC, "830915")


def test_a_screen_holds_sixty_people(staff: StaffMembers) -> None:
    for number in range(60):
        staff.add(f"S{number}", CLINIC, "471102")
    with pytest.raises(Refused, match="60"):
        staff.add("S60", CLINIC, "471102")


def test_a_unit_knows_the_centres_other_rooms_and_the_queues_it_may_ask(
    database: Database, rooms: Any, clock: Any
) -> None:
    rooms.add_room("far", "Far", "Södra vårdcentralen")
    queues = Queues(database, clock)
    queues.add("norr", "Norra jouren", CLINIC)
    queues.add("soder", "Södra jouren", "Södra vårdcentralen", ["Södra vårdcentralen"])
    assert config(database)["rooms"] == [{"id": "west", "name": "West"}]
    assert config(database)["queues"] == [{"id": "norr", "name": "Norra jouren"}]
    queues.remove("norr")
    assert config(database)["queues"] == []


def test_what_is_as_it_was_is_not_published_anew(staff: StaffMembers, database: Database, rooms: Any) -> None:
    with database.write() as db:
        for row in db.scalars(select(OutboxRow)):
            db.delete(row)
        rev = db.get_one(Unit, "unit-1").config_rev
    rooms.add_room("far", "Far", "Södra vårdcentralen")
    staff.add("Bo", "Södra vårdcentralen", "471102")
    with database.read() as db:
        assert db.get_one(Unit, "unit-1").config_rev == rev
        assert db.scalars(select(OutboxRow)).all() == []
