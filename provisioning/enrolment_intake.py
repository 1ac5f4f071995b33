"""A request to come in, weighed against what the region knows of the serial number and the key."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from agent.contract.enrolment import EnrolRequest
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.fleet_models import Bootstrap, Enrolment
from provisioning.issuing import key_was_used
from provisioning.models import Unit
from provisioning.signing import SigningRequest

SILENT = timedelta(minutes=10)
"""One that has not asked for so long is no rival of another key under its serial number: the box was reset."""
TURNED_AWAY = ("rejected", "expired")


class NotTaken(ValueError):
    """A request that IT need not see; the text tells the unit why."""


def take(
    db: Session,
    serial: str,
    request: EnrolRequest,
    asked: SigningRequest,
    *,
    now: datetime,
    settings: EnrolmentSettings,
) -> Enrolment:
    """The row of a request: made where it is new, found again where it is said again. Raises NotTaken."""
    _refuse_unarmed(db, serial, now)
    row = _row_of(db, serial, asked)
    if row is None:
        if key_was_used(db, asked):
            raise NotTaken("this key was used before; the unit must make a new one")
        _expire_silent(db, serial, now)
        _refuse_flood(db, serial, settings)
        row = Enrolment(
            serial=serial,
            request_sha256=asked.sha256,
            key_sha256=asked.key_sha256,
            state="waiting",
            asked_at=now,
        )
        db.add(row)
    elif row.serial != serial:
        raise NotTaken("this key was used under another serial number; the unit must make a new one")
    elif row.state == "proven":
        raise NotTaken("this request was granted already; the unit must make a new key")
    elif row.state in TURNED_AWAY and row.decided_at is not None and now >= row.decided_at + settings.pause:
        row.state, row.asked_at, row.decided_at, row.decided_by, row.reason = "waiting", now, None, None, ""
    row.heard_at, row.csr, row.request_sha256 = now, request.csr, asked.sha256
    row.why, row.was = request.why, request.was
    row.software, row.board = request.software, request.board
    db.flush()
    return row


def _refuse_unarmed(db: Session, serial: str, now: datetime) -> None:
    bootstrap = db.get(Bootstrap, serial, with_for_update=True)
    if bootstrap is None:
        if db.get(Unit, serial) is not None:
            raise NotTaken("this serial number is a unit's name")
        bootstrap = Bootstrap(serial=serial, state="armed", changed_at=now)
        db.add(bootstrap)
    if bootstrap.state != "armed":
        raise NotTaken(f"this serial number is {bootstrap.state}; IT must arm it again")
    bootstrap.first_seen_at = bootstrap.first_seen_at or now


def _row_of(db: Session, serial: str, asked: SigningRequest) -> Enrolment | None:
    same = db.scalar(select(Enrolment).where(Enrolment.request_sha256 == asked.sha256))
    if same is not None:
        return same
    # A unit that kept its key but not the request, after a power cut, signs another one.
    query = select(Enrolment).where(Enrolment.serial == serial, Enrolment.key_sha256 == asked.key_sha256)
    return db.scalar(query.where(Enrolment.state != "proven").limit(1))


def _expire_silent(db: Session, serial: str, now: datetime) -> None:
    query = select(Enrolment).where(
        Enrolment.serial == serial, Enrolment.state == "waiting", Enrolment.heard_at < now - SILENT
    )
    for row in db.scalars(query):
        row.state, row.decided_at, row.reason = "expired", now, "the box has asked with another key since"


def _refuse_flood(db: Session, serial: str, settings: EnrolmentSettings) -> None:
    """Room for a new one: what is long decided makes way, what waits does not."""
    mine = select(Enrolment).where(Enrolment.serial == serial, Enrolment.state.in_(("waiting", *TURNED_AWAY)))
    kept = db.scalars(mine.order_by(Enrolment.state == "waiting", Enrolment.heard_at)).all()
    if len(kept) >= settings.per_serial:
        if kept[0].state == "waiting":
            raise NotTaken("too many keys ask under this serial number; IT must decide about those first")
        db.delete(kept[0])
        db.flush()
    waiting = db.scalar(select(func.count()).select_from(Enrolment).where(Enrolment.state == "waiting"))
    if (waiting or 0) >= settings.in_all:
        raise NotTaken("too many units wait to be let in; ask again later")
