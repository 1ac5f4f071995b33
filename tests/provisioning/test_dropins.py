"""What a unit's wish for a meeting now becomes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.dropins import LENGTH, SHORTEST, DropIns
from provisioning.models import BookedSession


@pytest.fixture
def dropins(database: Database, bookings: Bookings, clock: Any) -> DropIns:
    return DropIns(database, bookings, clock)


@pytest.fixture
def book(bookings: Bookings, booker: Booker, clock: Any, wanted: Any) -> Any:
    return lambda hours: bookings.book(booker, wanted(clock, hours=hours))


def booked(database: Database) -> list[BookedSession]:
    with database.read() as db:
        return list(db.scalars(select(BookedSession).order_by(BookedSession.start)))


def test_the_units_room_is_booked_from_now_for_staff_to_check_in(
    dropins: DropIns, database: Database, clock: Any
) -> None:
    assert dropins.ask("unit-1") == ""
    (session,) = booked(database)
    assert (session.room_id, session.kind, list(session.methods)) == ("east", "dropin", ["staff"])
    assert (session.start, session.end) == (clock.now, clock.now + LENGTH)


@pytest.mark.parametrize("minutes", [SHORTEST / timedelta(minutes=1), 20])
def test_it_ends_where_the_next_session_begins(
    dropins: DropIns, database: Database, book: Any, clock: Any, minutes: float
) -> None:
    book(hours=minutes / 60)
    assert dropins.ask("unit-1") == ""
    assert booked(database)[0].end == clock.now + timedelta(minutes=minutes)


@pytest.mark.parametrize("minutes", [-10, 4])
def test_a_room_that_is_taken_now_or_in_a_moment_is_not_booked(
    dropins: DropIns, database: Database, book: Any, clock: Any, minutes: float
) -> None:
    book(hours=0 if minutes < 0 else minutes / 60)
    if minutes < 0:
        clock.pass_by(minutes=-minutes)
    assert dropins.ask("unit-1") == "room_not_free"
    assert len(booked(database)) == 1


def test_a_cancelled_session_is_in_nobodys_way(
    dropins: DropIns, database: Database, bookings: Bookings, booker: Booker, book: Any
) -> None:
    bookings.cancel(booker, book(hours=0.05).sid)
    assert dropins.ask("unit-1") == ""
    assert [session.end - session.start for session in booked(database) if not session.cancelled] == [LENGTH]


@pytest.mark.parametrize("unit", ["unit-2", "unit-9"])
def test_a_unit_that_stands_in_no_room_books_nothing(dropins: DropIns, database: Database, unit: str) -> None:
    assert dropins.ask(unit) == "no_such_room"
    assert booked(database) == []
