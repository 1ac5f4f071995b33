"""Which sessions began in time, why the others did not, and how long faults lasted; nobody is in it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from provisioning import meeting_log
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession, LogEntry
from provisioning.readiness_figures import Course, FaultSpan, as_csv, figures, month_bounds, why_late
from provisioning.readiness_models import UnitFault
from tests.provisioning.conftest import CLINIC
from web.clinic.figures_plot import bars

ZONE = ZoneInfo("Europe/Stockholm")
MINUTE = timedelta(minutes=1)


def course(clock, checked_in=-3, admitted=0.5, began=1):
    def at(minutes):
        return None if minutes is None else clock.now + minutes * MINUTE

    return Course("unit-1", clock.now, at(checked_in), at(admitted), at(began))


@pytest.mark.parametrize(
    ("times", "why"),
    [
        ({}, None),
        ({"began": 2}, None),
        ({"checked_in": 4, "admitted": 5, "began": 6}, "patient"),
        ({"admitted": 5, "began": 6}, "clinician"),
        ({"admitted": None, "began": None}, "clinician"),
        ({"began": None}, "connection"),
        ({"began": 9}, "connection"),
    ],
)
def test_why_a_session_began_late(clock, times, why):
    assert why_late(course(clock, **times), []) == why


def test_a_room_that_was_not_ready_is_why_before_all_else_and_only_then(clock):
    late = course(clock, checked_in=4, admitted=5, began=6)

    def fault(since, until, level="fail", unit="unit-1"):
        end = None if until is None else clock.now + until * MINUTE
        return FaultSpan(unit, "camera", level, clock.now + since * MINUTE, end)

    assert why_late(late, [fault(-30, None)]) == why_late(late, [fault(-30, 1)]) == "room"
    for other in (fault(-30, -5), fault(3, None), fault(-30, None, "warn"), fault(-30, None, unit="unit-2")):
        assert why_late(late, [other]) == "patient"
    assert why_late(course(clock), [fault(-30, None)]) is None


def test_a_month_is_counted_from_the_log_and_the_faults(database, bookings, booker, wanted, clock):
    sids = [bookings.book(booker, wanted(clock, hours=hours)).sid for hours in (1, 2, 3)]
    starts = [clock.now + timedelta(hours=hours) for hours in (1, 2, 3)]
    month = f"{clock.now.astimezone(ZONE):%Y-%m}"
    with database.write() as db:
        for kind, minutes in (("checked_in", -2), ("admitted", 0), ("call_started", 1)):
            meeting_log.append(db, Entry(kind, starts[0] + minutes * MINUTE, sid=sids[0], unit="unit-1"))
        for kind, minutes in (("checked_in", -2), ("admitted", 7), ("call_started", 8)):
            meeting_log.append(db, Entry(kind, starts[1] + minutes * MINUTE, sid=sids[1], unit="unit-1"))
        for since, until in ((-60, -50), (-40, -10)):
            span = {"since": clock.now + since * MINUTE, "until": clock.now + until * MINUTE}
            db.add(UnitFault(unit_id="unit-1", probe="camera", instruction="camera", level="fail", **span))
    with database.read() as db:
        (told,) = figures(db, month, ZONE, clock.now + timedelta(hours=9))
        assert db.query(LogEntry).count() >= 6
    assert (told.unit, told.held, told.in_time, told.causes) == ("unit-1", 2, 1, {"clinician": 1})
    assert [(f.instruction, f.count, f.median_minutes, f.longest_minutes, f.still) for f in told.faults] == [
        ("camera", 2, 20.0, 30.0, False)
    ]
    file = as_csv([told])
    rows = list(csv.DictReader(io.StringIO(file)))
    assert {"unit": "unit-1", "name": "in_time", "share": "0.500"}.items() <= rows[1].items()
    with database.read() as db:
        refs = [db.get_one(BookedSession, sid).ref for sid in sids]
    drawn = bars([told], str)
    assert "unit-1" in drawn
    for person in (*sids, *refs, booker.id):
        assert all(person not in said for said in (file, repr(told), drawn))


def count(database, clock, **of):
    with database.read() as db:
        return figures(db, f"{clock.now.astimezone(ZONE):%Y-%m}", ZONE, clock.now, **of)


def broken(database, since, until=None):
    with database.write() as db:
        span = {"since": since, "until": until}
        db.add(UnitFault(unit_id="unit-1", probe="camera", instruction="camera", level="fail", **span))


def test_a_session_is_not_counted_while_it_may_still_begin_in_time(database, bookings, booker, wanted, clock):
    sid = bookings.book(booker, wanted(clock, hours=1)).sid
    with database.write() as db:
        meeting_log.append(db, Entry("checked_in", clock.now, sid=sid, unit="unit-1"))
    clock.pass_by(hours=1, minutes=2)
    assert count(database, clock) == []
    clock.pass_by(seconds=1)
    (told,) = count(database, clock)
    assert (told.held, told.causes) == (1, {"clinician": 1})


def test_one_that_nobody_could_come_to_counts_if_the_room_was_why(database, bookings, booker, wanted, clock):
    sids = [bookings.book(booker, wanted(clock, hours=hours)).sid for hours in (1, 2, 3)]
    broken(database, clock.now, clock.now + timedelta(hours=2, minutes=30))
    bookings.cancel(booker, sids[1])
    clock.pass_by(hours=5)
    (told,) = count(database, clock)
    assert (told.held, told.in_time, told.causes) == (1, 0, {"room": 1})


def test_a_unit_that_was_taken_out_keeps_its_figures_and_a_clinic_has_its_own(database, rooms, clock):
    broken(database, clock.now, clock.now + 5 * MINUTE)
    rooms.assign("east", "unit-2")
    clock.pass_by(hours=1)
    assert [told.unit for told in count(database, clock)] == ["unit-1"]
    assert [told.unit for told in count(database, clock, clinic=CLINIC, unit="unit-1")] == ["unit-1"]
    assert count(database, clock, clinic="Kusten") == count(database, clock, unit="unit-2") == []


def test_time_to_repair_is_whole_also_across_the_turn_of_a_month(database, clock):
    broken(database, clock.now - timedelta(days=30))
    (told,) = count(database, clock)
    assert [(f.longest_minutes, f.still) for f in told.faults] == [(30 * 24 * 60.0, True)]


def test_months_begin_where_the_rooms_are():
    begin, end = month_bounds("2026-07", ZONE)
    assert (begin.isoformat(), end.isoformat()) == ("2026-06-30T22:00:00+00:00", "2026-07-31T22:00:00+00:00")
    with pytest.raises(ValueError, match="does not match"):
        month_bounds("July", ZONE)
    for far in ("0001-01", "9999-12"):
        with pytest.raises(ValueError, match="outside"):
            month_bounds(far, ZONE)
