"""The fleet as IT's list shows it: read in a handful of queries, however many units there are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from provisioning.config_standing import standing
from provisioning.fleet_health import TO_READ, UnitFacts, health
from provisioning.fleet_models import ConfigRevision, GroupMember, Revocation, TelemetryRow
from provisioning.models import BookedSession, Clinic, Room, Unit, UnitReport
from provisioning.views import LIVE, OVER
from web.clinic.fleet.services import FleetRoom, Health, UnitLine, UnitList, UnitQuery

BUSY_BEFORE = timedelta(minutes=30)


_UNIT = ("id", "serial", "schedule_epoch", "schedule_rev", "config_epoch", "config_rev")
_SAID = (
    "state",
    "since",
    "heard_at",
    "info",
    "schedule_epoch",
    "schedule_rev",
    "schedule_outcome",
    "config_epoch",
    "config_rev",
    "config_state",
    "config_wanted_rev",
)
"""Columns, not rows: what a unit shall be is long, and the list does not show it."""


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
        select(
            *(getattr(Unit, name) for name in _UNIT),
            *(getattr(UnitReport, name).label(f"said_{name}") for name in _SAID),
            Room.id.label("room_id"),
            Room.name.label("room"),
            Clinic.name.label("clinic"),
            ConfigRevision.at.label("config_changed_at"),
        )
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
    )
    if unit is not None:
        query = query.where(Unit.id == unit)
    beside = _beside(db, now, unit)
    return [_line(row, beside, now) for row in db.execute(query)]


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
    memberships = select(GroupMember.unit_id, GroupMember.group).order_by(GroupMember.group)
    figures = select(TelemetryRow.unit_id, TelemetryRow.heard_at, TelemetryRow.figures)
    revoked = select(Revocation.unit_id)
    if unit is not None:
        memberships = memberships.where(GroupMember.unit_id == unit)
        figures = figures.where(TelemetryRow.unit_id == unit)
        revoked = revoked.where(Revocation.unit_id == unit)
    for unit_id, group in db.execute(memberships):
        groups[unit_id].append(group)
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
        figures={unit_id: (heard_at, told) for unit_id, heard_at, told in db.execute(figures)},
        busy_rooms=set(db.scalars(soon)),
    )


def _line(row: Any, beside: _Beside, now: datetime) -> UnitLine:  # noqa: ANN401 - a row of columns by name
    came_at, figures = beside.figures.get(row.id, (None, {}))
    heard_at = max((at for at in (row.said_heard_at, came_at) if at is not None), default=None)
    info, revoked = row.said_info, row.id in beside.revoked
    facts = UnitFacts(
        state=row.said_state,
        since=row.said_since,
        heard_at=heard_at,
        revoked=revoked,
        certificate_until=_instant(info.get("certificate_not_after")),
        config=standing(
            (row.config_epoch, row.config_rev),
            (row.said_config_epoch, row.said_config_rev),
            row.said_config_state,
            row.said_config_wanted_rev,
        ),
        config_changed_at=row.config_changed_at,
        schedule_current=row.schedule_rev == 0
        or (row.schedule_epoch, row.schedule_rev) == (row.said_schedule_epoch, row.said_schedule_rev),
        schedule_outcome=row.said_schedule_outcome,
        in_room=row.room_id is not None,
        figures=figures,
        clock=info.get("clock") or {},
    )
    how, reasons = health(facts, now)
    return UnitLine(
        id=row.id,
        serial=row.serial,
        room_id=row.room_id,
        room=row.room,
        clinic=row.clinic,
        health=how,
        state="revoked" if revoked else row.said_state,
        since=row.said_since,
        heard_at=heard_at,
        reasons=reasons,
        groups=tuple(beside.groups.get(row.id, ())),
        software=str(info.get("software", "")),
        board=str(info.get("board", "")),
        certificate_until=facts.certificate_until,
        config=facts.config,
        config_rev=row.config_rev,
        config_reported_rev=row.said_config_rev,
        schedule_current=facts.schedule_current,
        busy=row.said_state == "in_session" or row.room_id in beside.busy_rooms,
    )


def _instant(text: object) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if isinstance(text, str) else None
