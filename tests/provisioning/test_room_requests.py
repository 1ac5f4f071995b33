"""What the region does with staff's wishes, and how it answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.contract.events import Intent
from agent.contract.schedule import ScheduleReport
from agent.contract.status import Fault, Status
from provisioning import meeting_log
from provisioning.dropins import DropIns
from provisioning.fleet import Fleet
from provisioning.models import BookedSession
from provisioning.queues import Queues
from provisioning.room_requests import RoomRequests
from provisioning.schedules import Schedules
from tests.provisioning.conftest import CLINIC, ZONE


class House:
    """Two rooms with a unit each; `west` is well unless a test says otherwise."""

    def __init__(self, database: Any, bookings: Any, booker: Any, rooms: Any, wire: Any, clock: Any) -> None:
        self.database, self.clock, self.wire, self.rooms = database, clock, wire, rooms
        self._bookings, self._booker = bookings, booker
        rooms.assign("west", "unit-2")
        self.fleet = Fleet(database, clock)
        for unit in ("unit-1", "unit-2"):
            self.fleet.status(unit, Status(state="ready", boot=1))
        drop_ins = DropIns(database, bookings, clock)
        self.requests = RoomRequests(database, drop_ins, Queues(database, clock), wire.publish, clock)

    def book(self, request: Any) -> str:
        return self._bookings.book(self._booker, request).sid

    def ask(self, kind: str, unit: str = "unit-1", **fields: Any) -> tuple[bool, str | None, int | None]:
        self.requests.take(unit, kind, Intent(**({"id": "q1", "by": "s1"} | fields)))
        (answer,) = self.wire.take("dn/notice")
        assert answer.data.id == fields.get("id", "q1")
        return answer.data.ok, answer.data.reason, answer.data.minutes

    def row(self, sid: str) -> BookedSession:
        with self.database.read() as db:
            return db.get_one(BookedSession, sid)

    def is_in(self, sid: str, state: str) -> None:
        with self.database.write() as db:
            row = db.get_one(BookedSession, sid)
            row.state, row.checked_in_at = state, self.clock.now

    def logged(self, sid: str, kind: str) -> list[dict[str, Any]]:
        with self.database.read() as db:
            return [dict(entry.fields) for entry in meeting_log.of_session(db, sid) if entry.kind == kind]


@pytest.fixture
def house(database: Any, bookings: Any, booker: Any, rooms: Any, wire: Any, clock: Any) -> House:
    return House(database, bookings, booker, rooms, wire, clock)


@pytest.fixture
def session(house: House, wanted: Any, clock: Any) -> str:
    """From now, for 30 minutes, in room east; a patient waits."""
    sid = house.book(wanted(clock, hours=0))
    house.is_in(sid, "waiting")
    return sid


def test_a_free_room_is_extended_and_both_schedule_and_log_follow(house: House, session: str) -> None:
    end = house.row(session).end
    assert house.ask("extend", sid=session, minutes=10) == (True, None, None)
    assert house.row(session).end == end + timedelta(minutes=10)
    (entry,) = house.logged(session, "end_moved")
    assert entry == {"staff": "s1", "minutes": 10}


def test_an_intent_that_comes_twice_is_done_once(house: House, session: str) -> None:
    end = house.row(session).end
    for _ in range(2):
        assert house.ask("extend", sid=session, minutes=10)[0]
    assert house.row(session).end == end + timedelta(minutes=10)
    assert house.ask("extend", sid=session, minutes=10, id="q2")[0]
    assert house.row(session).end == end + timedelta(minutes=20)


def test_a_session_beyond_its_end_is_extended_from_now(house: House, session: str, clock: Any) -> None:
    clock.pass_by(minutes=37)
    assert house.ask("extend", sid=session, minutes=5)[0]
    assert house.row(session).end == clock.now + timedelta(minutes=5)


@pytest.mark.parametrize(("gap_min", "minutes", "offered"), [(7, 10, 7), (0, 5, None), (3, 5, 3)])
def test_with_the_next_one_in_the_way_what_is_possible_is_offered(
    house: House, session: str, wanted: Any, clock: Any, gap_min: int, minutes: int, offered: int | None
) -> None:
    house.book(wanted(clock, hours=(30 + gap_min) / 60))
    assert house.ask("extend", sid=session, minutes=minutes) == (False, "next_in_way", offered)
    assert house.row(session).end == clock.now + timedelta(minutes=30)


@pytest.mark.parametrize("state", ["ended", "wiped", "failed", "cancelled"])
def test_what_has_just_ended_is_not_extended(house: House, session: str, state: str) -> None:
    house.is_in(session, state)
    assert house.ask("extend", sid=session, minutes=5) == (False, "not_now", None)


def test_another_rooms_session_is_not_this_units_to_change(house: House, session: str) -> None:
    assert house.ask("extend", "unit-2", sid=session, minutes=5)[1] == "not_now"
    assert house.ask("hand_over", "unit-2", sid=session, room="east")[1] == "not_now"
    assert house.ask("extend", sid="nosuchsession", minutes=5)[1] == "not_now"
    assert house.ask("extend", sid=session)[1] == "not_now"


def test_a_waiting_patient_is_handed_over_with_code_and_all(house: House, session: str) -> None:
    before = house.row(session)
    assert house.ask("hand_over", sid=session, room="west") == (True, None, None)
    after = house.row(session)
    assert (after.room_id, after.state, after.checked_in_at, after.booked_room_id) == (
        "west",
        "booked",
        None,
        "east",
    )
    assert (after.salt, after.code_digest) == (before.salt, before.code_digest)
    assert house.logged(session, "room_changed") == [{"staff": "s1", "from": "east", "room": "west"}]
    assert house.ask("hand_over", sid=session, room="west")[0], "asked twice, done once"


def test_both_units_get_new_schedules_and_the_new_one_says_when_it_has_it(
    house: House, session: str, database: Any, wire: Any, clock: Any
) -> None:
    schedules = Schedules(database, wire.publish, clock, ZONE)
    schedules.work_off_outbox()
    wire.take("dn/schedule")
    house.ask("hand_over", sid=session, room="west")
    assert not house.requests.has_moved_in("unit-2"), "not before the unit has it"
    schedules.work_off_outbox()
    held = {message.topic.unit: message for message in wire.take("dn/schedule")}
    assert [each["sid"] for each in held["unit-2"].data.sessions] == [session]
    assert held["unit-1"].data.sessions == ()
    assert held["unit-2"].data.sessions[0]["checkin"]["salt"] == house.row(session).salt
    rev = held["unit-2"].rev
    report = ScheduleReport(epoch=1, rev=rev, sha256="ab" * 32, outcome="accepted")
    schedules.reported("unit-2", report)
    assert house.requests.has_moved_in("unit-2")
    assert not house.requests.has_moved_in("unit-2")


def test_a_room_that_is_not_of_the_centre_or_not_there_takes_nobody(
    house: House, session: str, rooms: Any
) -> None:
    rooms.add_room("far", "Far", "Södra vårdcentralen")
    for room in ("far", "nowhere", "east"):
        assert house.ask("hand_over", sid=session, room=room)[1] == "no_such_room"


@pytest.mark.parametrize("state", ["lost", "degraded", "faulty", "no unit"])
def test_a_room_whose_unit_is_not_well_takes_nobody(house: House, session: str, state: str) -> None:
    if state == "no unit":
        house.rooms.assign("west", None)
    elif state == "faulty":
        fault = Fault(probe="camera", instruction="camera")
        house.fleet.status("unit-2", Status(state="ready", boot=1, faults=(fault,)))
    else:
        house.fleet.status("unit-2", Status.model_validate({"state": state, "boot": 1}))
    assert house.ask("hand_over", sid=session, room="west")[1] == "room_unwell"
    assert house.row(session).room_id == "east"


def test_what_only_warns_keeps_nobody_out(house: House, session: str) -> None:
    fault = Fault(probe="camera", instruction="camera_dark", level="warn")
    house.fleet.status("unit-2", Status(state="degraded", boot=1, faults=(fault,)))
    assert house.ask("hand_over", sid=session, room="west")[0]


@pytest.mark.parametrize(("start_min", "free"), [(-60, True), (20, False), (30, True)])
def test_a_room_is_free_when_nothing_is_booked_in_that_time(
    house: House, session: str, wanted: Any, clock: Any, start_min: int, free: bool
) -> None:
    clock.pass_by(minutes=-60)
    house.book(wanted(clock, hours=1 + start_min / 60, room_id="west"))
    clock.pass_by(minutes=60)
    assert house.ask("hand_over", sid=session, room="west")[0] is free


def test_a_room_where_someone_still_sits_is_not_free(
    house: House, session: str, wanted: Any, clock: Any
) -> None:
    clock.pass_by(minutes=-60)
    other = house.book(wanted(clock, hours=0.5, minutes=29, room_id="west"))
    clock.pass_by(minutes=60)
    house.is_in(other, "in_call")
    assert house.ask("hand_over", sid=session, room="west")[1] == "room_not_free"


@pytest.mark.parametrize("state", ["admitted", "in_call", "ended"])
def test_a_meeting_that_has_begun_stays(house: House, session: str, state: str) -> None:
    house.is_in(session, state)
    assert house.ask("hand_over", sid=session, room="west")[1] == "not_now"


def test_one_who_is_handed_over_late_still_has_a_few_minutes(house: House, session: str, clock: Any) -> None:
    clock.pass_by(minutes=29)
    assert house.ask("hand_over", sid=session, room="west")[0]
    assert house.row(session).end == clock.now + timedelta(minutes=5)


def test_an_overrun_is_confirmed_and_a_kind_of_tomorrow_is_left_alone(house: House, session: str) -> None:
    assert house.requests.take("unit-1", "overrun", Intent(sid=session))
    (notice,) = house.wire.take("dn/notice")
    assert (notice.topic.levels, notice.data.sid) == (("overrun",), session)
    assert not house.requests.take("unit-1", "help", Intent())
    assert house.wire.sent == []


def test_a_drop_in_without_a_queue_is_booked_or_refused_with_a_reason(house: House, session: str) -> None:
    assert house.ask("dropin")[1] == "room_not_free"
    assert house.ask("dropin", "unit-2") == (True, None, None)
    assert house.row(session).room.clinic.name == CLINIC
