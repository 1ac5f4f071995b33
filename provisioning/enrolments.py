"""Who is at the door, and what IT decides: who comes in, under which name, and who comes in no more.

All of it changes the database alone, with an entry in the audit log; the region's worker signs, publishes and
changes the broker's rules (provisioning.enrolment_desk). Every method may be called on any thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.contract.fingerprint_words import words_of
from provisioning import audit
from provisioning.database import Database
from provisioning.fleet_models import Bootstrap, Enrolment, Revocation, UnitHistory
from provisioning.models import Unit, UnitReport
from provisioning.room_swap import Swap
from provisioning.rooms import check_unit_id, put_unit, touch
from web.clinic.fleet.services import BootstrapLine, EnrolmentLine
from web.clinic.services import Refused

AT_THE_DOOR = timedelta(minutes=2)
"""One that asked within that time is there; it asks every half minute."""
LISTED = 500
"""Requests that are shown at once, the newest first."""
REASON_LENGTH = 200
OPEN = ("waiting", "approved")
"""States of a request that is not through."""
RETURNS = ("expired", "reset")
"""Whoever asks for these reasons had a name before."""


class Enrolments:
    """IT's decisions about identities."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def lines(self, *, all_states: bool = False) -> Sequence[EnrolmentLine]:
        """Those who wait, or were let in and have not shown themselves yet; all_states: the decided ones too."""
        now = self._clock()
        with self._database.read() as db:
            query = select(Enrolment).order_by(Enrolment.heard_at.desc(), Enrolment.id).limit(LISTED)
            if not all_states:
                query = query.where(Enrolment.state.in_(OPEN))
            rows = db.scalars(query).all()
            asking = Counter(row.serial for row in rows if row.state in OPEN)
            names = _names(db, {row.serial for row in rows if row.unit_id is None})
            return [
                _line(
                    row,
                    now,
                    rival=row.state == "waiting" and asking[row.serial] > 1,
                    proposed=row.unit_id or names[row.serial],
                )
                for row in rows
            ]

    def bootstraps(self) -> Sequence[BootstrapLine]:
        """All bootstrap identities that were ever seen or made here, by serial number."""
        with self._database.read() as db:
            return [
                BootstrapLine(
                    serial=row.serial,
                    state=cast(Literal["armed", "used", "blocked"], row.state),
                    unit=row.unit_id,
                    changed_at=row.changed_at,
                )
                for row in db.scalars(select(Bootstrap).order_by(Bootstrap.serial))
            ]

    def serial_of(self, name: str) -> str:
        """The serial number of a unit; or name itself, being one."""
        with self._database.read() as db:
            unit = db.get(Unit, name)
        if unit is not None and unit.serial is None:
            raise Refused("unit", f"{name} came in without a bootstrap identity")
        return name if unit is None or unit.serial is None else unit.serial

    def approve(
        self, enrolment_id: int, unit: str, room_id: str | None, by: str, *, confirmed: bool = False
    ) -> None:
        """Let one in under that name, into that room if one is given; its rivals are rejected. Raises Refused.

        A name that another unit has is refused, unless the same box comes back, or `confirmed`.
        """
        now = self._clock()
        check_unit_id(unit)
        with self._database.write() as db:
            row = _undecided(db, enrolment_id)
            bootstrap = db.get(Bootstrap, row.serial, with_for_update=True)
            if bootstrap is None or bootstrap.state != "armed":
                raise Refused("enrolment", f"the serial number {row.serial} is not armed; arm it first")
            _refuse_taken_name(db, row, unit, confirmed=confirmed)
            _make_unit(db, unit, row.serial, now)
            if room_id is not None:
                put_unit(db, room_id, unit, Swap(now, by))
            row.state, row.unit_id, row.room_id = "approved", unit, room_id
            row.decided_at, row.decided_by, row.reason = now, by, ""
            row.certificate = row.certificate_sha256 = None
            _reject_others(db, row, now, by)
            _note(db, now, by, "enrolment_approved", unit, serial=row.serial, room=room_id or "", why=row.why)
            touch(db, row.serial, "enrolment")

    def reject(self, enrolment_id: int, reason: str, by: str) -> None:
        """Turn one away, who is told the reason and may ask again after a pause. Raises Refused."""
        now = self._clock()
        with self._database.write() as db:
            row = _undecided(db, enrolment_id)
            _turn_away(row, now, by, reason.strip()[:REASON_LENGTH] or "IT has rejected the request")
            fields = {"key": row.key_sha256[:16], "reason": row.reason}
            audit.note(
                db, now, by=by, action="enrolment_rejected", target=f"serial:{row.serial}", fields=fields
            )
            touch(db, row.serial, "enrolment")

    def arm(self, serial: str, by: str) -> None:
        """Let a serial number ask once more, whose unit has lost its identity or let it expire. Raises Refused."""
        self._set_bootstrap(serial, "armed", by)

    def block(self, serial: str, by: str) -> None:
        """Let a serial number ask no more; what it asks now is rejected, and what was granted and has not been
        proven is not given out any more. A box that has its certificate already is revoked as a unit. Raises
        Refused."""
        self._set_bootstrap(serial, "blocked", by)

    def revoke(self, unit: str, reason: str, by: str) -> None:
        """From now on the broker gives a unit nothing and takes nothing from it. Raises Refused."""
        now = self._clock()
        with self._database.write() as db:
            report = _known(db, unit)
            if db.get(Revocation, unit) is not None:
                raise Refused("unit", f"{unit} is revoked already")
            reason = reason.strip()[:REASON_LENGTH]
            db.add(Revocation(unit_id=unit, at=now, by=by, reason=reason))
            report.state, report.since = "revoked", now
            _note(db, now, by, "unit_revoked", unit, reason=reason)
            touch(db, unit, "access")

    def unrevoke(self, unit: str, by: str) -> None:
        """Take a revocation back: the unit works again with the certificate that it has. Raises Refused."""
        now = self._clock()
        with self._database.write() as db:
            report = _known(db, unit)
            row = db.get(Revocation, unit)
            if row is None:
                raise Refused("unit", f"{unit} is not revoked")
            db.delete(row)
            report.state, report.since = "unknown", now
            _note(db, now, by, "unit_unrevoked", unit)
            touch(db, unit, "access")

    def _set_bootstrap(self, serial: str, state: Literal["armed", "blocked"], by: str) -> None:
        now = self._clock()
        with self._database.write() as db:
            row = db.get(Bootstrap, serial, with_for_update=True)
            if row is None:
                raise Refused("serial", f"{serial} has never been seen here")
            if row.state == state:
                raise Refused("serial", f"{serial} is {state} already")
            row.state, row.changed_at = state, now
            if state == "blocked":
                for waiting in _open(db, serial):
                    _turn_away(waiting, now, by, "IT has blocked this serial number")
            audit.note(db, now, by=by, action=f"bootstrap_{state}", target=f"serial:{serial}")
            if row.unit_id is not None:
                _history(db, now, row.unit_id, f"bootstrap_{state}", by=by)
            touch(db, serial, "enrolment")


