"""A session whose room is not ready goes to another one, and the patient's letter still opens it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.schedule import ScheduleReport
from agent.contract.status import Fault, Status
from provisioning import audit_views, meeting_log
from provisioning.accounts import Clients
from provisioning.booking import Booker
from provisioning.dropins import DropIns
from provisioning.fhir import FhirBookings
from provisioning.fleet import Fleet
from provisioning.models import BookedSession
from provisioning.moving import MOVED_IN, FreeRoom, Moving
from provisioning.queues import Queues
from provisioning.room_requests import RoomRequests
from provisioning.schedules import Schedules
from tests.provisioning.conftest import CLINIC, ZONE
from web.clinic.services import Clash, NotAllowed, Refused

COVERED = Fault(probe="camera", instruction="camera_covered")
DARK = Fault(probe="camera", instruction="camera_dark", level="warn")


class Centre:
    """East, where the camera is covered, and west, which is well; a session in an hour in east."""

    def __init__(
        self, database: Any, bookings: Any, booker: Any, rooms: Any, wanted: Any, clock: Any
    ) -> None:
        self.database, self.clock, self.booker = database, clock, booker
        rooms.assign("west", "unit-2")
        self._fleet = Fleet(database, clock)
        self.say("unit-1", "degraded", COVERED)
        self.say("unit-2", "ready")
        self.moving = Moving(database, clock, ZONE)
        self.book = lambda **changes: bookings.book(booker, wanted(clock, **changes)).sid
        self.sid = self.book()

    def say(self, unit: str, state: Any, *faults: Fault) -> None:
        self._fleet.status(unit, Status(state=state, boot=1, faults=faults))

    def row(self) -> BookedSession:
        with self.database.read() as db:
            return db.get_one(BookedSession, self.sid)

    def is_in(self, state: str, **values: Any) -> None:
        with self.database.write() as db:
            row = db.get_one(BookedSession, self.sid)
            for name, value in {"state": state, **values}.items():
                setattr(row, name, value)

    def move(self, room: str = "west", booker: Booker | None = None) -> None:
        self.moving.move_session(booker or self.booker, self.sid, room)

    def offered(self) -> list[str]:
        return [room.id for room in self.moving.free_ready_rooms(self.sid)]


@pytest.fixture
def centre(database: Any, bookings: Any, booker: Any, rooms: Any, wanted: Any, clock: Any) -> Centre:
    return Centre(database, bookings, booker, rooms, wanted, clock)


def test_everything_but_the_room_stays(centre: Centre) -> None:
    before = centre.row()
    assert centre.moving.free_ready_rooms(centre.sid) == [FreeRoom("west", "West", "unit-2")]
    centre.move()
    after = centre.row()
    assert (after.room_id, after.booked_room_id, after.state) == ("west", "east", "booked")
    for name in ("ref", "start", "end", "salt", "code_digest", "token_digest"):
        assert getattr(after, name) == getattr(before, name), name
    centre.move()  # done already
    with centre.database.read() as db:
        entries = [each for each in meeting_log.of_session(db, centre.sid) if each.kind == "room_changed"]
        (line,) = audit_views.lines(db, {}, target="west", by="acc1")
    (entry,) = entries
    assert (entry.unit_id, entry.fields["from"], entry.fields["room"]) == ("unit-2", "east", "west")
    assert (entry.fields["by"], entry.fields["role"]) == ("acc1", "clinician")
    assert (line.action, line.fields) == ("move_session", {"session": centre.sid, "from": "east"})


def test_both_units_hear_of_it_and_who_waits_goes_on_when_the_new_one_knows(
    centre: Centre, bookings: Any, wire: Any, clock: Any
) -> None:
    queues = Queues(centre.database, clock)
    drop_ins = DropIns(centre.database, bookings, clock)
    requests = RoomRequests(centre.database, drop_ins, queues, wire.publish, clock)
    changed: dict[str, Any] = {MOVED_IN: requests.expect}
    schedules = Schedules(centre.database, wire.publish, clock, ZONE, lambda what, unit: changed[what](unit))
    centre.move()
    assert ("unit-2", MOVED_IN) in schedules.work_off_outbox()
    held = {message.topic.unit: message for message in wire.take("dn/schedule")}
    assert [each["sid"] for each in held["unit-2"].data.sessions] == [centre.sid]
    assert held["unit-1"].data.sessions == ()
    assert not requests.has_moved_in("unit-2")
    rev = held["unit-2"].rev
    schedules.reported("unit-2", ScheduleReport(epoch=1, rev=rev, sha256="ab" * 32, outcome="accepted"))
    assert requests.has_moved_in("unit-2")


def test_the_booking_system_sees_the_new_room_and_may_still_name_the_old_one(
    database: Any, bookings: Any, centre: Centre, clock: Any
) -> None:
    clients = Clients(database)
    client, _ = clients.add("Tidbok", CLINIC)
    fhir = FhirBookings(database, clients, bookings, public_url="https://video.region.example")
    start = clock.now + timedelta(hours=4)
    resource = {
        "resourceType": "Appointment",
        "status": "booked",
        "identifier": [{"system": "urn:tidbok", "value": "1"}],
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "participant": [{"actor": {"reference": "Location/east"}, "status": "accepted"}],
    }
    status, made = fhir.post_appointment(client, resource)
    assert status == 201
    centre.sid = made["id"]
    centre.move()
    _, seen = fhir.get_appointment(client, centre.sid)
    assert seen["participant"][0]["actor"] == {"reference": "Location/west", "display": "West"}
    assert seen["meta"]["versionId"] == "2"
    status, again = fhir.post_appointment(client, resource)
    assert (status, again["participant"]) == (200, seen["participant"])


def test_a_room_that_only_warns_will_do_and_one_that_is_not_ready_is_not_offered(centre: Centre) -> None:
    centre.say("unit-2", "degraded", DARK)
    assert centre.offered() == ["west"]
    for state, faults in (("degraded", (DARK, COVERED)), ("lost", ()), ("starting", ())):
        centre.say("unit-2", state, *faults)
        assert centre.offered() == []
        with pytest.raises(Refused, match="West is not ready either"):
            centre.move()


def test_a_room_that_is_taken_then_is_named_with_time_and_ref(centre: Centre) -> None:
    centre.book(room_id="west", hours=1.25)
    assert centre.offered() == []
    with pytest.raises(Clash, match=r"West is taken 2026-11-23 10:15–10:45 \(\w+\)"):
        centre.move()
    assert centre.row().room_id == "east"


def test_only_rooms_of_the_same_centre_and_only_by_its_own_people(centre: Centre, rooms: Any) -> None:
    rooms.add_room("far", "Far", "Södra vårdcentralen")
    with pytest.raises(Refused, match="another centre"):
        centre.move("far")
    with pytest.raises(Refused, match="attic is not known"):
        centre.move("attic")
    other = next(room.clinic_id for room in rooms.rooms() if room.id == "far")
    with pytest.raises(NotAllowed):
        centre.move(booker=Booker("acc2", "staff", "account", other))
    with centre.database.write() as db:
        db.get_one(BookedSession, centre.sid).served_by_id = other
    with pytest.raises(NotAllowed, match="room"):
        centre.move(booker=Booker("acc2", "clinician", "account", other))


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("waiting", "patient in the room"),
        ("in_call", "patient in the room"),
        ("ended", "is over"),
        ("cancelled", "is cancelled"),
    ],
)
def test_what_has_begun_or_is_over_stays(centre: Centre, clock: Any, state: str, reason: str) -> None:
    centre.is_in(state, cancelled=state == "cancelled")
    assert centre.offered() == []
    with pytest.raises(Refused, match=reason):
        centre.move()
    with centre.database.read() as db:
        assert db.scalars(select(BookedSession.room_id)).all() == ["east"]


def test_at_the_last_minute_a_few_minutes_are_left_and_afterwards_none(centre: Centre, clock: Any) -> None:
    clock.pass_by(minutes=91)
    with pytest.raises(Refused, match="book a new one"):
        centre.move()
    assert centre.moving.free_ready_rooms("nosuchsession") == []
    clock.pass_by(minutes=-2)
    centre.move()
    assert centre.row().end == clock.now + timedelta(minutes=5)
