"""How ready the rooms were: per unit and month, which sessions began in time, why the others did not, and which
faults there were for how long. Of units and kinds alone: no session, no person, no clinic's staff is in it.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from provisioning.models import BookedSession, Clinic, LogEntry, Room, RoomUnit
from provisioning.readiness_models import UnitFault
from web.clinic.readiness_figures import CAUSES, FIRST_YEAR, LAST_YEAR, Cause, FaultFigures, UnitMonth

IN_TIME = timedelta(minutes=2)
_KINDS = ("checked_in", "admitted", "call_started")
_FIELDS = ("unit", "month", "what", "name", "count", "share", "median_minutes", "longest_minutes")


@dataclass(frozen=True, slots=True)
class Course:
    """When one session was to begin and what happened, by the region's time."""

    unit: str
    start: datetime
    checked_in: datetime | None
    admitted: datetime | None
    began: datetime | None


@dataclass(frozen=True, slots=True)
class FaultSpan:
    """One fault; `until` is None while it lasts."""

    unit: str
    instruction: str
    level: str
    since: datetime
    until: datetime | None


def month_bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Of `2026-11`, where days begin; ValueError for what is no month, or one out of range."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
    if not FIRST_YEAR <= first.year <= LAST_YEAR:
        raise ValueError(f"{month} is outside of {FIRST_YEAR} to {LAST_YEAR}")
    following = (first + timedelta(days=32)).replace(day=1)
    return first.astimezone(UTC), following.astimezone(UTC)


def figures(
    db: Session,
    month: str,
    zone: ZoneInfo,
    now: datetime,
    *,
    clinic: str | None = None,
    unit: str | None = None,
) -> list[UnitMonth]:
    """Of a clinic's units (None: of all), or of one unit, by their names."""
    begin, end = month_bounds(month, zone)
    names = _units(db, clinic, begin, end)
    if unit is not None:
        names &= {unit}
    until = min(end, now - IN_TIME)  # what may still begin in time is not counted yet
    faults = _faults(db, begin, end)
    courses = defaultdict(list)
    for course in (*_courses(db, clinic, begin, until), *_lost(db, clinic, begin, until, faults)):
        courses[course.unit].append(course)
    made = []
    for name in sorted((courses.keys() | faults.keys()) & names):
        spans = faults.get(name, [])
        why = [why_late(course, spans) for course in courses[name]]
        made.append(
            UnitMonth(
                unit=name,
                month=month,
                held=len(why),
                in_time=why.count(None),
                causes={cause: why.count(cause) for cause in CAUSES if cause in why},
                faults=_fault_figures(spans, now),
            )
        )
    return made


def why_late(course: Course, faults: Iterable[FaultSpan]) -> Cause | None:
    """Why it did not begin in time; None if it did. The room's own fault comes first: who comes late to a room
    that does not work is not why. Pure."""
    deadline = course.start + IN_TIME
    if course.began is not None and course.began <= deadline:
        return None
    if any(
        span.unit == course.unit
        and span.level == "fail"
        and span.since <= deadline
        and (span.until is None or span.until > course.start)
        for span in faults
    ):
        return "room"
    if course.checked_in is not None and course.checked_in > course.start:
        return "patient"
    if course.admitted is None or course.admitted > deadline:
        return "clinician"
    return "connection"


def as_csv(months: Iterable[UnitMonth]) -> str:
    """One line for each figure (RFC 4180)."""
    file = io.StringIO()
    lines = csv.DictWriter(file, _FIELDS, lineterminator="\r\n")
    lines.writeheader()
    for each in months:
        of_unit = {"unit": each.unit, "month": each.month}
        lines.writerow({**of_unit, "what": "sessions", "name": "held", "count": each.held})
        share = "" if each.share is None else f"{each.share:.3f}"
        lines.writerow(
            {**of_unit, "what": "sessions", "name": "in_time", "count": each.in_time, "share": share}
        )
        for cause in CAUSES:
            lines.writerow({**of_unit, "what": "late", "name": cause, "count": each.causes.get(cause, 0)})
        for fault in each.faults:
            times = {"median_minutes": fault.median_minutes, "longest_minutes": fault.longest_minutes}
            lines.writerow(
                {**of_unit, "what": "fault", "name": fault.instruction, "count": fault.count, **times}
            )
    return file.getvalue()


