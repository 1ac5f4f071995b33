"""Rooms that are booked and not ready, worst first.

Booked: a session that is not over begins before the end of the day, or within twelve hours, so that an evening
shows the next morning. Not ready: the room's unit lacks something, cannot be reached, or is not there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from agent.contract.instructions import LOST, NO_UNIT, Level, worst_first
from provisioning.fleet_health import STOPPED_AFTER
from provisioning.models import BookedSession, Clinic, Room, RoomUnit, UnitReport
from provisioning.readiness_models import Notice, NoticeRecipient, UnitFault
from provisioning.unit_faults import open_faults
from provisioning.views import OVER

AHEAD = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that a room lacks. `fault_id`: the row in which it is kept, if it is."""

    instruction: str
    level: Level
    since: datetime | None
    fault_id: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One recipient told over one channel (`email`, `webhook`), or to be told. state: waiting, sent or failed."""

    recipient: str
    """As IT has named them; empty once they were removed."""
    channel: str
    state: str
    at: datetime
    """When it was sent; until then, when it was decided."""
    tries: int
    instruction: str


@dataclass(frozen=True, slots=True)
class Next:
    """The next session in a room."""

    sid: str
    ref: str
    start: datetime
    end: datetime
    state: str


@dataclass(frozen=True, slots=True)
class NotReady:
    """A room that is booked and not ready."""

    room_id: str
    room: str
    clinic: str
    unit: str | None
    unit_state: str
    next: Next
    remaining: int
    """Sessions still to come or under way, with the next one."""
    instruction: str
    """The one thing to do first."""
    level: Level
    since: datetime | None
    faults: tuple[str, ...]
    """All of it by instruction, worst first."""
    told: tuple[Told, ...]
    """Who was told since the room was last well."""
    lacks: tuple[Lack, ...]

    @property
    def next_start(self) -> datetime:
        """When the next session begins."""
        return self.next.start


def not_ready_today(db: Session, clinic: str | None, now: datetime, zone: ZoneInfo) -> list[NotReady]:
    """Of a clinic by its name (None: of all), worst first. zone: where days begin."""
    # Only those that may lack something are read: of two thousand rooms a few.
    lacking = or_(
        UnitReport.unit_id.is_(None),
        UnitReport.state.in_(("lost", "unknown", "revoked", "stopping")),
        exists().where(UnitFault.unit_id == Room.unit_id, UnitFault.until.is_(None)),
    )
    found = rooms_and_lacks(db, now, lacking if clinic is None else and_(lacking, Clinic.name == clinic))
    ids = [room.id for room, _, lacks in found if lacks]
    booked, told = _booked(db, ids, now, booked_until(now, zone)), _told(db, ids)
    return sorted(
        (
            _line(room, report, lacks, booked[room.id], told.get(room.id, ()))
            for room, report, lacks in found
            if room.id in booked
        ),
        key=urgency,
    )


def rooms_and_lacks(
    db: Session, now: datetime, which: ColumnElement[bool]
) -> list[tuple[Room, UnitReport | None, tuple[Lack, ...]]]:
    """Rooms with their units' reports and what they lack; `which` may speak of Room, Clinic and UnitReport."""
    query = select(Room, UnitReport).join(Clinic).outerjoin(UnitReport, UnitReport.unit_id == Room.unit_id)
    rows = [(room, report) for room, report in db.execute(query.where(which))]
    faults = open_faults(db, [room.unit_id for room, _ in rows if room.unit_id is not None])
    emptied = _emptied(db, [room.id for room, report in rows if report is None])
    return [
        (room, report, lacks_of(report, faults.get(room.unit_id or "", ()), now, emptied.get(room.id)))
        for room, report in rows
    ]


def urgency(line: NotReady) -> tuple[bool, datetime, str]:
    """What sorts the list: what keeps visits out first, then whose patient comes first. Pure."""
    return line.level == "warn", line.next.start, line.room_id