def _undecided(db: Session, enrolment_id: int) -> Enrolment:
    row = db.get(Enrolment, enrolment_id, with_for_update=True)
    if row is None:
        raise Refused("enrolment", "is not known")
    if row.state != "waiting":
        raise Refused("enrolment", f"is {row.state} already")
    return row


def _known(db: Session, unit: str) -> UnitReport:
    report = db.get(UnitReport, unit, with_for_update=True)
    if report is None:
        raise Refused("unit", f"{unit} is not known")
    return report


def _refuse_taken_name(db: Session, row: Enrolment, unit: str, *, confirmed: bool) -> None:
    if db.get(Bootstrap, unit) is not None:
        raise Refused("unit", f"{unit} is a serial number; the broker would take the two for one")
    if db.get(Revocation, unit) is not None:
        raise Refused("unit", f"{unit} is revoked; take that back first, or choose another name")
    known = db.get(Unit, unit)
    if known is None or confirmed:
        return
    if row.why not in RETURNS or known.serial != row.serial:
        raise Refused(
            "unit",
            f"{unit} exists and is another box, as far as is known; choose another name, or confirm it",
        )


def _make_unit(db: Session, unit: str, serial: str, now: datetime) -> None:
    row = db.get(Unit, unit, with_for_update=True)
    if row is None:
        row = Unit(id=unit, added_at=now)
        db.add(row)
        db.flush()
        db.add(UnitReport(unit_id=unit))
    row.serial = serial


