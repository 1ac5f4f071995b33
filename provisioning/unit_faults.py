"""What units lack, over time: a row is opened and closed as they report, by the region's clock.

A unit that has just started, or is stopping, has no test behind its words: only `ready`, `degraded` and
`in_session` open and close rows. Of one that is lost nothing new is known, so that its rows stay open; that it is
lost is itself a fault (`lost`) while a session is booked in its room, and over as soon as it says anything new. Of
one that fell silent (provisioning.silence) the broker may repeat what it said last: that is nothing new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from agent.contract.instructions import LOST, OF_REGION, Level
from agent.contract.status import Fault
from provisioning.readiness_models import UnitFault

SPEAKS_OF_TESTS = frozenset({"ready", "degraded", "in_session"})
KEPT = timedelta(days=400)
"""A whole year can be looked at, by months."""


def reported(
    db: Session, unit: str, state: str, faults: Sequence[Fault], now: datetime, *, is_new: bool = True
) -> None:
    """Bring the rows in line with what a unit says of itself, in the caller's transaction.

    is_new: its state or its start is another than before, so that it is no repetition by the broker.
    """
    if state == "lost":
        return
    if state == "revoked":
        close_all(db, unit, now)
        return
    rows = {row.instruction: row for row in _open(db, [unit])}
    if (lost := rows.pop(LOST, None)) is not None and is_new:
        lost.until = now
    if state not in SPEAKS_OF_TESTS:
        return
    said = worst_levels(faults)
    for instruction, row in rows.items():
        if instruction in said:
            row.level = said[instruction].level
        else:
            row.until = now
    for instruction in sorted(said.keys() - rows.keys()):
        fault = said[instruction]
        _begin(db, unit, instruction, probe=fault.probe, level=fault.level, since=now)


def worst_levels(faults: Iterable[Fault]) -> Mapping[str, Fault]:
    """By instruction; of what several parts say the worse one counts. Pure."""
    said: dict[str, Fault] = {}
    for fault in faults:
        if fault.instruction not in said or fault.level == "fail":
            said[fault.instruction] = fault
    return said


def close(db: Session, rows: Sequence[int], now: datetime) -> None:
    """They are over."""
    db.execute(update(UnitFault).where(UnitFault.id.in_(rows), UnitFault.until.is_(None)).values(until=now))


def lost(db: Session, unit: str, since: datetime) -> UnitFault:
    """The open row of a unit that cannot be reached, made where it is new."""
    for row in _open(db, [unit]):
        if row.instruction == LOST:
            return row
    entry = OF_REGION[LOST]
    return _begin(db, unit, LOST, probe=entry.probe, level=entry.level, since=since)


def open_faults(db: Session, units: Sequence[str]) -> Mapping[str, list[UnitFault]]:
    """What units lack now, by unit."""
    found: dict[str, list[UnitFault]] = {}
    for row in _open(db, units):
        found.setdefault(row.unit_id, []).append(row)
    return found


def close_all(db: Session, unit: str, now: datetime) -> None:
    """A unit that is taken out of service or out of its room lacks nothing any more that anybody waits for."""
    db.execute(
        update(UnitFault).where(UnitFault.unit_id == unit, UnitFault.until.is_(None)).values(until=now)
    )


def forget_old(db: Session, now: datetime) -> None:
    """Delete what was over longer ago than it is kept."""
    db.execute(delete(UnitFault).where(UnitFault.until < now - KEPT))


def _begin(
    db: Session, unit: str, instruction: str, *, probe: str, level: Level, since: datetime
) -> UnitFault:
    row = UnitFault(unit_id=unit, probe=probe, instruction=instruction, level=level, since=since, until=None)
    db.add(row)
    db.flush()
    return row


def _open(db: Session, units: Sequence[str]) -> Sequence[UnitFault]:
    query = select(UnitFault).where(UnitFault.until.is_(None), UnitFault.unit_id.in_(units))
    return db.scalars(query.order_by(UnitFault.id)).all()
