"""Rows as the pages see them, and what signalling asks of a session."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning import models
from provisioning.database import Database
from provisioning.models import BookedSession, Unit, UnitReport
from provisioning.people_models import AccountRow
from web.clinic.services import LogLine, Room, SessionRow

OPENS_BEFORE = timedelta(minutes=15)
"""How long before its start a session may be checked in to; at the screen staff may be earlier."""
OVERRUN = timedelta(hours=2)
"""How long after its end a session may go on."""
LIVE = frozenset({"waiting", "admitted", "in_call"})
REACHABLE = frozenset({"ready", "degraded", "in_session", "starting"})
OVER = frozenset({"ended", "wiped", "failed", "no_show", "cancelled"})


def room_value(db: Session, row: models.Room) -> Room:
    """A room with its unit's health."""
    report = db.get(UnitReport, row.unit_id) if row.unit_id else None
    return Room(
        id=row.id,
        name=row.name,
        clinic=row.clinic.name,
        unit=row.unit_id,
        unit_state=report.state if report else "unknown",
        faults=tuple(str(fault["instruction"]) for fault in report.faults) if report else (),
        unit_state_since=report.since if report else None,
    )


def session_value(db: Session, row: BookedSession, now: datetime) -> SessionRow:
    """A session as the day's list shows it, but for who has it open."""
    held_by, next_waits = overrun(db, row, now)
    return SessionRow(
        sid=row.sid,
        ref=row.ref,
        start=row.start,
        end=row.end,
        room=room_value(db, row.room),
        clinic=row.clinic.name,
        role=row.party_role,
        state=row.state,
        language=row.language,
        methods=tuple(row.methods),
        checked_in_at=row.checked_in_at,
        checked_in_how=row.checked_in_how,
        parties=(),
        schedule_on_unit=is_on_unit(db, row),
        held_by=held_by,
        next_waits=next_waits,
    )


def overrun(db: Session, row: BookedSession, now: datetime) -> tuple[str | None, str | None]:
    """The `ref` of the session that still holds this one's room, and of the one that waits for this one's."""
    if row.cancelled or row.start > now or row.state not in {"booked", "ready", *LIVE}:
        return None, None
    others = select(BookedSession).where(
        BookedSession.room_id == row.room_id,
        BookedSession.cancelled.is_(False),
        BookedSession.start <= now,
        BookedSession.sid != row.sid,
    )
    if row.state in LIVE:
        waits = others.where(BookedSession.start > row.start, BookedSession.state.in_(("booked", "ready")))
        other = db.scalar(waits.order_by(BookedSession.start).limit(1))
        return None, other.ref if other is not None and other.end > now else None
    holds = others.where(BookedSession.start < row.start, BookedSession.state.in_(LIVE))
    other = db.scalar(holds.order_by(BookedSession.start.desc()).limit(1))
    return other.ref if other is not None else None, None


def is_on_unit(db: Session, row: BookedSession) -> bool:
    """Whether the unit in the room has confirmed a schedule that holds the session as it is now."""
    unit_id = row.room.unit_id
    if row.cancelled or unit_id is None:
        return False
    unit, report = db.get(Unit, unit_id), db.get(UnitReport, unit_id)
    if unit is None or report is None or report.schedule_outcome != "accepted":
        return False
    published = (row.published_version, row.published_unit) == (row.version, unit_id)
    confirmed = report.schedule_epoch == unit.schedule_epoch and report.schedule_rev >= row.published_rev
    return published and confirmed and row.sid not in report.rejected_sids


def log_line(entry: models.LogEntry, names: Mapping[str, str]) -> LogLine:
    """An entry of the meeting log for a reader; `names` are those of accounts and staff by their ids."""
    fields = dict(entry.fields)
    named = {str(value): names[str(value)] for value in fields.values() if str(value) in names}
    return LogLine(at=entry.at, source=entry.source, kind=entry.kind, fields=fields, names=named)


def names_of_people(db: Session) -> dict[str, str]:
    """Accounts and staff by their ids; the log itself keeps ids alone."""
    accounts = {row.id: row.name for row in db.scalars(select(AccountRow))}
    return accounts | {row.id: row.label for row in db.scalars(select(models.StaffMember))}


class StoredSessionFacts:
    """provisioning.signalling.SessionFacts from the database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def unit_of(self, sid: str) -> str | None:
        """The unit in the session's room now."""
        with self._database.read() as db:
            query = (
                select(models.Room.unit_id)
                .join(BookedSession, BookedSession.room_id == models.Room.id)
                .where(BookedSession.sid == sid)
            )
            return db.scalar(query)

    def is_over(self, sid: str) -> bool:
        """Whether it is cancelled or ended."""
        with self._database.read() as db:
            row = db.get(BookedSession, sid)
            return row is None or row.cancelled or row.state in OVER

    def may_resume(self, sid: str) -> str:
        """Empty if a unit that was away may go on with it now, otherwise why not."""
        now = self._clock().astimezone(UTC)
        with self._database.read() as db:
            row = db.get(BookedSession, sid)
        if row is None:
            return "the session is not known"
        if row.cancelled:
            return "the session is cancelled"
        if row.ended_at is not None or row.state in OVER:
            return "the session has ended"
        # Staff may have begun it before its time.
        begins = min(row.start - OPENS_BEFORE, row.checked_in_at or row.start)
        if not begins <= now < row.end + OVERRUN:
            return "it is not the session's time"
        return ""
