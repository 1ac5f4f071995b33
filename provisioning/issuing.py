"""What the region signs for units, kept so that the same request is given the same certificate again."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from provisioning.fleet_models import Enrolment, IssuedCertificate, UnitHistory
from provisioning.models import UnitKey
from provisioning.signing import Signed, Signer, SigningRequest

Purpose = Literal["operational", "bootstrap"]


def key_was_used(db: Session, request: SigningRequest) -> bool:
    """Whether any unit or bootstrap has had the key, or asked with it: each certificate has a key of its own."""
    of_unit = select(UnitKey.id).where(UnitKey.public_key == request.key_pem)
    issued = select(IssuedCertificate.id).where(IssuedCertificate.key_sha256 == request.key_sha256)
    asked = select(Enrolment.id).where(Enrolment.key_sha256 == request.key_sha256)
    return any(db.scalar(query.limit(1)) is not None for query in (of_unit, issued, asked))


def issued_for(db: Session, request: SigningRequest) -> IssuedCertificate | None:
    """What this very request was given before."""
    query = select(IssuedCertificate).where(IssuedCertificate.request_sha256 == request.sha256)
    return db.scalar(query)


def issue(
    db: Session, signer: Signer, request: SigningRequest, unit: str, now: datetime
) -> IssuedCertificate:
    """A unit's certificate for working, and its key among those that its events are verified with."""
    row = issued_for(db, request)
    if row is not None and row.unit_id == unit and row.not_after > now:
        return row
    signed = signer.operational(request, unit)
    if row is not None:
        db.delete(row)
        db.flush()
    db.add(
        UnitKey(
            unit_id=unit,
            public_key=request.key_pem,
            certificate_sha256=signed.sha256,
            not_after=signed.certificate.not_valid_after_utc,
            added_at=now,
        )
    )
    return record(db, request, signed, unit, purpose="operational", now=now)


def record(
    db: Session, request: SigningRequest, signed: Signed, unit: str, *, purpose: Purpose, now: datetime
) -> IssuedCertificate:
    """Keep what was signed, in the caller's transaction."""
    row = IssuedCertificate(
        unit_id=unit,
        purpose=purpose,
        request_sha256=request.sha256,
        key_sha256=request.key_sha256,
        certificate_sha256=signed.sha256,
        certificate=signed.pem,
        not_after=signed.certificate.not_valid_after_utc,
        issued_at=now,
    )
    db.add(row)
    fields = {"sha256": signed.sha256[:16], "purpose": purpose, "not_after": row.not_after.isoformat()}
    db.add(UnitHistory(unit_id=unit, at=now, kind="certificate_issued", fields=fields))
    return row
