"""Meetings that nobody booked: staff at a room's screen ask for one now, and the region books it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from provisioning.booking import Booker, Bookings
from provisioning.database import Database
from provisioning.models import BookedSession, Room
from web.clinic.services import BookingRequest, Refused

log = logging.getLogger(__name__)

LENGTH = timedelta(minutes=30)
SHORTEST = timedelta(minutes=5)
"""With less time before the next booking it is not worth letting anybody in."""


class DropIns:
    """Books a session for the room that a unit stands in, from now until the next one begins."""

    def __init__(self, database: Database, bookings: Bookings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._bookings = bookings
        self._clock = clock

    def ask(self, unit: str) -> str:
        """Book now for the room's own clinic; says why not, as a reason of the contract, or nothing."""
        with self._database.read() as db:
            room = db.scalar(select(Room).where(Room.unit_id == unit))
        if room is None:
            log.warning("unit %s asks for a drop-in, but stands in no room", unit)
            return "no_such_room"
        try:
            self.book(room, Booker(unit, "unit", "certificate", room.clinic_id))
        except Refused as refused:
            log.info("unit %s asks for a drop-in: %s %s", unit, refused.field_name, refused.reason)
            return "room_not_free"
        return ""

    def book(
        self, room: Room, booker: Booker, served_by: int | None = None, *, waiting_room: bool = True
    ) -> str:
        """Book the room from now until its next session; returns the sid. Raises Refused if it is not free."""
        now = self._clock()
        with self._database.read() as db:
            coming = db.scalar(
                select(BookedSession.start)
                .where(BookedSession.room_id == room.id, BookedSession.cancelled.is_(False))
                .where(BookedSession.start > now, BookedSession.state == "booked")
                .order_by(BookedSession.start)
                .limit(1)
            )
        end = now + LENGTH if coming is None else min(now + LENGTH, coming)
        if end - now < SHORTEST:
            raise Refused("room", "is booked for a session that begins in a moment")
        request = BookingRequest(
            room_id=room.id, start=now, end=end, methods=("staff",), waiting_room=waiting_room
        )
        return self._bookings.book(booker, request, kind="dropin", served_by=served_by).sid
