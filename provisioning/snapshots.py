"""What units are to hold as their schedules, made for many units at once in a handful of queries."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract import MAX_BODY_BYTES
from agent.contract.schedule import CheckIn, Features, Party, Schedule, ScheduledSession
from provisioning.booking import make_salts
from provisioning.models import BookedSession, DaySalt, Room, Unit

log = logging.getLogger(__name__)

DAYS = 7
DAY_BEGINS = timedelta(hours=3)
"""The window moves at three in the morning, so that no session about midnight drops out while it is held."""
NO_SALT = "0" * 32
SESSIONS_BYTES = MAX_BODY_BYTES - 4096
"""A message's room for them: some 550 sessions. A snapshot ends where they no longer fit."""


@dataclass(frozen=True, slots=True)
class Window:
    """The days that a snapshot covers."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, now: datetime, zone: ZoneInfo) -> Window:
        """From today's midnight to seven days from now at least."""
        today = (now.astimezone(zone) - DAY_BEGINS).date()
        midnight, last = (
            datetime.combine(day, time(), zone).astimezone(UTC)
            for day in (today, today + timedelta(days=DAYS + 1))
        )
        return cls(midnight, last)

    def first_day(self, zone: ZoneInfo) -> date:
        """The day it begins with, in the region's time zone."""
        return self.start.astimezone(zone).date()


Snapshot = tuple[Schedule, Sequence[BookedSession]]
"""What is sent, and the rows that it was made of."""


def snapshots(db: Session, units: Sequence[Unit], window: Window, zone: ZoneInfo) -> dict[str, Snapshot]:
    """Each unit's snapshot by its name; that of one in no room is empty. Salts are made where they are new."""
    names = [unit.id for unit in units]
    rooms = {room.unit_id: room for room in db.scalars(select(Room).where(Room.unit_id.in_(names)))}
    ids = [room.id for room in rooms.values()]
    salts = _salts(db, ids, window.first_day(zone))
    booked = _booked(db, ids, window)
    made: dict[str, Snapshot] = {}
    for unit in units:
        room = rooms.get(unit.id)
        rows = booked.get(room.id, []) if room is not None else []
        salt = salts[room.id] if room is not None else NO_SALT
        sessions = _that_fit(rows)
        held, left_out = rows[: len(sessions)], rows[len(sessions) :]
        until = min(window.end, left_out[0].start) if left_out else window.end
        if left_out:
            log.error(
                "unit %s has more sessions than a message holds: %d are left out", unit.id, len(left_out)
            )
        schedule = Schedule(epoch=unit.schedule_epoch, valid_until=until, salt=salt, sessions=sessions)
        made[unit.id] = schedule, held
    return made


def _that_fit(rows: Sequence[BookedSession]) -> tuple[dict[str, Any], ...]:
    """As sent, the first ones first, as many as a message takes."""
    made: list[dict[str, Any]] = []
    free = SESSIONS_BYTES
    for row in rows:
        session = _planned(row).model_dump(mode="json", by_alias=True, exclude_none=True)
        free -= len(to_json(session)) + 1
        if free < 0:
            break
        made.append(session)
    return tuple(made)


def _salts(db: Session, rooms: Collection[str], day: date) -> dict[str, str]:
    query = select(DaySalt).where(DaySalt.room_id.in_(rooms), DaySalt.day == day)
    known = {row.room_id: row.salt for row in db.scalars(query)}
    missing = set(rooms) - known.keys()
    if missing:
        make_salts(db, missing, day)
        known = {row.room_id: row.salt for row in db.scalars(query)}
    return known


def _booked(db: Session, rooms: Collection[str], window: Window) -> Mapping[str, list[BookedSession]]:
    query = (
        select(BookedSession)
        .where(BookedSession.room_id.in_(rooms), BookedSession.cancelled.is_(False))
        .where(BookedSession.state != "wiped")
        .where(BookedSession.end > window.start, BookedSession.start < window.end)
        .order_by(BookedSession.start, BookedSession.sid)
    )
    found: dict[str, list[BookedSession]] = defaultdict(list)
    for row in db.scalars(query):
        found[row.room_id].append(row)
    return found


def _planned(row: BookedSession) -> ScheduledSession:
    return ScheduledSession.model_validate(
        {
            "sid": row.sid,
            "ref": row.ref,
            "start": row.start,
            "end": row.end,
            "kind": row.kind,
            "with": Party.model_validate({"role": row.party_role, "clinic": row.clinic.name}),
            "language": row.language,
            "checkin": CheckIn.model_validate(
                {
                    "methods": tuple(row.methods),
                    "salt": row.salt if "code" in row.methods else None,
                    "code_digest": row.code_digest if "code" in row.methods else None,
                    "token_digest": row.token_digest if "qr" in row.methods else None,
                }
            ),
            "features": Features(waiting_room=row.waiting_room),
        }
    )
