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

    def ask(self, unit: str) -> bool:
        """Book now; False, and a line in the log, when the room is not free."""
        now = self._clock()
        with self._database.read() as db:
            room = db.scalar(select(Room).where(Room.unit_id == unit))
            if room is None:
                log.warning("unit %s asks for a drop-in, but stands in no room", unit)
                return False
            coming = db.scalar(
                select(BookedSession.start)
                .where(BookedSession.room_id == room.id, BookedSession.cancelled.is_(False))
                .where(BookedSession.start > now, BookedSession.state == "booked")
                .order_by(BookedSession.start)
                .limit(1)
            )
            booker = Booker(unit, "unit", "certificate", room.clinic_id)
            room_id = room.id
        end = now + LENGTH if coming is None else min(now + LENGTH, coming)
        if end - now < SHORTEST:
            log.info("unit %s asks for a drop-in, but the next session begins soon", unit)
            return False
        request = BookingRequest(room_id=room_id, start=now, end=end, methods=("staff",))
        try:
            self._bookings.book(booker, request, kind="dropin")
        except Refused as refused:
            log.info("unit %s asks for a drop-in: %s %s", unit, refused.field_name, refused.reason)
            return False
        return True
