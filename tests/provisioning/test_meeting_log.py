"""The chain of the meeting log, and in it the units' own."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from agent.contract import decode, encode
from agent.contract.events import Event
from agent.identity import load_identity
from agent.outbox import Outbox
from agent.store import Store
from provisioning import meeting_log
from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.events import EventIntake
from provisioning.log_verification import Verdict, verify
from provisioning.models import BookedSession, LogEntry
from provisioning.pki import Authority
from provisioning.rooms import Rooms
from provisioning.schedules import Schedules


@pytest.fixture
def intake(database: Database, clock: Any) -> EventIntake:
    return EventIntake(database, clock)


def verdict(database: Database) -> Verdict:
    with database.read() as db:
        return verify(db)


def kinds(database: Database) -> list[str]:
    with database.read() as db:
        return [entry.kind for entry in meeting_log.all_entries(db)]


@pytest.fixture
def visit(
    intake: EventIntake, unit_hand: Any, bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> str:
    """A session that was booked and held."""
    sid = bookings.book(booker, wanted(clock)).sid
    for kind, fields in (
        ("session_ready", {}),
        ("checked_in", {"how": "code"}),
        ("admitted", {"by": "clinician"}),
        ("call_started", {}),
        ("call_ended", {"reason": "ended_by_clinician", "seconds": 12.5, "ok": True}),
        ("session_wiped", {}),
    ):
        clock.pass_by(minutes=1)
        intake.take("unit-1", unit_hand.event(kind, clock.now, sid, **fields))
    return str(sid)


def test_a_visit_is_told_in_order_and_fits(database: Database, visit: str) -> None:
    assert kinds(database) == [
        "booked", "session_ready", "checked_in", "admitted", "call_started", "call_ended", "session_wiped",
    ]  # fmt: skip
    assert verdict(database) == Verdict(entries=7, unit_events=6, missing_events=0)
    with database.read() as db:
        row = db.get_one(BookedSession, visit)
    assert (row.state, row.checked_in_how) == ("wiped", "code")
    assert row.ended_at is not None


def test_after_the_wiping_neither_digests_nor_the_schedule_hold_it(
    database: Database, visit: str, clock: Any, wire: Any
) -> None:
    with database.read() as db:
        row = db.get_one(BookedSession, visit)
    assert (row.code_digest, row.token_digest) == ("", "")
    Schedules(database, wire.publish, clock, ZoneInfo("UTC")).work_off_outbox()
    assert wire.take("dn/schedule")[-1].data.sessions == ()


def test_any_change_names_the_first_entry_that_does_not_fit(database: Database, visit: str) -> None:
    bad_seq_after = {
        "UPDATE meeting_log SET kind = 'admitted' WHERE seq = 3": 3,
        'UPDATE meeting_log SET fields = \'{"how": "staff"}\' WHERE seq = 3': 3,
        "UPDATE meeting_log SET sid = 'abcdefgh1' WHERE seq = 1": 1,
        "UPDATE meeting_log SET at = '2026-11-23 01:00:00.000000' WHERE seq = 5": 5,
        "DELETE FROM meeting_log WHERE seq = 4": 5,
        "DELETE FROM meeting_log WHERE seq = 7": 7,
        "UPDATE meeting_log SET prev = '' WHERE seq = 6": 6,
    }
    for change, bad_seq in bad_seq_after.items():
        with database.write() as db:
            db.execute(text(change))
            assert verify(db).bad_seq == bad_seq, change
            db.rollback()
        assert verdict(database).ok


def test_a_whole_chain_forged_at_the_region_still_fails_at_the_units_signature(
    database: Database, visit: str
) -> None:
    """Whoever holds the database can redo the region's hashes, but not what the unit signed."""
    with database.write() as db:
        entries = list(meeting_log.all_entries(db))
        db.expunge_all()
        entries[2].fields = {"how": "staff"}
        for before, entry in zip([None, *entries], entries, strict=False):
            entry.prev = before.hash if before else ""
            entry.hash = meeting_log.entry_hash(entry)
            values = {"seq": entry.seq, "hash": entry.hash, "prev": entry.prev}
            db.execute(text("UPDATE meeting_log SET hash = :hash, prev = :prev WHERE seq = :seq"), values)
        db.execute(text('UPDATE meeting_log SET fields = \'{"how": "staff"}\' WHERE seq = 3'))
        head = {"head": f"7:{entries[-1].hash}"}
        db.execute(text("UPDATE facts SET value = :head WHERE name = 'log_head'"), head)
    found = verdict(database)
    assert found.bad_seq == 3
    assert "not what the unit signed" in found.reason


def test_entries_cannot_be_changed_through_the_program(database: Database, visit: str) -> None:
    with pytest.raises(RuntimeError, match="not to be changed"), database.write() as db:
        db.get_one(LogEntry, 1).kind = "moved"


