"""Whether a room can take a session over: its unit is well, and nobody else is there."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.models import BookedSession, Room, UnitReport
from provisioning.silence import is_silent
from provisioning.views import LIVE, OVER

SHORTEST = timedelta(minutes=5)
"""A session that is handed over so late still has this much time in its new room."""
_TESTED = frozenset({"ready", "in_session"})


def is_ready(db: Session, room: Room, now: datetime) -> bool:
    """Whether visits can be held there; what only warns keeps nobody out."""
    report = db.get(UnitReport, room.unit_id) if room.unit_id else None
    if report is None or is_silent(db, report.unit_id, now):
        return False
    only_warns = all(fault.get("level") == "warn" for fault in report.faults)
    return only_warns and (report.state in _TESTED or (report.state == "degraded" and bool(report.faults)))


def in_the_way(
    db: Session, room: Room, start: datetime, end: datetime, now: datetime
) -> BookedSession | None:
    """What is booked there in that time, or who sits there and should have gone by then; None: it is free."""
    here = select(BookedSession).where(
        BookedSession.room_id == room.id,
        BookedSession.cancelled.is_(False),
        BookedSession.state.not_in(OVER),
    )
    begin = max(start, now)
    booked = here.where(BookedSession.start < end, BookedSession.end > begin).order_by(BookedSession.start)
    found = db.scalar(booked.limit(1))
    if found is None and begin <= now + SHORTEST:
        found = db.scalar(here.where(BookedSession.state.in_(LIVE)).limit(1))
    return found
