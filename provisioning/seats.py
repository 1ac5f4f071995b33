"""Seats: places in one meeting for those who come by a link and a code, deleted when the meeting is over."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import cast, get_args

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from agent.contract.schedule import code_digest, token_digest
from provisioning import meeting_log
from provisioning.accounts import HASHES_AT_ONCE, PAUSE, TRIES
from provisioning.attendance import own_session
from provisioning.database import Database
from provisioning.identifiers import looks_personal, new_code, new_id, new_salt, new_token
from provisioning.meeting_log import Entry
from provisioning.meeting_models import MeetingStanding, Seat
from provisioning.models import BookedSession
from provisioning.signalling import Signalling
from provisioning.standing import forget_meeting
from provisioning.views import OPENS_BEFORE, OVER, OVERRUN
from web.clinic.seats import Guest, SeatInvitation, SeatLine, SeatLook, SeatRole, SeatState
from web.clinic.services import Account, NotAllowed, Refused, TooManyTries

MOST_SEATS = 8
LABEL_CHARS = 40
SWEEP_EVERY = timedelta(minutes=1)


class Seats:
    """web.clinic.seats.SeatServices. Every method may be called on any thread.

    Signalling writes to the database with its lock held: it is asked for nothing within a writing transaction.
    """

    def __init__(self, database: Database, signalling: Signalling, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._signalling = signalling
        self._clock = clock
        self._hashing = BoundedSemaphore(HASHES_AT_ONCE)
        self._swept_at: datetime | None = None

    def make(self, account: Account, sid: str, role: str, label: str) -> SeatInvitation:
        """A seat with a link and a code of its own."""
        label = " ".join(label.split())
        if role not in get_args(SeatRole):
            raise Refused("role", "is none that a link can be made for")
        if len(label) > LABEL_CHARS:
            raise Refused("label", f"has at most {LABEL_CHARS} characters")
        if looks_personal(label):
            raise Refused("label", "looks like a personal number; write what tells no patient")
        code, token, salt = new_code(), new_token(), new_salt()
        digest = code_digest(code, salt)
        with self._database.write() as db:
            row = own_session(db, account, sid)
            _refuse_over(row, self._clock())
            if len(db.scalars(_open_seats(sid)).all()) >= MOST_SEATS:
                raise Refused("seat", f"there are {MOST_SEATS} already; withdraw one")
            seat = Seat(
                id=new_id(),
                sid=sid,
                role=role,
                label=label,
                token_digest=token_digest(token),
                salt=salt,
                code_digest=digest,
                created_by=account.id,
                created_at=self._clock(),
                accounts=[],
            )
            db.add(seat)
            self._log(
                db,
                "seat_made",
                sid,
                {"by": account.id, "role": account.role, "seat": seat.id, "to_role": role},
            )
            return SeatInvitation(seat.id, sid, cast(SeatRole, role), code, token)

    def list(self, account: Account, sid: str) -> Sequence[SeatLine]:
        """The session's seats in the order they were made."""
        taken = self._signalling.seats_taken(sid)
        with self._database.read() as db:
            own_session(db, account, sid)
            return [
                SeatLine(seat.id, cast(SeatRole, seat.role), seat.label, _state(seat, taken.get(seat.id)))
                for seat in db.scalars(_open_seats(sid))
            ]

    def withdraw(self, account: Account, sid: str, seat_id: str) -> None:
        """The link is good for nothing from here on; whoever came by it is shown out."""
        with self._database.write() as db:
            own_session(db, account, sid)
            seat = db.get(Seat, seat_id, with_for_update=True)
            if seat is None or seat.sid != sid or seat.closed:
                raise Refused("seat", "is not there any more")
            _close(seat)
            self._log(db, "seat_withdrawn", sid, {"by": account.id, "role": account.role, "seat": seat_id})
        self._signalling.close_seat(sid, seat_id)

    def look(self, token: str) -> SeatLook:
        """What the link is for."""
        with self._database.read() as db:
            seat, row = self._found(db, token)
        return self._look(seat, row)

    def claim(self, token: str, code: str) -> Guest:
        """Link and code fit: one may knock."""
        with self._database.write() as db:
            seat, row = self._found(db, token)
            self._refuse_early(row)
            self._count_try(seat)
        with self._hashing:
            digest = code_digest(code, seat.salt)
        if not hmac.compare_digest(digest, seat.code_digest):
            raise Refused("code", "is wrong")
        with self._database.write() as db:
            seat = self._found(db, token)[0]
            seat.failures, seat.paused_until = 0, None
            self._claimed(db, seat, {"by": seat.id, "role": seat.role, "identified": "link"})
            return Guest(seat.id, seat.sid, cast(SeatRole, seat.role), new_id())

    def claim_as(self, account: Account, token: str) -> SeatLook:
        """A professional of another clinic, who has signed in and holds the link, may knock."""
        if account.role == "it":
            raise NotAllowed("meetings are for clinicians and staff")
        with self._database.write() as db:
            seat, row = self._found(db, token)
            self._refuse_early(row)
            if account.clinic not in row.clinic_names and account.id not in seat.accounts:
                seat.accounts = [*seat.accounts, account.id]
                by = {"by": account.id, "role": seat.role, "identified": account.identified}
                self._claimed(db, seat, by)
        return self._look(seat, row)

    def guest(self, seat_id: str, sid: str, place: str) -> Guest | None:
        """One who has claimed a seat, while the seat is there."""
        with self._database.read() as db:
            seat = db.get(Seat, seat_id)
            if seat is None or seat.sid != sid or seat.closed:
                return None
            return Guest(seat.id, sid, cast(SeatRole, seat.role), place)

    def close(self, seat_id: str) -> None:
        """Whoever sat there was shown out."""
        with self._database.write() as db:
            seat = db.get(Seat, seat_id, with_for_update=True)
            if seat is not None:
                _close(seat)

    def tick(self) -> None:
        """Delete what is kept of meetings whose sessions are over without a word from their unit."""
        now = self._clock()
        if self._swept_at is not None and now - self._swept_at < SWEEP_EVERY:
            return
        self._swept_at = now
        still_open = set(self._signalling.open_sids())
        with self._database.write() as db:
            over = (
                BookedSession.cancelled | BookedSession.state.in_(OVER) | (BookedSession.end < now - OVERRUN)
            )
            seats = select(Seat.sid).join(BookedSession, BookedSession.sid == Seat.sid)
            standings = select(MeetingStanding.sid).join(
                BookedSession, BookedSession.sid == MeetingStanding.sid
            )
            # A meeting without seats that somebody has open still is left its chair until they close it.
            sids = set(db.scalars(standings.where(over))) - still_open | set(db.scalars(seats.where(over)))
            for sid in sids:
                forget_meeting(db, sid)
        for sid in sids:
            self._signalling.over(sid)

    def _found(self, db: Session, token: str) -> tuple[Seat, BookedSession]:
        query = select(Seat).where(Seat.token_digest == token_digest(token)).with_for_update()
        seat = db.scalar(query)
        row = db.get(BookedSession, seat.sid) if seat is not None else None
        if seat is None or row is None or seat.closed:
            raise Refused("link", "is not known: the meeting is over, or the link was withdrawn")
        _refuse_over(row, self._clock())
        return seat, row

    def _look(self, seat: Seat, row: BookedSession) -> SeatLook:
        opens_at = _opens_at(row)
        return SeatLook(
            id=seat.id,
            sid=seat.sid,
            role=cast(SeatRole, seat.role),
            start=row.start,
            opens_at=opens_at,
            is_open=self._clock() >= opens_at,
            in_use=self._signalling.seats_taken(seat.sid).get(seat.id) == "inside",
        )

    def _refuse_early(self, row: BookedSession) -> None:
        if self._clock() < _opens_at(row):
            raise Refused("link", "opens later")

    def _count_try(self, seat: Seat) -> None:
        """Before the code is looked at: tries at the same moment all count."""
        now = self._clock()
        if seat.paused_until is not None and now < seat.paused_until:
            raise TooManyTries(seat.paused_until)
        if seat.paused_until is not None:
            seat.failures, seat.paused_until = 0, None
        seat.failures += 1
        if seat.failures >= TRIES:
            seat.paused_until = now + PAUSE

    def _claimed(self, db: Session, seat: Seat, by: dict[str, str]) -> None:
        seat.claimed_at = seat.claimed_at or self._clock()
        self._log(db, "seat_claimed", seat.sid, {**by, "seat": seat.id})

    def _log(self, db: Session, kind: str, sid: str, fields: dict[str, str]) -> None:
        meeting_log.append(db, Entry(kind, self._clock(), sid=sid, fields=fields))


def _open_seats(sid: str) -> Select[Seat]:
    return select(Seat).where(Seat.sid == sid, Seat.closed.is_(False)).order_by(Seat.created_at, Seat.id)


def _close(seat: Seat) -> None:
    seat.closed, seat.label, seat.code_digest, seat.accounts = True, "", "", []


def _state(seat: Seat, taken: str | None) -> SeatState:
    if taken is not None:
        return cast(SeatState, taken)
    return "made" if seat.claimed_at is None else "claimed"


def _opens_at(row: BookedSession) -> datetime:
    """Staff may have begun it before its time."""
    return min(row.start - OPENS_BEFORE, row.checked_in_at or row.start)


def _refuse_over(row: BookedSession, now: datetime) -> None:
    if row.cancelled or row.state in OVER or now > row.end + OVERRUN:
        raise Refused("session", "is over or cancelled")
