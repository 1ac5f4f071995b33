"""A session is moved to another room of the same centre, by staff at a PC or IT: the room that was booked is not
ready, or something is in its way.

As when staff hand it over at the screen (provisioning.room_requests), everything else stays: sid, ref and code, so
that the letter the patient has still opens it. Booking systems see the new room in Appointment.participant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning import audit, meeting_log
from provisioning.booking import Booker, own_session
from provisioning.booking_rules import time_words
from provisioning.database import Database
from provisioning.free_rooms import SHORTEST, in_the_way, is_ready
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession, OutboxRow, Room
from provisioning.rooms import touch
from provisioning.views import OVER
from web.clinic.services import Clash, NotAllowed, Refused

MOVED_IN = "moved_in"
"""In the outbox: those who wait for a session of this unit go on to it once the unit knows of it."""
NOT_CHECKED_IN = frozenset({"booked", "ready"})


@dataclass(frozen=True, slots=True)
class FreeRoom:
    """A room that could take the session over."""

    id: str
    name: str
    unit: str


class Moving:
    """Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime], zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def free_ready_rooms(self, sid: str) -> Sequence[FreeRoom]:
        """Rooms of the same centre that are ready and free at its time, by name; none once it cannot be moved."""
        now = self._clock()
        with self._database.read() as db:
            session = db.get(BookedSession, sid)
            if session is None or _why_not(session, now) is not None:
                return []
            query = select(Room).where(Room.clinic_id == session.room.clinic_id, Room.id != session.room_id)
            return [
                FreeRoom(room.id, room.name, room.unit_id)
                for room in db.scalars(query.order_by(Room.name, Room.id))
                if room.unit_id is not None
                and is_ready(db, room, now)
                and in_the_way(db, room, session.start, _end(session, now), now) is None
            ]

    def move_session(self, booker: Booker, sid: str, to_room: str) -> None:
        """Move it; done already is done. Raises Refused, Clash or NotAllowed, which say why it stays."""
        now = self._clock()
        with self._database.write() as db:
            session = own_session(db, booker.clinic_id, sid)
            if session.room_id == to_room:
                return
            if session.room.clinic_id != booker.clinic_id:
                raise NotAllowed("this room is another clinic's")
            if (reason := _why_not(session, now)) is not None:
                raise Refused("session", reason)
            target = self._free_room(db, session, to_room, now)
            left = session.room
            session.booked_room_id = session.booked_room_id or left.id
            session.room, session.end, session.state = target, _end(session, now), "booked"
            session.version += 1
            told = {"by": booker.id, "role": booker.role, "identified": booker.identified}
            fields = {**told, "from": left.id, "room": target.id}
            meeting_log.append(db, Entry("room_changed", now, sid=sid, unit=target.unit_id, fields=fields))
            of_it = {"session": sid, "from": left.id}
            audit.note(db, now, by=booker.id, action="move_session", target=target.id, fields=of_it)
            for unit in (left.unit_id, target.unit_id):
                if unit is not None:
                    touch(db, unit, "schedule")
            db.add(OutboxRow(unit_id=target.unit_id or "", what=MOVED_IN))

    def _free_room(self, db: Session, session: BookedSession, to_room: str, now: datetime) -> Room:
        """Held until the transaction ends."""
        target = db.scalar(select(Room).where(Room.id == to_room).with_for_update(of=Room, key_share=True))
        if target is None:
            raise Refused("room", f"{to_room} is not known; `halsorum room list` tells the rooms")
        if target.clinic_id != session.room.clinic_id:
            raise Refused(
                "room", f"{target.name} is at another centre, and the patient is on the way to this one"
            )
        if not is_ready(db, target, now):
            raise Refused("room", f"{target.name} is not ready either; choose another one")
        other = in_the_way(db, target, session.start, _end(session, now), now)
        if other is not None:
            when = time_words(other.start, other.end, self._zone)
            raise Clash("room", f"{target.name} is taken {when} ({other.ref}); choose another one")
        return target


def _end(session: BookedSession, now: datetime) -> datetime:
    """One that is moved late still has a few minutes."""
    return max(session.end, now + SHORTEST)


def _why_not(session: BookedSession, now: datetime) -> str | None:
    """Why it cannot be moved any more; None: it can. Pure."""
    if session.cancelled:
        return "is cancelled"
    if session.state in OVER or session.ended_at is not None:
        return "is over"
    if session.checked_in_at is not None or session.state not in NOT_CHECKED_IN:
        return "has its patient in the room already; hand it over at that room's screen"
    if session.end <= now:
        return "had its time before now; book a new one"
    return None
