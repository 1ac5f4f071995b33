"""Books, moves and cancels sessions. What is kept tells a room and a time, and nothing of the patient."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from agent.contract.schedule import SessionKind, code_digest, token_digest
from provisioning import meeting_log
from provisioning.booking_rules import BEGUN, check_options, check_time, time_words
from provisioning.database import Database
from provisioning.identifiers import new_code, new_id, new_ref, new_salt, new_token
from provisioning.meeting_log import Entry
from provisioning.models import BookedSession, DaySalt, Room, forget_secrets
from provisioning.rooms import touch
from provisioning.standing import forget_meeting
from web.clinic.services import BookingRequest, Clash, Invitation, NotAllowed, Refused


@dataclass(frozen=True, slots=True)
class Booker:
    """Who books: an account or a booking system, for one clinic."""

    id: str
    role: str
    identified: str
    """`account` or `token`."""
    clinic_id: int


@dataclass(frozen=True, slots=True)
class Source:
    """The booking system's own name for an Appointment, as a digest."""

    client_id: str
    identifier_digest: str | None


class Bookings:
    """Every method may be called on any thread, and writes all it does in one transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime], zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def book(
        self,
        booker: Booker,
        request: BookingRequest,
        source: Source | None = None,
        kind: SessionKind = "booked",
        served_by: int | None = None,
    ) -> Invitation:
        """Book a room; raises Refused, Clash, or NotAllowed for another clinic's room.

        `served_by` is the clinic whose clinician takes the patient, where that is not the room's.

        The code and the token are in the answer and nowhere else: only their digests are kept.
        """
        now = self._clock()
        check_time(request.start, request.end, now)
        check_options(request.language, request.methods)
        with self._database.write() as db:
            room = booked_room(db, booker, request.room_id)
            self._check_free(db, room.id, request.start, request.end)
            salt = self._salt(db, room.id, request.start)
            code, digest = _unused_code(db, room.id, request.start, salt)
            token = new_token()
            session = BookedSession(
                sid=new_id(),
                ref=new_ref(self._refs(db, room, request.start)),
                room=room,
                kind=kind,
                served_by_id=served_by,
                start=request.start,
                end=request.end,
                language=request.language,
                methods=sorted(set(request.methods)),
                waiting_room=request.waiting_room,
                client_id=source.client_id if source else None,
                identifier_digest=source.identifier_digest if source else None,
                salt=salt,
                code_digest=digest,
                token_digest=token_digest(token),
            )
            db.add(session)
            self._log(db, "booked", session, booker, now)
            _tell_unit(db, room)
            return Invitation(
                sid=session.sid,
                ref=session.ref,
                start=session.start,
                end=session.end,
                room_name=room.name,
                code=code if "code" in request.methods else "",
                token=token if "qr" in request.methods else "",
            )

    def move(self, booker: Booker, sid: str, start: datetime, end: datetime) -> None:
        """Move within the same room; the code stays. Raises Refused, Clash or NotAllowed."""
        now = self._clock()
        with self._database.write() as db:
            session = own_session(db, booker.clinic_id, sid)
            if session.cancelled:
                raise Refused("session", "is cancelled")
            if (session.start, session.end) == (start, end):
                return
            check_time(start, end, now)
            if session.state in BEGUN or session.state == "waiting":
                raise Refused("session", "has begun; book a new one")
            db.get(Room, session.room_id, with_for_update={"of": Room, "key_share": True})
            self._check_free(db, session.room_id, start, end, but=sid)
            fields = {"from": time_words(session.start, session.end, self._zone)}
            session.start, session.end, session.version = start, end, session.version + 1
            session.state = "booked"
            self._log(db, "moved", session, booker, now, **fields)
            _tell_unit(db, session.room)

    def cancel(self, booker: Booker, sid: str) -> None:
        """Cancel; raises Refused once it has begun or is cancelled, or NotAllowed."""
        with self._database.write() as db:
            session = own_session(db, booker.clinic_id, sid)
            if session.cancelled:
                raise Refused("session", "is cancelled already")
            if session.state in BEGUN:
                raise Refused("session", "has begun; end the meeting instead")
            session.cancelled, session.version = True, session.version + 1
            session.state = "cancelled"
            forget_secrets(session)
            forget_meeting(db, sid)
            self._log(db, "cancelled", session, booker, self._clock())
            _tell_unit(db, session.room)

    def day_of(self, at: datetime) -> date:
        """The day that a time belongs to, where the rooms are."""
        return at.astimezone(self._zone).date()

    def _check_free(
        self, db: Session, room_id: str, start: datetime, end: datetime, but: str | None = None
    ) -> None:
        query = (
            select(BookedSession)
            .where(BookedSession.room_id == room_id, BookedSession.cancelled.is_(False))
            .where(BookedSession.start < end, BookedSession.end > start, BookedSession.sid != (but or ""))
            .where(BookedSession.state != "wiped")
            .order_by(BookedSession.start)
        )
        other = db.scalar(query.limit(1))
        if other is not None:
            when = time_words(other.start, other.end, self._zone)
            raise Clash("start", f"the room is booked {when} ({other.ref}); choose another time or room")

    def _salt(self, db: Session, room_id: str, start: datetime) -> str:
        day = self.day_of(start)
        return salt_of_day(db, room_id, day)

    def _refs(self, db: Session, room: Room, start: datetime) -> set[str]:
        midnight = datetime.combine(self.day_of(start), time(), self._zone).astimezone(UTC)
        near = timedelta(days=2)
        query = (
            select(BookedSession.ref)
            .join(Room, Room.id == BookedSession.room_id)
            .where(Room.clinic_id == room.clinic_id)
            .where(BookedSession.start > midnight - near, BookedSession.start < midnight + near)
        )
        return set(db.scalars(query))

    def _log(
        self, db: Session, kind: str, session: BookedSession, booker: Booker, now: datetime, **fields: str
    ) -> None:
        told = {"by": booker.id, "role": booker.role, "identified": booker.identified}
        when = time_words(session.start, session.end, self._zone)
        entry = Entry(kind, now, sid=session.sid, fields={**told, "time": when, **fields})
        meeting_log.append(db, entry)


def own_session(db: Session, clinic_id: int, sid: str) -> BookedSession:
    """A session of that clinic, locked; raises Refused if there is none, NotAllowed if it is another's."""
    session = db.scalar(
        select(BookedSession).where(BookedSession.sid == sid).with_for_update(of=BookedSession)
    )
    if session is None:
        raise Refused("session", "is not known")
    if clinic_id not in session.clinic_ids:
        raise NotAllowed("this session is another clinic's")
    return session


