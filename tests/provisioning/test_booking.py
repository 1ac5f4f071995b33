"""Booking, moving and cancelling."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from agent.contract.schedule import code_digest, token_digest
from provisioning import meeting_log
from provisioning.booking import Booker, Bookings
from provisioning.booking_rules import check_time
from provisioning.database import Database
from provisioning.identifiers import new_ref
from provisioning.models import BookedSession
from web.clinic.services import Clash, NotAllowed, Refused


def kept(database: Database, sid: str) -> BookedSession:
    with database.read() as db:
        return db.get_one(BookedSession, sid)


def test_only_digests_of_code_and_token_are_kept(
    bookings: Bookings, booker: Booker, database: Database, database_file: Path, clock: Any, wanted: Any
) -> None:
    invitation = bookings.book(booker, wanted(clock))

    row = kept(database, invitation.sid)
    assert row.code_digest == code_digest(invitation.code, row.salt)
    assert row.token_digest == token_digest(invitation.token)
    assert invitation.code not in repr(invitation)
    stored = b"".join(file.read_bytes() for file in database_file.parent.iterdir())
    assert invitation.sid.encode() in stored
    assert invitation.token.encode() not in stored


def test_an_invitation_has_no_token_where_check_in_by_qr_is_not_allowed(
    bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> None:
    assert bookings.book(booker, wanted(clock)).token
    assert not bookings.book(booker, wanted(clock, hours=3, methods=("code", "staff"))).token


def test_codes_of_one_room_and_day_share_a_salt_and_another_day_has_its_own(
    bookings: Bookings, booker: Booker, database: Database, clock: Any, wanted: Any
) -> None:
    first, second, other_room, next_day = (
        kept(database, bookings.book(booker, wish).sid).salt
        for wish in (
            wanted(clock, hours=1),
            wanted(clock, hours=3),
            wanted(clock, hours=1, room_id="west"),
            wanted(clock, hours=25),
        )
    )
    assert first == second
    assert len({first, other_room, next_day}) == 3


def test_a_clash_names_time_and_ref_of_the_other(
    bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> None:
    first = bookings.book(booker, wanted(clock))
    with pytest.raises(Clash) as refused:
        bookings.book(booker, wanted(clock, hours=1.25))
    assert first.ref in refused.value.reason
    assert "2026-11-23 10:00–10:30" in refused.value.reason  # local time, not UTC


def test_one_after_the_other_is_no_clash(bookings: Bookings, booker: Booker, clock: Any, wanted: Any) -> None:
    bookings.book(booker, wanted(clock, hours=1))
    bookings.book(booker, wanted(clock, hours=1.5))
    bookings.book(booker, wanted(clock, hours=1, room_id="west"))


def test_a_moved_session_keeps_code_salt_and_ref(
    bookings: Bookings, booker: Booker, database: Database, clock: Any, wanted: Any
) -> None:
    invitation = bookings.book(booker, wanted(clock))
    before = kept(database, invitation.sid)
    bookings.move(booker, invitation.sid, before.start + timedelta(days=2), before.end + timedelta(days=2))

    after = kept(database, invitation.sid)
    assert (after.code_digest, after.salt, after.ref) == (before.code_digest, before.salt, before.ref)
    assert after.version == before.version + 1
    with database.read() as db:
        assert [entry.kind for entry in meeting_log.of_session(db, invitation.sid)] == ["booked", "moved"]


def test_a_session_may_be_moved_onto_its_own_time_but_not_onto_another(
    bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> None:
    first, second = wanted(clock, hours=1), wanted(clock, hours=2)
    sid = bookings.book(booker, first).sid
    bookings.book(booker, second)
    bookings.move(booker, sid, first.start + timedelta(minutes=10), first.end + timedelta(minutes=10))
    with pytest.raises(Clash):
        bookings.move(booker, sid, second.start, second.end)


def test_a_cancelled_session_frees_the_room_and_stays_cancelled(
    bookings: Bookings, booker: Booker, database: Database, clock: Any, wanted: Any
) -> None:
    wish = wanted(clock)
    sid = bookings.book(booker, wish).sid
    bookings.cancel(booker, sid)
    assert (kept(database, sid).code_digest, kept(database, sid).token_digest) == ("", "")
    bookings.book(booker, wish)
    with pytest.raises(Refused, match="cancelled already"):
        bookings.cancel(booker, sid)
    with pytest.raises(Refused, match="is cancelled"):
        bookings.move(booker, sid, wish.start, wish.end)


@pytest.mark.parametrize("state", ["admitted", "in_call", "ended"])
def test_what_has_begun_is_neither_cancelled_nor_moved(
    bookings: Bookings, booker: Booker, database: Database, clock: Any, wanted: Any, state: str
) -> None:
    sid = bookings.book(booker, wanted(clock)).sid
    with database.write() as db:
        db.get_one(BookedSession, sid).state = state
    with pytest.raises(Refused, match="begun"):
        bookings.cancel(booker, sid)
    with pytest.raises(Refused, match="begun"):
        later = wanted(clock, hours=5)
        bookings.move(booker, sid, later.start, later.end)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"minutes": 0}, "end"),
        ({"minutes": -30}, "end"),
        ({"minutes": 12 * 60 + 1}, "end"),
        ({"hours": -1}, "start"),
        ({"hours": 24 * 600}, "start"),
        ({"start": datetime(2026, 11, 23, 12), "end": datetime(2026, 11, 23, 13)}, "start"),
        ({"room_id": "attic"}, "room_id"),
        ({"language": "Svenska"}, "language"),
        ({"methods": ()}, "methods"),
        ({"methods": ("password",)}, "methods"),
    ],
)
def test_what_cannot_be_held_is_refused_by_field(
    bookings: Bookings,
    booker: Booker,
    database: Database,
    clock: Any,
    wanted: Any,
    changes: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(Refused) as refused:
        bookings.book(booker, wanted(clock, **changes))
    assert refused.value.field_name == field
    with database.read() as db:
        assert db.scalars(select(BookedSession)).all() == []


def test_another_clinics_room_is_not_booked(bookings: Bookings, clock: Any, wanted: Any) -> None:
    with pytest.raises(NotAllowed):
        bookings.book(Booker("acc2", "clinician", "account", 99), wanted(clock))


def test_a_code_is_only_given_where_it_can_be_used(
    bookings: Bookings, booker: Booker, clock: Any, wanted: Any
) -> None:
    assert bookings.book(booker, wanted(clock, methods=("staff",))).code == ""


minutes = st.integers(-3 * 24 * 60, 3 * 24 * 60)


@given(minutes, minutes)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_times_that_pass_the_rules_are_ahead_and_of_sensible_length(
    clock: Any, first: int, last: int
) -> None:
    start, end = clock.now + timedelta(minutes=first), clock.now + timedelta(minutes=last)
    try:
        check_time(start, end, clock.now)
    except Refused:
        assert last <= first or first < 0 or last - first > 12 * 60
    else:
        assert timedelta(0) < end - start <= timedelta(hours=12)
        assert start >= clock.now - timedelta(minutes=5)


def test_refs_are_not_repeated_while_there_are_others() -> None:
    taken: set[str] = set()
    for _ in range(60):
        ref = new_ref(taken)
        assert ref not in taken
        taken.add(ref)
