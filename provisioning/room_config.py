"""What a room brings to the unit in it: who may unlock, the centre's other rooms, and the queues it may ask."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.models import Queue, Room, StaffMember

log = logging.getLogger(__name__)

MOST_ROOMS, MOST_QUEUES = 60, 20
"""As many as agent.contract.unit_config.Config holds."""
NO_ROOM: Mapping[str, Any] = {"staff": [], "rooms": [], "queues": []}
"""Of a unit that stands in none: nobody unlocks it."""


def of_units(db: Session, units: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
    """What their rooms bring (None: to all that stand in one), in as many queries for one as for thousands."""
    query = select(Room).where(Room.unit_id.is_not(None))
    standing = db.scalars(query if units is None else query.where(Room.unit_id.in_(units))).all()
    clinics = {room.clinic_id for room in standing}
    staff: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for clinic, member, label, digest in db.execute(
        select(StaffMember.clinic_id, StaffMember.id, StaffMember.label, StaffMember.pin_digest)
        .where(StaffMember.clinic_id.in_(clinics), StaffMember.active.is_(True))
        .order_by(StaffMember.label, StaffMember.id)
    ):
        staff[clinic].append({"id": member, "label": label, "pin_digest": digest})
    rooms: dict[int, list[dict[str, str]]] = defaultdict(list)
    of_clinics = select(Room.clinic_id, Room.id, Room.name).where(Room.clinic_id.in_(clinics))
    for clinic, room_id, name in db.execute(of_clinics.order_by(Room.name, Room.id)):
        rooms[clinic].append({"id": room_id, "name": name})
    queues = _open_queues(db)
    return {
        str(room.unit_id): {
            "room_name": room.name,
            "staff": staff[room.clinic_id],
            **_beside(room, rooms[room.clinic_id], queues),
        }
        for room in standing
    }


def queues_for(db: Session, room: Room) -> list[Queue]:
    """The queues that a room may ask, by name."""
    return _may_ask(_open_queues(db), room)


def _open_queues(db: Session) -> Sequence[Queue]:
    return db.scalars(select(Queue).where(Queue.active.is_(True)).order_by(Queue.name, Queue.id)).all()


def _may_ask(queues: Sequence[Queue], room: Room) -> list[Queue]:
    return [row for row in queues if not row.rooms_of or room.clinic.name in row.rooms_of]


def _beside(room: Room, of_clinic: Sequence[dict[str, str]], all_queues: Sequence[Queue]) -> dict[str, Any]:
    rooms = [each for each in of_clinic if each["id"] != room.id]
    queues = [{"id": row.id, "name": row.name} for row in _may_ask(all_queues, room)]
    if len(rooms) > MOST_ROOMS or len(queues) > MOST_QUEUES:
        log.warning("room %s has more rooms or queues beside it than a screen shows", room.id)
    return {"rooms": rooms[:MOST_ROOMS], "queues": queues[:MOST_QUEUES]}