def _reject_others(db: Session, approved: Enrolment, now: datetime, by: str) -> None:
    others = select(Enrolment).where(
        Enrolment.serial == approved.serial,
        Enrolment.id != approved.id,
        Enrolment.state.in_(OPEN),
    )
    for other in db.scalars(others):
        _turn_away(other, now, by, "another key was let in under this serial number")


def _open(db: Session, serial: str) -> Sequence[Enrolment]:
    query = select(Enrolment).where(Enrolment.serial == serial, Enrolment.state.in_(OPEN))
    return db.scalars(query).all()


def _turn_away(row: Enrolment, now: datetime, by: str, reason: str) -> None:
    row.state, row.decided_at, row.decided_by, row.reason = "rejected", now, by, reason


def _note(db: Session, now: datetime, by: str, action: str, unit: str, **fields: str) -> None:
    audit.note(db, now, by=by, action=action, target=unit, fields=fields)
    _history(db, now, unit, action, by=by, **fields)


def _history(db: Session, now: datetime, unit: str, kind: str, **fields: str) -> None:
    db.add(UnitHistory(unit_id=unit, at=now, kind=kind, fields=fields))


def _names(db: Session, serials: Collection[str]) -> dict[str, str]:
    """For each serial number the name that the box has had, or a new one by its end. Pages that are open ask for
    this again and again: in a few queries, however many wait."""
    had = select(Unit.serial, Unit.id).where(Unit.serial.in_(serials)).order_by(Unit.id.desc())
    names = {str(serial): unit for serial, unit in db.execute(had)}
    new = {
        serial: f"unit-{serial.rpartition('-')[2] or serial}"[:56]
        for serial in serials
        if serial not in names
    }
    taken = _taken(db, set(new.values()))
    for serial, name in new.items():
        free, number = name, 2
        while free in taken or (free != name and _taken(db, {free})):
            free, number = f"{name}-{number}", number + 1
        names[serial] = free
    return names


def _taken(db: Session, names: Collection[str]) -> set[str]:
    units = db.scalars(select(Unit.id).where(Unit.id.in_(names)))
    return {*units, *db.scalars(select(Bootstrap.serial).where(Bootstrap.serial.in_(names)))}


def count_at_the_door(db: Session, now: datetime) -> int:
    """How many ask to be let in just now."""
    asks = Enrolment.state == "waiting", Enrolment.heard_at >= now - AT_THE_DOOR
    return db.scalar(select(func.count()).select_from(Enrolment).where(*asks)) or 0


def _line(row: Enrolment, now: datetime, *, rival: bool, proposed: str) -> EnrolmentLine:
    return EnrolmentLine(
        id=row.id,
        serial=row.serial,
        words=words_of(row.key_sha256),
        key_sha256=row.key_sha256,
        why=cast(Literal["new", "expired", "reset"], row.why),
        was=row.was,
        software=row.software,
        board=row.board,
        state=row.state,
        asked_at=row.asked_at,
        heard_at=row.heard_at,
        at_the_door=row.state == "waiting" and now - row.heard_at <= AT_THE_DOOR,
        rival=rival,
        proposed_unit=proposed,
        unit=row.unit_id,
        room_id=row.room_id,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
    )
