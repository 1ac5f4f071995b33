"""Rooms are what is booked; a unit stands in a room and can be swapped for another."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select
from sqlalchemy.orm import Session

from agent.contract import ContractError, Topic
from provisioning import audit
from provisioning.accounts import clinic_named
from provisioning.configurations import Configurations, refresh_clinic
from provisioning.database import Database
from provisioning.models import OutboxRow, Room, Unit, UnitKey, UnitReport
from provisioning.room_swap import Swap, swap
from provisioning.unit_history import remember
from web.clinic.services import Refused

ROOM_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
"""FHIR R4's id (http://hl7.org/fhir/R4/datatypes.html#id), since a room is a Location."""
RESERVED_UNITS = frozenset({"region", "cli", "tester"})
"""Names that other identities at the broker have."""


class Rooms:
    """Rooms, units, and which stands where. Every method may be called on any thread."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._configurations = Configurations(database, clock)

    def add_room(self, room_id: str, name: str, clinic: str) -> None:
        """Make a room, and its clinic where it is new; raises Refused."""
        if not ROOM_ID.fullmatch(room_id):
            raise Refused("room", "has an id of 1 to 64 letters, digits, dots and hyphens")
        with self._database.write() as db:
            if db.get(Room, room_id) is not None:
                raise Refused("room", "exists already")
            room = Room(id=room_id, name=name.strip()[:120] or room_id, clinic=clinic_named(db, clinic))
            db.add(room)
            db.flush()
            refresh_clinic(db, room.clinic_id, self._clock())

    def add_unit(self, unit_id: str, certificate_pem: bytes) -> None:
        """Make a unit known by its certificate, or give a known one a new certificate; raises Refused."""
        check_unit_id(unit_id)
        certificate = _certificate(certificate_pem, unit_id)
        fingerprint = certificate.fingerprint(SHA256()).hex()
        with self._database.write() as db:
            if db.get(Unit, unit_id) is None:
                db.add(Unit(id=unit_id, added_at=self._clock()))
                db.flush()
                db.add(UnitReport(unit_id=unit_id))
                remember(db, unit_id, self._clock(), "added")
            if db.scalar(select(UnitKey).where(UnitKey.certificate_sha256 == fingerprint)) is None:
                db.add(
                    UnitKey(
                        unit_id=unit_id,
                        public_key=_public_key_pem(certificate),
                        certificate_sha256=fingerprint,
                        not_after=certificate.not_valid_after_utc,
                        added_at=self._clock(),
                    )
                )

    def assign(
        self, room_id: str, unit_id: str | None, *, by: str = audit.REGION, even_now: bool = False
    ) -> None:
        """Put a unit into a room, in place of the one there (None: leave the room empty).

        A unit that stands in another room is taken from there. Schedules and configurations of all that are
        touched follow: what was set on the old unit about the room goes on to the new one. Raises Refused, also
        where a session is on in a room that loses its unit, unless even_now.
        """
        with self._database.write() as db:
            put_unit(db, room_id, unit_id, Swap(self._clock(), by, even_now))

    def set_config(self, unit_id: str, **values: Any) -> None:  # noqa: ANN401 - any field's
        """Change what a unit's own configuration shall be, by the region itself; raises Refused."""
        self._configurations.set_unit(unit_id, values, audit.REGION)

    def rooms(self) -> Sequence[Room]:
        """All rooms by id."""
        with self._database.read() as db:
            return db.scalars(select(Room).order_by(Room.id)).all()

    def units(self) -> Sequence[tuple[Unit, UnitReport, Room | None]]:
        """All units by name, with what each last said and where it stands."""
        with self._database.read() as db:
            query = (
                select(Unit, UnitReport, Room)
                .join(UnitReport, UnitReport.unit_id == Unit.id)
                .outerjoin(Room, Room.unit_id == Unit.id)
                .order_by(Unit.id)
            )
            return [(unit, report, room) for unit, report, room in db.execute(query)]


def put_unit(db: Session, room_id: str, unit_id: str | None, how: Swap) -> None:
    """As Rooms.assign, in the caller's transaction; raises Refused."""
    room = db.get(Room, room_id, with_for_update={"of": Room, "key_share": True})
    if room is None:
        raise Refused("room", "is not known")
    if unit_id is not None and db.get(Unit, unit_id) is None:
        raise Refused("unit", "is not known; add it first")
    if room.unit_id != unit_id:
        swap(db, room, unit_id, how)


def touch(db: Session, unit_id: str, what: str) -> None:
    """Let the region's worker look at a unit's schedule or configuration after this transaction."""
    db.add(OutboxRow(unit_id=unit_id, what=what))


def check_unit_id(unit_id: str) -> None:
    """Raise Refused for what cannot be a unit's name."""
    if unit_id in RESERVED_UNITS or unit_id.startswith("region-"):
        raise Refused("unit", "has a name that is reserved")
    try:
        Topic(unit_id, "up/status")
    except ContractError:
        raise Refused("unit", "has a name of 1 to 63 lowercase letters, digits and hyphens") from None


def _certificate(pem: bytes, unit_id: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise Refused("certificate", "is not a PEM certificate") from None
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if [str(name.value) for name in names] != [unit_id]:
        raise Refused("certificate", f"does not name {unit_id}")
    return certificate


def _public_key_pem(certificate: x509.Certificate) -> str:
    return certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
