"""What units are told of their clinic: who may unlock, the centre's other rooms, and the queues they may ask."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.models import OutboxRow, Queue, Room, StaffMember, Unit

log = logging.getLogger(__name__)

MOST_ROOMS, MOST_QUEUES = 60, 20
"""As many as agent.contract.status.Config holds."""


def refresh_unit(db: Session, unit_id: str) -> None:
    """Bring a unit's configuration in line with the room it stands in; one that is already is left alone."""
    unit = db.get(Unit, unit_id, with_for_update=True)
    room = db.scalar(select(Room).where(Room.unit_id == unit_id))
    if unit is None or room is None:
        return
    wanted = {**unit.config, "room_name": room.name, **_of_centre(db, room)}
    if wanted != unit.config:
        unit.config, unit.config_rev = wanted, unit.config_rev + 1
        db.add(OutboxRow(unit_id=unit_id, what="config"))


def refresh_clinic(db: Session, clinic_id: int) -> None:
    """And those of all units in a clinic's rooms."""
    query = select(Room.unit_id).where(Room.clinic_id == clinic_id, Room.unit_id.is_not(None))
    for unit_id in db.scalars(query).all():
        refresh_unit(db, unit_id or "")


def refresh_all(db: Session) -> None:
    """And those of all units that stand in a room."""
    for unit_id in db.scalars(select(Room.unit_id).where(Room.unit_id.is_not(None))).all():
        refresh_unit(db, unit_id or "")


def queues_for(db: Session, room: Room) -> list[Queue]:
    """The queues that a room may ask, by name."""
    query = select(Queue).where(Queue.active.is_(True)).order_by(Queue.name, Queue.id)
    return [row for row in db.scalars(query) if not row.rooms_of or room.clinic.name in row.rooms_of]


def _of_centre(db: Session, room: Room) -> dict[str, Any]:
    staff = db.scalars(
        select(StaffMember)
        .where(StaffMember.clinic_id == room.clinic_id, StaffMember.active.is_(True))
        .order_by(StaffMember.label, StaffMember.id)
    ).all()
    rooms = db.scalars(
        select(Room).where(Room.clinic_id == room.clinic_id, Room.id != room.id).order_by(Room.name, Room.id)
    ).all()
    queues = queues_for(db, room)
    if len(rooms) > MOST_ROOMS or len(queues) > MOST_QUEUES:
        log.warning("room %s has more rooms or queues beside it than a screen shows", room.id)
    return {
        "staff": [{"id": row.id, "label": row.label, "pin_digest": row.pin_digest} for row in staff],
        "rooms": [{"id": row.id, "name": row.name} for row in rooms[:MOST_ROOMS]],
        "queues": [{"id": row.id, "name": row.name} for row in queues[:MOST_QUEUES]],
    }