def _fault_figures(spans: Sequence[FaultSpan], now: datetime) -> tuple[FaultFigures, ...]:
    """By kind, the most frequent first. The whole time until it was mended, also across the turn of a month, since
    a part of it is nobody's time to repair; what still lasts is counted until now."""
    minutes: dict[str, list[float]] = defaultdict(list)
    for span in spans:
        lasted = (span.until or now) - span.since
        minutes[span.instruction].append(max(lasted, timedelta()) / timedelta(minutes=1))
    still = {span.instruction for span in spans if span.until is None}
    made = [
        FaultFigures(kind, len(each), round(median(each), 1), round(max(each), 1), kind in still)
        for kind, each in minutes.items()
    ]
    return tuple(sorted(made, key=lambda figures: (-figures.count, figures.instruction)))


def _units(db: Session, clinic: str | None, begin: datetime, end: datetime) -> set[str]:
    """Those that stood in a room then: one that was taken out since keeps its figures."""
    query = select(RoomUnit.unit_id).join(Room, Room.id == RoomUnit.room_id).join(Clinic)
    query = query.where(RoomUnit.since < end, or_(RoomUnit.until.is_(None), RoomUnit.until > begin))
    return set(db.scalars(query if clinic is None else query.where(Clinic.name == clinic)))


def _courses(db: Session, clinic: str | None, begin: datetime, end: datetime) -> list[Course]:
    """Sessions to which a patient came."""
    query = (
        select(LogEntry.sid, LogEntry.kind, LogEntry.at, LogEntry.unit_id, BookedSession.start)
        .join(BookedSession, BookedSession.sid == LogEntry.sid)
        .join(Room, Room.id == BookedSession.room_id)
        .join(Clinic)
        .where(BookedSession.start >= begin, BookedSession.start < end, LogEntry.kind.in_(_KINDS))
        .where(BookedSession.kind == "booked")
        .order_by(LogEntry.seq)
    )
    seen: dict[str, dict[str, datetime]] = defaultdict(dict)
    of_session: dict[str, tuple[str, datetime]] = {}
    for sid, kind, at, unit, start in db.execute(
        query if clinic is None else query.where(Clinic.name == clinic)
    ):
        assert sid is not None  # it was joined by it
        seen[sid].setdefault(kind, at)
        if unit is not None:
            of_session[sid] = unit, start
    return [
        Course(unit, start, *(seen[sid].get(kind) for kind in _KINDS))
        for sid, (unit, start) in of_session.items()
    ]


def _lost(
    db: Session,
    clinic: str | None,
    begin: datetime,
    end: datetime,
    faults: Mapping[str, Sequence[FaultSpan]],
) -> list[Course]:
    """Sessions to which nobody could come, since the room was not ready. Where it was, one that nobody came to, or
    that was cancelled, says nothing of the room."""
    came = exists().where(LogEntry.sid == BookedSession.sid, LogEntry.kind.in_(_KINDS))
    query = (
        select(RoomUnit.unit_id, BookedSession.start)
        .join(Room, Room.id == BookedSession.room_id)
        .join(Clinic)
        .join(RoomUnit, RoomUnit.room_id == Room.id)
        .where(RoomUnit.since <= BookedSession.start)
        .where(or_(RoomUnit.until.is_(None), RoomUnit.until > BookedSession.start))
        .where(BookedSession.start >= begin, BookedSession.start < end)
        .where(BookedSession.kind == "booked", BookedSession.cancelled.is_(False), ~came)
    )
    rows = db.execute(query if clinic is None else query.where(Clinic.name == clinic))
    courses = [Course(unit, start, None, None, None) for unit, start in rows]
    return [course for course in courses if why_late(course, faults.get(course.unit, ())) == "room"]


def _faults(db: Session, begin: datetime, end: datetime) -> dict[str, list[FaultSpan]]:
    """By unit: with all units' faults beside all their sessions a region's month would take minutes."""
    query = select(UnitFault).where(
        UnitFault.since < end, or_(UnitFault.until.is_(None), UnitFault.until > begin)
    )
    found: dict[str, list[FaultSpan]] = defaultdict(list)
    for row in db.scalars(query):
        found[row.unit_id].append(FaultSpan(row.unit_id, row.instruction, row.level, row.since, row.until))
    return found