def test_a_repeated_event_is_acknowledged_again_and_kept_once(
    intake: EventIntake, unit_hand: Any, database: Database, clock: Any
) -> None:
    event = unit_hand.event("unit_started", clock.now)
    for _ in range(3):
        assert intake.take("unit-1", event).ack.seq == 1
    assert kinds(database) == ["unit_started"]
    assert intake.acknowledged("unit-1").seq == 1


def test_a_gap_is_asked_for_and_logged_only_when_it_cannot_be_filled(
    intake: EventIntake, unit_hand: Any, database: Database, clock: Any
) -> None:
    first, second, third = (unit_hand.event("selftest", clock.now) for _ in range(3))
    intake.take("unit-1", first)
    assert intake.take("unit-1", third).ack.seq == 1
    assert intake.take("unit-1", second).ack.seq == 2
    assert intake.take("unit-1", third).ack.seq == 3
    unit_hand.event("selftest", clock.now)
    fifth, sixth = (unit_hand.event("selftest", clock.now) for _ in range(2))
    assert [intake.take("unit-1", fifth).ack.seq for _ in range(3)] == [3, 3, 5]
    assert intake.take("unit-1", sixth).ack.seq == 6
    assert kinds(database).count("events_missing") == 1
    assert verdict(database) == Verdict(entries=6, unit_events=5, missing_events=1)


def test_a_new_epoch_begins_a_new_chain_and_the_old_one_is_over(
    intake: EventIntake, unit_hand: Any, database: Database, clock: Any
) -> None:
    old = [unit_hand.event("selftest", clock.now) for _ in range(2)]
    intake.take("unit-1", old[0])
    unit_hand.epoch, unit_hand.seq, unit_hand.prev = 2, 0, "0" * 64
    taken = intake.take("unit-1", unit_hand.event("unit_started", clock.now))
    assert (taken.ack.epoch, taken.ack.seq) == (2, 1)
    assert intake.take("unit-1", old[1]).ack.epoch == 2
    assert kinds(database) == ["selftest", "unit_started"]
    assert verdict(database).ok


@pytest.mark.parametrize("change", ["kind", "fields", "prev", "signature", "unit"])
def test_a_forged_event_is_refused_once_in_the_log_and_never_acknowledged(
    intake: EventIntake, unit_hand: Any, database: Database, clock: Any, change: str
) -> None:
    good = unit_hand.event("checked_in", clock.now, "abcdefgh1", how="code")
    forged: dict[str, Any] = {
        "kind": {"kind": "admitted"},
        "fields": {"fields": {"how": "staff"}},
        "prev": {"prev": "1" * 64},
        "signature": {"signature": "MEUCIQ=="},
        "unit": {},
    }[change]
    unit = "unit-2" if change == "unit" else "unit-1"
    event = Event.model_validate(good.model_dump() | forged)
    for _ in range(4):
        assert intake.take(unit, event).ack.seq == 0
    assert kinds(database) == ["event_refused"]
    assert verdict(database).ok


def test_an_event_of_a_session_in_another_room_changes_nothing_there(
    intake: EventIntake,
    unit_hand: Any,
    database: Database,
    bookings: Bookings,
    booker: Booker,
    clock: Any,
    wanted: Any,
) -> None:
    sid = bookings.book(booker, wanted(clock, room_id="west")).sid
    assert intake.take("unit-1", unit_hand.event("call_ended", clock.now, sid)).changed_sid is None
    with database.read() as db:
        assert db.get_one(BookedSession, sid).state == "booked"


def test_a_patient_who_leaves_the_waiting_room_may_check_in_again(
    intake: EventIntake,
    unit_hand: Any,
    database: Database,
    bookings: Bookings,
    booker: Booker,
    clock: Any,
    wanted: Any,
) -> None:
    sid = bookings.book(booker, wanted(clock)).sid
    intake.take("unit-1", unit_hand.event("checked_in", clock.now, sid, how="staff"))
    intake.take("unit-1", unit_hand.event("peer_left", clock.now, sid, role="patient", reason="left_waiting"))
    with database.read() as db:
        row = db.get_one(BookedSession, sid)
    assert (row.state, row.checked_in_at) == ("ready", None)


def test_events_of_the_units_own_outbox_are_taken_and_fit(
    intake: EventIntake, authority: Authority, rooms: Rooms, database: Database, clock: Any, tmp_path: Path
) -> None:
    credentials = authority.client("unit-1")
    identity = load_identity(credentials.certificate_file, credentials.key_file)
    outbox = Outbox(Store(tmp_path / "unit"), identity.sign, clock.now)
    outbox.add("unit_started", clock.now, fields={"boot": 1, "seconds": 0.25, "ok": True})
    clock.pass_by(milliseconds=1234)
    outbox.add("checked_in", clock.now, "abcdefgh1", {"how": "code"})
    for event in outbox.pending():
        sent = decode("hr/v1/u/unit-1/up/event/" + event.kind, encode(event, now=clock.now)).data
        ack = intake.take("unit-1", sent).ack
    outbox.acknowledge(ack.epoch, ack.seq)
    assert outbox.pending() == []
    assert verdict(database) == Verdict(entries=2, unit_events=2, missing_events=0)