def salt_of_day(db: Session, room_id: str, day: date) -> str:
    """The salt of a room's codes on one day, made where it is new."""
    row = db.get(DaySalt, (room_id, day))
    if row is None:
        make_salts(db, [room_id], day)
        row = db.get_one(DaySalt, (room_id, day))
    return row.salt


def make_salts(db: Session, rooms: Iterable[str], day: date) -> None:
    """Salts for rooms that have none that day. A booking and the schedule may both come to it at once."""
    rows = [{"room_id": room, "day": day, "salt": new_salt()} for room in sorted(rooms)]
    if not rows:
        return
    insert = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.execute(insert(DaySalt).values(rows).on_conflict_do_nothing())


def booked_room(db: Session, booker: Booker, room_id: str) -> Room:
    """The room that is to be booked, held until the transaction ends; raises Refused or NotAllowed."""
    # The row is locked, so that two who book the same room at once come one after the other. Not its key: whoever
    # adds a row that names the room, as the schedule does a day's salt, must not wait for a booking that waits
    # for that row.
    room = db.scalar(select(Room).where(Room.id == room_id).with_for_update(of=Room, key_share=True))
    if room is None:
        raise Refused("room_id", "is not a room here")
    if room.clinic_id != booker.clinic_id:
        raise NotAllowed("this room is another clinic's")
    return room


def _unused_code(db: Session, room_id: str, start: datetime, salt: str) -> tuple[str, str]:
    """A code that opens no other session of the room around that time, and its digest."""
    near = timedelta(days=1)
    query = select(BookedSession.salt, BookedSession.code_digest).where(
        BookedSession.room_id == room_id,
        BookedSession.start > start - near,
        BookedSession.start < start + near,
    )
    taken = {(other_salt, digest) for other_salt, digest in db.execute(query)}
    salts = {salt} | {other_salt for other_salt, _ in taken}
    for _ in itertools.count():
        code = new_code()
        digests = {each: code_digest(code, each) for each in salts}
        if not any((each, digest) in taken for each, digest in digests.items()):
            return code, digests[salt]
    raise AssertionError("unreachable")


def _tell_unit(db: Session, room: Room) -> None:
    if room.unit_id is not None:
        touch(db, room.unit_id, "schedule")
