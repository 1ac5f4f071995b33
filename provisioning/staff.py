"""Who may unlock the screens of a clinic's rooms, and what a PIN must be. The units get digests alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import pairwise

from argon2 import PasswordHasher
from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.accounts import clinic_named
from provisioning.configurations import refresh_clinic
from provisioning.database import Database
from provisioning.identifiers import new_id
from provisioning.models import StaffMember
from web.clinic.services import Refused

STAFF_ID_LENGTH = 8
LABEL_LENGTH = 20
MOST_STAFF = 60
"""Of one clinic: as many as a unit's configuration holds."""
_PIN = re.compile(r"[0-9]{4,8}")
_COLUMNS = ("147", "258", "369", "2580")
_YEARS = range(1900, 2100)


def check_pin(pin: str) -> None:
    """Raises Refused for what is no PIN, and for one that whoever stands at the screen would try first."""
    if not _PIN.fullmatch(pin):
        raise Refused("pin", "has 4 to 8 digits")
    if _is_guessable(pin):
        raise Refused("pin", "is too easily guessed: no runs, no repeats, no year, no line on the keypad")


def _is_guessable(pin: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    is_run = len(steps) == 1  # 1111, 1234, 9876, 1357
    repeats = any(pin == pin[:length] * (len(pin) // length) for length in range(1, len(pin) // 2 + 1))
    few = len(set(pin)) < 3
    year = len(pin) == 4 and int(pin) in _YEARS
    line = any(pin.startswith(column) or pin.startswith(column[::-1]) for column in _COLUMNS if len(pin) == 4)
    return is_run or repeats or few or year or line


class StaffMembers:
    """Every method may be called on any thread; the clinic's units follow."""

    def __init__(
        self, database: Database, clock: Callable[[], datetime], hasher: PasswordHasher | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._hasher = hasher or PasswordHasher()

    def add(self, label: str, clinic: str, pin: str) -> str:
        """Let someone in at a clinic's screens; returns their id. Raises Refused."""
        label = label.strip()
        if not 1 <= len(label) <= LABEL_LENGTH or not label.isprintable():
            raise Refused("label", f"has 1 to {LABEL_LENGTH} characters: initials, or a first name")
        check_pin(pin)
        digest = self._hasher.hash(pin)
        with self._database.write() as db:
            owner = clinic_named(db, clinic)
            db.flush()
            known = db.scalars(select(StaffMember).where(StaffMember.clinic_id == owner.id)).all()
            if any(row.label.casefold() == label.casefold() and row.active for row in known):
                raise Refused("label", "is taken at this clinic; people choose themselves by it")
            if sum(row.active for row in known) >= MOST_STAFF:
                raise Refused("label", f"cannot be added: a clinic's screens hold {MOST_STAFF} people")
            left = next((row for row in known if row.label.casefold() == label.casefold()), None)
            if left is not None:
                # The log names the one who left by an id of their own; their label is free again.
                left.label = f"{label[:11]} ({left.id[:6]})"
                db.flush()
            member = StaffMember(
                id=new_id(STAFF_ID_LENGTH),
                clinic_id=owner.id,
                label=label,
                pin_digest=digest,
                added_at=self._clock(),
            )
            db.add(member)
            db.flush()
            refresh_clinic(db, owner.id, self._clock())
            return member.id

    def set_pin(self, member_id: str, pin: str) -> None:
        """Give someone another PIN; raises Refused."""
        check_pin(pin)
        digest = self._hasher.hash(pin)
        with self._database.write() as db:
            member = _active(db, member_id)
            member.pin_digest = digest
            db.flush()
            refresh_clinic(db, member.clinic_id, self._clock())

    def remove(self, member_id: str) -> None:
        """End someone's access; a screen they have open locks at once. Raises Refused."""
        with self._database.write() as db:
            member = _active(db, member_id)
            member.active, member.pin_digest = False, ""
            db.flush()
            refresh_clinic(db, member.clinic_id, self._clock())

    def list(self) -> Sequence[StaffMember]:
        """Those who may unlock, by clinic and label."""
        with self._database.read() as db:
            rows = db.scalars(select(StaffMember).where(StaffMember.active.is_(True))).all()
        return sorted(rows, key=lambda row: (row.clinic.name, row.label.casefold()))


def _active(db: Session, member_id: str) -> StaffMember:
    member = db.get(StaffMember, member_id, with_for_update={"of": StaffMember})
    if member is None or not member.active:
        raise Refused("staff", "is not known; `halsorum staff list` tells the ids")
    return member
