"""A unit takes another's place in a room: the room's schedule and what was set about the room follow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning import audit
from provisioning.config_merge import FOLLOW_THE_ROOM
from provisioning.configurations import refresh, refresh_clinic
from provisioning.models import BookedSession, OutboxRow, Room, RoomUnit, Unit
from provisioning.unit_faults import close_all
from provisioning.unit_history import remember
from provisioning.views import LIVE
from web.clinic.services import Refused


@dataclass(frozen=True, slots=True)
class Swap:
    """When, by whom, and whether even while someone is in there."""

    at: datetime
    by: str
    even_now: bool = False


def swap(db: Session, room: Room, unit_id: str | None, how: Swap) -> None:
    """In the caller's transaction. None: the room is left empty. Raises Refused."""
    old = room.unit_id
    other = db.scalar(select(Room).where(Room.unit_id == unit_id)) if unit_id else None
    about_room = _own_about_room(db, old)
    for left in (room, other):
        if left is not None and left.unit_id is not None:
            _take_out(db, left, how)
    db.flush()
    room.unit_id = unit_id
    if unit_id is not None:
        db.add(RoomUnit(room_id=room.id, unit_id=unit_id, since=how.at, until=None))
        unit = db.get_one(Unit, unit_id, with_for_update=True)
        unit.config_own = {**about_room, **unit.config_own}
        remember(db, unit_id, how.at, "room_in", room=room.id, by=how.by)
        db.add(OutboxRow(unit_id=unit_id, what="schedule"))
    db.flush()
    refresh(db, how.at, how.by, [each for each in (old, unit_id) if each is not None])
    for clinic in {each.clinic_id for each in (room, other) if each is not None}:
        refresh_clinic(db, clinic, how.at)
    fields = {"unit": unit_id or "", "was": old or "", "from": other.id if other else ""}
    audit.note(db, how.at, by=how.by, action="assign", target=room.id, fields=fields)


def _take_out(db: Session, room: Room, how: Swap) -> None:
    assert room.unit_id is not None
    if not how.even_now:
        _refuse_in_session(db, room)
    query = select(RoomUnit).where(RoomUnit.room_id == room.id, RoomUnit.unit_id == room.unit_id)
    stay = db.scalar(query.where(RoomUnit.until.is_(None)))
    if stay is not None:
        stay.until = how.at
    unit = db.get_one(Unit, room.unit_id, with_for_update=True)
    unit.config_own = {name: value for name, value in unit.config_own.items() if name not in FOLLOW_THE_ROOM}
    remember(db, unit.id, how.at, "room_out", room=room.id, by=how.by)
    close_all(db, unit.id, how.at)
    db.add(OutboxRow(unit_id=unit.id, what="schedule"))
    room.unit_id = None


def _refuse_in_session(db: Session, room: Room) -> None:
    query = select(BookedSession).where(BookedSession.room_id == room.id, BookedSession.state.in_(LIVE))
    held = db.scalar(query.where(BookedSession.cancelled.is_(False)).limit(1))
    if held is not None:
        raise Refused(
            "session",
            f"{held.ref} is on in {room.name} now: wait for its end, or say that it may be cut off",
        )


def _own_about_room(db: Session, unit_id: str | None) -> dict[str, Any]:
    unit = db.get(Unit, unit_id, with_for_update=True) if unit_id else None
    own = unit.config_own if unit is not None else {}
    return {name: own[name] for name in FOLLOW_THE_ROOM if name in own}
