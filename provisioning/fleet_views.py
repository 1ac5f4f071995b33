"""The fleet as IT's list shows it: read in a handful of queries, however many units there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, defer, load_only, raiseload

from provisioning.config_standing import standing
from provisioning.fleet_health import TO_READ, UnitFacts, health
from provisioning.fleet_models import ConfigRevision, GroupMember, Revocation, TelemetryRow
from provisioning.models import BookedSession, Clinic, Room, Unit, UnitReport
from provisioning.views import LIVE, OVER
from web.clinic.fleet.services import FleetRoom, Health, UnitLine, UnitList, UnitQuery

BUSY_BEFORE = timedelta(minutes=30)
_NEEDED = (
    load_only(
        *(Unit.id, Unit.serial, Unit.config_epoch, Unit.config_rev, Unit.schedule_epoch, Unit.schedule_rev),
        raiseload=True,
    ),
    defer(UnitReport.faults, raiseload=True),
    defer(UnitReport.rejected_sids, raiseload=True),
    defer(UnitReport.config_errors, raiseload=True),
    load_only(Room.id, Room.name, raiseload=True),
    raiseload(Room.clinic),
)
"""Whole configurations and lists, read as JSON for thousands of units, would be most of the list's time."""


@dataclass(frozen=True, slots=True)
class _Row:
    unit: Unit
    report: UnitReport
    room: Room | None
    clinic: str | None
    config_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Beside:
    """What belongs to units and is read for all of them at once."""

    groups: Mapping[str, Sequence[str]]
    revoked: Collection[str]
    figures: Mapping[str, tuple[datetime, Mapping[str, Any]]]
    """Unit -> when they came, and the figures."""
    busy_rooms: Collection[str]


def unit_lines(db: Session, now: datetime, unit: str | None = None) -> list[UnitLine]:
    """All units by name, or one."""
    query = (
        select(Unit, UnitReport, Room, Clinic.name, ConfigRevision.at)
        .join(UnitReport, UnitReport.unit_id == Unit.id)
        .outerjoin(Room, Room.unit_id == Unit.id)
        .outerjoin(Clinic, Clinic.id == Room.clinic_id)
        .outerjoin(
            ConfigRevision,
            and_(
                ConfigRevision.unit_id == Unit.id,
                ConfigRevision.epoch == Unit.config_epoch,
                ConfigRevision.rev == Unit.config_rev,
            ),
        )
        .order_by(Unit.id)
        .options(*_NEEDED)
    )
    if unit is not None:
        query = query.where(Unit.id == unit)
    beside = _beside(db, now, unit)
    return [
        _line(_Row(each, report, room, clinic, changed), beside, now)
        for each, report, room, clinic, changed in db.execute(query)
    ]


def listed(lines: Iterable[UnitLine], query: UnitQuery) -> UnitList:
    """One page of those that were asked for, what is wrong first. Pure."""
    everything = list(lines)
    fitting = [line for line in everything if _fits(line, query)]
    counts: Counter[Health] = Counter(line.health for line in fitting)
    found = [line for line in fitting if query.health in {None, line.health}]
    found.sort(key=lambda line: (TO_READ.index(line.health), line.id))
    return UnitList(
        units=tuple(found[query.offset : query.offset + query.limit]),
        total=len(found),
        counts={each: counts[each] for each in TO_READ},
        clinics=tuple(sorted({line.clinic for line in everything if line.clinic})),
        versions=tuple(sorted({line.software for line in everything if line.software})),
    )


def fleet_rooms(db: Session) -> list[FleetRoom]:
    """All rooms, by clinic and name."""
    query = select(Room).join(Clinic).order_by(Clinic.name, Room.name, Room.id)
    return [FleetRoom(room.id, room.name, room.clinic.name, room.unit_id) for room in db.scalars(query)]


def _fits(line: UnitLine, query: UnitQuery) -> bool:
    return (
        (query.group is None or query.group in line.groups)
        and (query.clinic is None or query.clinic == line.clinic)
        and (query.software is None or query.software == line.software)
        and (query.config is None or query.config == line.config)
        and _has_text(line, query.text)
    )


def _has_text(line: UnitLine, text: str) -> bool:
    """Every word of it somewhere."""
    where = (line.id, line.serial, line.room_id, line.room, line.clinic, line.software)
    all_of_it = " ".join(part for part in where if part).casefold()
    return all(word in all_of_it for word in text.casefold().split())


def _beside(db: Session, now: datetime, unit: str | None) -> _Beside:
    groups: dict[str, list[str]] = defaultdict(list)
    memberships = select(GroupMember).order_by(GroupMember.group)
    figures = select(TelemetryRow.unit_id, TelemetryRow.heard_at, TelemetryRow.figures)
    revoked = select(Revocation.unit_id)
    if unit is not None:
        memberships = memberships.where(GroupMember.unit_id == unit)
        figures = figures.where(TelemetryRow.unit_id == unit)
        revoked = revoked.where(Revocation.unit_id == unit)
    for member in db.scalars(memberships):
        groups[member.unit_id].append(member.group)
    soon = select(BookedSession.room_id).where(
        BookedSession.cancelled.is_(False),
        BookedSession.start < now + BUSY_BEFORE,
        BookedSession.state.not_in(OVER),
        # One that nobody ended holds its room no longer than a day.
        (BookedSession.end > now)
        | (BookedSession.state.in_(LIVE) & (BookedSession.start > now - timedelta(days=1))),
    )
    return _Beside(
        groups=groups,
        revoked=set(db.scalars(revoked)),
        figures={unit_id: (came_at, told) for unit_id, came_at, told in db.execute(figures)},
        busy_rooms=set(db.scalars(soon)),
    )


def _line(row: _Row, beside: _Beside, now: datetime) -> UnitLine:
    unit, report, room = row.unit, row.report, row.room
    came_at, figures = beside.figures.get(unit.id, (None, {}))
    heard_at = max((at for at in (report.heard_at, came_at) if at is not None), default=None)
    info, revoked = report.info, unit.id in beside.revoked
    facts = UnitFacts(
        state=report.state,
        since=report.since,
        heard_at=heard_at,
        revoked=revoked,
        certificate_until=_instant(info.get("certificate_not_after")),
        config=standing(
            (unit.config_epoch, unit.config_rev),
            (report.config_epoch, report.config_rev),
            report.config_state,
            report.config_wanted_rev,
        ),
        config_changed_at=row.config_changed_at,
        schedule_current=unit.schedule_rev == 0
        or (unit.schedule_epoch, unit.schedule_rev) == (report.schedule_epoch, report.schedule_rev),
        schedule_outcome=report.schedule_outcome,
        in_room=room is not None,
        figures=figures,
        clock=info.get("clock") or {},
    )
    how, reasons = health(facts, now)
    return UnitLine(
        id=unit.id,
        serial=unit.serial,
        room_id=room.id if room else None,
        room=room.name if room else None,
        clinic=row.clinic,
        health=how,
        state="revoked" if revoked else report.state,
        since=report.since,
        heard_at=heard_at,
        reasons=reasons,
        groups=tuple(beside.groups.get(unit.id, ())),
        software=str(info.get("software", "")),
        board=str(info.get("board", "")),
        certificate_until=facts.certificate_until,
        config=facts.config,
        config_rev=unit.config_rev,
        config_reported_rev=report.config_rev,
        schedule_current=facts.schedule_current,
        busy=report.state == "in_session" or (room is not None and room.id in beside.busy_rooms),
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None