def booked_until(now: datetime, zone: ZoneInfo) -> datetime:
    """Sessions that begin before then count. Pure."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return max(datetime.combine(tomorrow, time(), zone).astimezone(UTC), now + AHEAD)


def lacks_of(
    report: UnitReport | None, faults: Sequence[UnitFault], now: datetime, emptied: datetime | None = None
) -> tuple[Lack, ...]:
    """What a room lacks, the one to be done first at the beginning. report: of its unit, None without one;
    emptied: when the last one was taken out. Pure.

    What a unit that cannot be reached last said is old: that it cannot be reached comes first.
    """
    if report is None or report.state == "revoked":
        return (Lack(NO_UNIT, "fail", report.since if report else emptied),)
    kept = {row.instruction: Lack(row.instruction, _level(row), row.since, row.id) for row in faults}
    lost = kept.pop(LOST, None)  # kept also of one that is silent, whatever it said last
    if lost is None and is_away(report, now):
        lost = Lack(LOST, "fail", report.since)
    return (lost, *_in_order(kept)) if lost else tuple(_in_order(kept))


def is_away(report: UnitReport, now: datetime) -> bool:
    """Whether nobody can reach it: its Last Will was said, it never came, or it was stopped and stayed away."""
    if report.state == "stopping":
        return report.since is not None and now - report.since > STOPPED_AFTER
    return report.state in {"lost", "unknown"}


def _emptied(db: Session, rooms: Collection[str]) -> dict[str, datetime]:
    """When rooms lost their last unit; one that never had any is not among them."""
    query = select(RoomUnit.room_id, func.max(RoomUnit.until)).where(RoomUnit.room_id.in_(rooms))
    return {room: at for room, at in db.execute(query.group_by(RoomUnit.room_id)) if at is not None}


def _in_order(kept: Mapping[str, Lack]) -> list[Lack]:
    """By what was said of them, not by our own table: a newer unit may know better what keeps visits out."""
    order = {key: number for number, key in enumerate(worst_first(kept))}
    return sorted(kept.values(), key=lambda lack: (lack.level == "warn", order[lack.instruction]))


def _level(row: UnitFault) -> Level:
    return "warn" if row.level == "warn" else "fail"


def _line(
    room: Room,
    report: UnitReport | None,
    lacks: tuple[Lack, ...],
    sessions: Sequence[BookedSession],
    told: Sequence[Told],
) -> NotReady:
    first, worst = sessions[0], lacks[0]
    return NotReady(
        room_id=room.id,
        room=room.name,
        clinic=room.clinic.name,
        unit=room.unit_id,
        unit_state=report.state if report else "unknown",
        next=Next(first.sid, first.ref, first.start, first.end, first.state),
        remaining=len(sessions),
        instruction=worst.instruction,
        level=worst.level,
        since=worst.since,
        faults=tuple(lack.instruction for lack in lacks),
        told=tuple(told),
        lacks=lacks,
    )


def next_session(db: Session, room: str, now: datetime) -> BookedSession | None:
    """The one that is on there, or comes next."""
    found: BookedSession | None = db.scalar(_coming([room], now).limit(1))
    return found


def _coming(rooms: Collection[str], now: datetime) -> Select[Any]:
    return (
        select(BookedSession)
        .where(BookedSession.room_id.in_(rooms), BookedSession.cancelled.is_(False))
        .where(BookedSession.state.not_in(OVER), BookedSession.end > now)
        .order_by(BookedSession.start, BookedSession.sid)
    )


def _booked(
    db: Session, rooms: Collection[str], now: datetime, until: datetime
) -> dict[str, list[BookedSession]]:
    found: dict[str, list[BookedSession]] = defaultdict(list)
    for row in db.scalars(_coming(rooms, now).where(BookedSession.start < until)):
        found[row.room_id].append(row)
    return found


def _told(db: Session, rooms: Collection[str]) -> dict[str, list[Told]]:
    """What was told since each room was last well."""
    query = (
        select(Notice, NoticeRecipient.name)
        .outerjoin(NoticeRecipient, NoticeRecipient.id == Notice.recipient_id)
        .where(Notice.room_id.in_(rooms), Notice.kind == "fault", Notice.over_at.is_(None))
        .where(Notice.state != "dropped")
        .order_by(Notice.id)
    )
    found: dict[str, list[Told]] = defaultdict(list)
    for row, name in db.execute(query):
        at = row.sent_at or row.made_at
        found[row.room_id].append(Told(name or "", row.channel, row.state, at, row.tries, row.instruction))
    return found
