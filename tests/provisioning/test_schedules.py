"""What is published for each unit, and when again."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from agent.contract.schedule import ScheduleReport, check_sessions
from provisioning import snapshots
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.models import BookedSession, OutboxRow, Unit, UnitReport
from provisioning.rooms import Rooms, touch
from provisioning.schedules import Schedules
from provisioning.views import is_on_unit


@pytest.fixture
def schedules(database: Database, wire: Any, clock: Any, bookings: Bookings) -> Schedules:
    made = Schedules(database, wire.publish, clock, bookings._zone)
    made.publish_all()
    made.work_off_outbox()
    wire.sent.clear()
    return made


def report(rev: int, **changes: Any) -> ScheduleReport:
    values: dict[str, Any] = {"epoch": 1, "rev": rev, "sha256": "0" * 64, "outcome": "accepted"}
    return ScheduleReport(**(values | changes))


def on_unit(database: Database, sid: str) -> bool:
    with database.read() as db:
        return is_on_unit(db, db.get_one(BookedSession, sid))


def test_every_change_grows_the_revision_and_sends_the_whole(
    schedules: Schedules, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    first, second = bookings.book(booker, wanted(clock)), bookings.book(booker, wanted(clock, hours=2))
    assert schedules.work_off_outbox() == [("unit-1", "schedule")]
    bookings.cancel(booker, first.sid)
    schedules.work_off_outbox()

    one, two = wire.take("dn/schedule")
    assert two.rev == one.rev + 1
    assert [s["sid"] for s in one.data.sessions] == [first.sid, second.sid]
    assert [s["sid"] for s in two.data.sessions] == [second.sid]
    assert check_sessions(one.data)[1] == ()
    assert one.data.valid_until - clock.now >= timedelta(days=7)


def test_for_a_unit_that_is_away_nothing_queues(
    database: Database, wire: Any, clock: Any, bookings: Bookings
) -> None:
    kept: list[Any] = []
    schedules = Schedules(
        database, wire.publish, clock, bookings._zone, keep=lambda *what: not kept.append(what)
    )
    with database.write() as db:
        db.merge(UnitReport(unit_id="unit-1", state="lost"))
    schedules.publish_schedules(["unit-1"])
    assert [topic.channel for topic, _ in kept] == ["dn/schedule"]
    assert not wire.take("dn/schedule")

    with database.write() as db:
        db.merge(UnitReport(unit_id="unit-1", state="ready"))
    schedules.publish_schedules(["unit-1"])
    assert len(kept) == 1
    assert len(wire.take("dn/schedule")) == 1


def test_nothing_new_keeps_the_revision(schedules: Schedules, wire: Any) -> None:
    schedules.publish_all()
    schedules.publish_all()
    one, two = wire.take("dn/schedule")[::2]
    assert (one.rev, one.data) == (two.rev, two.data)
    assert schedules.work_off_outbox() == []


def test_nothing_of_who_booked_or_why_is_in_it(
    schedules: Schedules, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    bookings.book(booker, wanted(clock, methods=("staff", "button")))
    schedules.work_off_outbox()
    (message,) = wire.take("dn/schedule")
    (session,) = message.data.sessions
    assert set(session) == {
        "sid", "ref", "start", "end", "kind", "with", "language", "checkin", "features",
    }  # fmt: skip
    assert session["checkin"] == {"methods": ["button", "staff"]}


def test_a_swapped_unit_gets_the_rooms_sessions_and_the_old_one_an_empty_schedule(
    schedules: Schedules, rooms: Rooms, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    sid = bookings.book(booker, wanted(clock)).sid
    rooms.assign("east", "unit-2")
    schedules.work_off_outbox()
    sent = {str(m.topic): [s["sid"] for s in m.data.sessions] for m in wire.take("dn/schedule")}
    assert sent == {"hr/v1/u/unit-1/dn/schedule": [], "hr/v1/u/unit-2/dn/schedule": [sid]}
    assert [m.data.room_name for m in wire.take("dn/config")] == [None, "East"], (
        "it keeps nothing of the room"
    )


def test_a_session_is_on_the_unit_once_that_unit_confirms_it_as_it_is_now(
    schedules: Schedules,
    bookings: Bookings,
    booker: Booker,
    database: Database,
    wire: Any,
    clock: Any,
    wanted: Any,
) -> None:
    wish = wanted(clock)
    sid = bookings.book(booker, wish).sid
    schedules.work_off_outbox()
    rev = wire.take("dn/schedule")[0].rev
    assert not on_unit(database, sid)
    schedules.reported("unit-1", report(rev))
    assert on_unit(database, sid)

    bookings.move(booker, sid, wish.start + timedelta(hours=1), wish.end + timedelta(hours=1))
    schedules.work_off_outbox()
    assert not on_unit(database, sid)
    schedules.reported("unit-1", report(rev + 1, rejected=({"sid": sid, "field": "start", "reason": "x"},)))
    assert not on_unit(database, sid)
    schedules.reported("unit-1", report(rev + 1))
    assert on_unit(database, sid)


def test_a_unit_with_another_revision_is_sent_ours_again_but_not_for_every_report(
    schedules: Schedules, wire: Any, clock: Any
) -> None:
    clock.pass_by(seconds=60)
    for _ in range(5):
        schedules.reported("unit-1", report(0))
    assert len(wire.take("dn/schedule")) == 1


def test_a_rejected_snapshot_is_not_sent_again(schedules: Schedules, wire: Any, clock: Any) -> None:
    clock.pass_by(seconds=60)
    schedules.reported("unit-1", report(1, outcome="rejected"))
    assert wire.take("dn/schedule") == []


def test_a_region_restored_from_a_backup_begins_a_new_epoch(
    schedules: Schedules, wire: Any, clock: Any
) -> None:
    clock.pass_by(seconds=60)
    schedules.reported("unit-1", report(900))
    (message,) = wire.take("dn/schedule")
    assert message.data.epoch == 2


def test_the_window_moves_at_night_and_keeps_what_is_held_about_midnight(
    schedules: Schedules, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    late = bookings.book(booker, wanted(clock, hours=14.5, minutes=60))  # 23:30 to 00:30 in Stockholm
    far = bookings.book(booker, wanted(clock, hours=24 * 8))
    schedules.work_off_outbox()
    assert [s["sid"] for s in wire.take("dn/schedule")[0].data.sessions] == [late.sid]
    clock.pass_by(hours=15.5)
    assert not schedules.roll_over()
    clock.pass_by(hours=3)
    assert schedules.roll_over()
    assert not schedules.roll_over()
    assert not schedules.go_on()  # none is left after so few
    message = next(m for m in wire.take("dn/schedule") if m.topic.unit == "unit-1")
    assert [s["sid"] for s in message.data.sessions] == [late.sid, far.sid]


def test_two_who_publish_at_once_never_use_a_revision_for_two_contents(
    schedules: Schedules, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    def book_and_publish(first: int) -> None:
        for index in range(3):
            bookings.book(booker, wanted(clock, hours=1 + first * 10 + index))
            schedules.publish_schedule("unit-1")

    threads = [threading.Thread(target=book_and_publish, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    contents: dict[int, Any] = {}
    for message in wire.take("dn/schedule"):
        assert contents.setdefault(message.rev, message.data) == message.data
    sizes = [len(contents[rev].sessions) for rev in sorted(contents)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == 9


def test_what_could_not_be_sent_is_sent_when_the_broker_is_back(
    schedules: Schedules, bookings: Bookings, booker: Booker, wire: Any, clock: Any, wanted: Any
) -> None:
    wire.up = False
    bookings.book(booker, wanted(clock))
    schedules.work_off_outbox()
    wire.up = True
    schedules.publish_all()
    assert len(wire.take("dn/schedule")[0].data.sessions) == 1


def test_a_fleet_is_published_some_at_a_time(
    schedules: Schedules, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.schedules.TOGETHER", 1)
    schedules.publish_soon()
    assert wire.take("dn/schedule") == []
    assert schedules.go_on()
    assert [message.topic.unit for message in wire.take("dn/schedule")] == ["unit-1"]
    assert not schedules.go_on()
    assert [message.topic.unit for message in wire.take("dn/schedule")] == ["unit-2"]
    assert not schedules.go_on()
    assert wire.take("dn/schedule") == []


def test_work_that_fails_is_tried_again_later_and_holds_up_nothing_else(
    database: Database, wire: Any, clock: Any, bookings: Bookings
) -> None:
    told: list[tuple[str, str]] = []

    def changed(what: str, unit: str) -> None:
        told.append((what, unit))
        if what == "enrolment":
            raise OSError("the authority's key is away")

    schedules = Schedules(database, wire.publish, clock, bookings._zone, changed)
    schedules.work_off_outbox()
    with database.write() as db:
        touch(db, "hs-1", "enrolment")
        touch(db, "unit-1", "access")
    assert schedules.work_off_outbox() == [("unit-1", "access")]
    assert schedules.work_off_outbox() == []
    assert told == [("enrolment", "hs-1"), ("access", "unit-1")]
    clock.pass_by(seconds=11)
    assert schedules.work_off_outbox() == []
    assert told[2:] == [("enrolment", "hs-1")]
    with database.read() as db:
        assert [row.what for row in db.scalars(select(OutboxRow))] == ["enrolment"]


def test_a_configuration_that_is_not_valid_keeps_no_other_unit_from_its_own(
    schedules: Schedules, database: Database, wire: Any
) -> None:
    with database.write() as db:
        for name, config in (("unit-1", {"volume": 99}), ("unit-2", {"volume": 2})):
            unit = db.get_one(Unit, name)
            unit.config, unit.config_rev = config, 1
    schedules.publish_configs(["unit-1", "unit-2"])
    assert [message.topic.unit for message in wire.take("dn/config")] == ["unit-2"]


def test_more_sessions_than_a_message_holds_are_cut_off_at_the_end_and_never_sent_too_large(
    database: Database,
    schedules: Schedules,
    bookings: Bookings,
    booker: Booker,
    wire: Any,
    clock: Any,
    wanted: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A booking system that went wrong: its schedule must not end the region's connection again and again."""
    booked = [bookings.book(booker, wanted(clock, hours=hours)) for hours in range(1, 9)]
    monkeypatch.setattr(snapshots, "SESSIONS_BYTES", 1500)
    schedules.work_off_outbox()
    (sent,) = wire.take("dn/schedule")
    held = [session["sid"] for session in sent.data.sessions]
    assert 0 < len(held) < len(booked)
    assert held == [session.sid for session in booked[: len(held)]]
    with database.read() as db:
        assert sent.data.valid_until == db.get_one(BookedSession, booked[len(held)].sid).start
    schedules.reported("unit-1", report(sent.rev))
    assert on_unit(database, held[-1]) and not on_unit(database, booked[len(held)].sid)
