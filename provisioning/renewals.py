"""A working unit's next certificate: asked for over its own connection, with a key that it has just made."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.contract import Message, Topic, encode
from agent.contract.enrolment import CertificateReply, CertificateRequest
from provisioning.database import Database
from provisioning.fleet_models import Bootstrap, IssuedCertificate, Revocation
from provisioning.issuing import Purpose, issue, issued_for, key_was_used, record
from provisioning.models import Unit
from provisioning.schedules import Publish
from provisioning.signing import BadRequest, Signer, SigningRequest, read_request

log = logging.getLogger(__name__)

WITHIN = timedelta(hours=1)
UNPROVEN_AT_MOST = 5
"""In that time; a unit that never works with what it was given is given no more."""
IN_ALL_AT_MOST = 60
"""In that time, also of one that works with each: all of them are kept, and its page shows them."""


class _NotIssued(ValueError):
    pass


class Renewals:
    """Used by the region's worker thread only."""

    def __init__(
        self, database: Database, publish: Publish, clock: Callable[[], datetime], signer: Signer
    ) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._signer = signer

    def asked(self, unit: str, message: Message) -> None:
        """`up/renewal`: the same request is given the same certificate."""
        wish: CertificateRequest = message.data
        try:
            request = read_request(wish.csr)
            with self._database.write() as db:
                row = self._grant(db, unit, request, wish.purpose)
            answer = CertificateReply(
                state="issued",
                request=request.sha256,
                purpose=wish.purpose,
                certificate=row.certificate,
                ca=self._signer.ca_pem,
            )
        except BadRequest as error:
            answer = _refusal(error.request, wish.purpose, error.reason)
        except _NotIssued as error:
            answer = _refusal(request.sha256, wish.purpose, str(error))
        except IntegrityError:
            return  # the region's other instance signs it at the same moment; the unit asks again
        if answer.state == "rejected":
            log.warning("unit %s: no new certificate: %s", unit, answer.reason)
        self._publish(Topic(unit, "dn/renewal"), encode(answer, now=self._clock()))

    def _grant(self, db: Session, unit: str, request: SigningRequest, purpose: Purpose) -> IssuedCertificate:
        now = self._clock()
        known = db.get(Unit, unit, with_for_update=True)
        if known is None:
            raise _NotIssued("the unit is not known here")
        if db.get(Revocation, unit) is not None:
            raise _NotIssued("the unit is revoked")
        row = issued_for(db, request)
        if row is not None:
            if (row.unit_id, row.purpose) != (unit, purpose) or row.not_after <= now:
                raise _NotIssued("this request was used before; make a new key")
            return row
        if key_was_used(db, request):
            raise _NotIssued("this key was used before; make a new one")
        _refuse_flood(db, unit, purpose, now)
        if purpose == "operational":
            log.info("unit %s: new certificate", unit)
            return issue(db, self._signer, request, unit, now)
        return self._bootstrap(db, known, request, now)

    def _bootstrap(
        self, db: Session, unit: Unit, request: SigningRequest, now: datetime
    ) -> IssuedCertificate:
        if unit.serial is None or not self._signer.makes_bootstraps:
            raise _NotIssued("this region makes no bootstrap certificates for it")
        signed = self._signer.bootstrap(request, unit.serial)
        bootstrap = db.get(Bootstrap, unit.serial, with_for_update=True)
        if bootstrap is None:
            # It came in with a certificate of its own; the door opens when IT arms it.
            bootstrap = Bootstrap(serial=unit.serial, state="used", unit_id=unit.id, changed_at=now)
            db.add(bootstrap)
        bootstrap.certificate_sha256 = signed.sha256
        log.info("unit %s: new bootstrap certificate", unit.id)
        return record(db, request, signed, unit.id, purpose="bootstrap", now=now)


def _refuse_flood(db: Session, unit: str, purpose: Purpose, now: datetime) -> None:
    query = select(func.count()).where(
        IssuedCertificate.unit_id == unit,
        IssuedCertificate.purpose == purpose,
        IssuedCertificate.issued_at > now - WITHIN,
    )
    unproven = query.where(IssuedCertificate.proven_at.is_(None))
    if (db.scalar(unproven) or 0) >= UNPROVEN_AT_MOST or (db.scalar(query) or 0) >= IN_ALL_AT_MOST:
        raise _NotIssued("too many certificates within an hour; ask again later")


def _refusal(request: str, purpose: Purpose, reason: str) -> CertificateReply:
    return CertificateReply(state="rejected", request=request, purpose=purpose, reason=reason)
