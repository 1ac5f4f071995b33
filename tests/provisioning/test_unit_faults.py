"""What units lack, over time, and which of it stands in the way of today's bookings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.status import Fault, Status
from provisioning.fleet import Fleet
from provisioning.models import BookedSession, UnitReport
from provisioning.readiness import NotReady, booked_until, not_ready_today
from provisioning.readiness_models import UnitFault
from tests.provisioning.conftest import CLINIC, ZONE

COVERED = Fault(probe="camera", instruction="camera_covered")
DARK = Fault(probe="camera", instruction="camera_dark", level="warn")
PANEL = Fault(probe="lamp", instruction="panel", level="warn")


class Units:
    """Says what units say, and reads what is kept of it."""

    def __init__(self, database: Any, clock: Any) -> None:
        self._database, self._clock = database, clock
        self._fleet = Fleet(database, clock)

    def say(self, state: Any, *faults: Fault, unit: str = "unit-1", boot: int = 1) -> None:
        self._fleet.status(unit, Status(state=state, boot=boot, faults=faults))

    def rows(self) -> list[tuple[str, str, float, float | None]]:
        """Instruction, level, begin and end in seconds after eight."""
        eight = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        with self._database.read() as db:
            return [
                (
                    row.instruction,
                    row.level,
                    (row.since - eight).total_seconds(),
                    (row.until - eight).total_seconds() if row.until else None,
                )
                for row in db.scalars(select(UnitFault).order_by(UnitFault.id))
            ]

    def not_ready(self, clinic: str | None = CLINIC) -> list[NotReady]:
        with self._database.read() as db:
            return not_ready_today(db, clinic, self._clock.now, ZONE)


@pytest.fixture
def units(database: Any, clock: Any) -> Units:
    return Units(database, clock)


def test_a_fault_lasts_until_a_test_no_longer_finds_it(units: Units, clock: Any) -> None:
    units.say("degraded", COVERED, DARK, PANEL, PANEL)
    clock.pass_by(seconds=30)
    units.say("degraded", COVERED, PANEL)
    clock.pass_by(seconds=30)
    units.say("ready")
    assert sorted(units.rows()) == [
        ("camera_covered", "fail", 0, 60),
        ("camera_dark", "warn", 0, 30),
        ("panel", "warn", 0, 60),
    ]
    units.say("degraded", COVERED)
    assert units.rows()[-1] == ("camera_covered", "fail", 60, None)


@pytest.mark.parametrize("state", ["lost", "stopping", "starting"])
def test_a_unit_that_has_not_tested_since_says_nothing_of_its_faults(units: Units, state: str) -> None:
    units.say("degraded", COVERED)
    units.say(state)
    assert units.rows() == [("camera_covered", "fail", 0, None)]


def test_of_what_several_parts_say_the_worse_counts_and_a_level_may_change(units: Units) -> None:
    worse = PANEL.model_copy(update={"level": "fail"})
    units.say("degraded", PANEL, worse, PANEL)
    assert units.rows() == [("panel", "fail", 0, None)]
    units.say("degraded", PANEL)
    assert units.rows() == [("panel", "warn", 0, None)]


def test_a_unit_that_is_swapped_away_leaves_no_fault_open(units: Units, rooms: Any, clock: Any) -> None:
    units.say("degraded", COVERED)
    clock.pass_by(seconds=5)
    rooms.assign("east", "unit-2")
    assert units.rows() == [("camera_covered", "fail", 0, 5)]


def test_a_room_is_listed_while_it_is_booked_and_lacks_something(
    units: Units, bookings: Any, booker: Any, wanted: Any, clock: Any
) -> None:
    units.say("degraded", DARK, COVERED)
    assert units.not_ready() == []
    first = bookings.book(booker, wanted(clock, hours=1))
    bookings.book(booker, wanted(clock, hours=3))
    bookings.book(booker, wanted(clock, hours=40))
    (line,) = units.not_ready()
    assert (line.room_id, line.room, line.unit, line.clinic) == ("east", "East", "unit-1", CLINIC)
    assert (line.instruction, line.level, line.since) == ("camera_covered", "fail", clock.now)
    assert line.faults == ("camera_covered", "camera_dark")
    assert (line.next.sid, line.next.ref, line.next_start) == (first.sid, first.ref, first.start)
    assert (line.remaining, line.told) == (2, ())
    assert units.not_ready(None) == [line]
    assert units.not_ready("Södra") == []
    clock.pass_by(hours=4)
    assert units.not_ready() == []


@pytest.mark.parametrize(
    ("state", "minutes", "instruction"),
    [("lost", 0, "lost"), ("stopping", 4, None), ("stopping", 6, "lost"), ("unknown", 0, "lost")],
)
def test_a_unit_that_is_away_cannot_be_used_whatever_it_said_before(
    units: Units, database: Any, clock: Any, state: str, minutes: float, instruction: str | None, wanted: Any,
    bookings: Any, booker: Any,
) -> None:  # fmt: skip
    bookings.book(booker, wanted(clock, hours=1))
    if state != "unknown":
        units.say("ready")
        units.say(state)
    clock.pass_by(minutes=minutes)
    assert [line.instruction for line in units.not_ready()] == ([instruction] if instruction else [])


def test_a_room_without_a_unit_that_may_be_used_says_so(
    units: Units, database: Any, clock: Any, wanted: Any, bookings: Any, booker: Any
) -> None:
    bookings.book(booker, wanted(clock, room_id="west"))
    (line,) = units.not_ready()
    assert (line.unit, line.unit_state, line.instruction, line.since) == (None, "unknown", "no_unit", None)
    bookings.book(booker, wanted(clock, hours=0.5))
    with database.write() as db:
        db.get_one(UnitReport, "unit-1").state = "revoked"
    assert [(each.room_id, each.instruction) for each in units.not_ready()] == [
        ("east", "no_unit"),
        ("west", "no_unit"),
    ]


def test_what_keeps_visits_out_comes_first_then_whose_patient_comes_first(
    units: Units, rooms: Any, clock: Any, wanted: Any, bookings: Any, booker: Any, database: Any
) -> None:
    rooms.assign("west", "unit-2")
    bookings.book(booker, wanted(clock, hours=1))
    west = bookings.book(booker, wanted(clock, hours=2, room_id="west"))
    units.say("degraded", DARK)
    units.say("degraded", COVERED, unit="unit-2")
    assert [line.room_id for line in units.not_ready()] == ["west", "east"]
    units.say("degraded", COVERED)
    assert [line.room_id for line in units.not_ready()] == ["east", "west"]
    with database.write() as db:
        db.get_one(BookedSession, west.sid).state = "ended"
    assert [line.room_id for line in units.not_ready()] == ["east"]


def test_an_evening_shows_the_next_morning() -> None:
    morning = datetime(2026, 11, 23, 7, 0, tzinfo=ZONE)
    assert booked_until(morning, ZONE) == datetime(2026, 11, 24, tzinfo=ZONE)
    evening = datetime(2026, 11, 23, 20, 0, tzinfo=ZONE)
    assert booked_until(evening, ZONE) == evening + timedelta(hours=12)
