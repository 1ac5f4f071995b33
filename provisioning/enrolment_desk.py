"""Lets units in: answers those at the door, signs what IT has approved, and closes the door behind them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from agent.contract import Message, Topic, encode
from agent.contract.enrolment import EnrolReply, EnrolRequest
from agent.contract.status import Info
from agent.contract.unit_config import BrokerAddress
from provisioning import audit
from provisioning.broker_access import BrokerAccess
from provisioning.database import Database
from provisioning.enrolment_intake import SILENT, NotTaken, take
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.fleet_models import Bootstrap, Enrolment, IssuedCertificate, UnitHistory
from provisioning.issuing import issue
from provisioning.rooms import touch
from provisioning.schedules import Publish
from provisioning.signing import BadRequest, Signer, read_request

log = logging.getLogger(__name__)

EXPIRE_EVERY = timedelta(seconds=10)
ASK_AGAIN_IN_CONFLICT = timedelta(seconds=30)
MOST_REMEMBERED = 20_000
"""Certificates that were seen at work: looked up once, not at each connection."""


class EnrolmentDesk:
    """Used by the region's worker thread only."""

    def __init__(
        self,
        database: Database,
        publish: Publish,
        clock: Callable[[], datetime],
        *,
        settings: EnrolmentSettings,
        signer: Signer,
        broker: BrokerAddress,
        access: BrokerAccess,
    ) -> None:
        self._database = database
        self._publish = publish
        self._clock = clock
        self._settings = settings
        self._signer = signer
        self._broker = broker
        self._access = access
        self._seen_at_work: set[tuple[str, str]] = set()
        self._expired_at = clock()

    def asked(self, serial: str, message: Message) -> None:
        """`b/{serial}/up/enrol`: keep it for IT, or say why not."""
        request: EnrolRequest = message.data
        try:
            asked = read_request(request.csr)
            with self._database.write() as db:
                row = take(db, serial, request, asked, now=self._clock(), settings=self._settings)
                replies = [self._reply(db, row), *self._approved(db, serial, but=row)]
        except BadRequest as error:
            log.warning("serial number %s: request refused: %s", serial, error.reason)
            replies = self._refusal(serial, error.request, error.reason)
        except NotTaken as error:
            log.warning("serial number %s: request refused: %s", serial, error)
            replies = self._refusal(serial, asked.sha256, str(error))
        except IntegrityError:
            return  # the region's other instance has kept it at the same moment, and answers
        self._say(serial, replies)

    def decided(self, serial: str) -> None:
        """IT has decided something about a serial number: sign, tell the unit, close or open the door."""
        replies: list[EnrolReply] = []
        with self._database.write() as db:
            rows = db.scalars(_latest(serial)).all()
            for row in rows:
                if row.state == "approved" and row.certificate is None:
                    self._sign(db, row)
            telling = next((row for row in rows if row.state == "approved"), rows[0] if rows else None)
            bootstrap = db.get(Bootstrap, serial)
            used = bootstrap is not None and bootstrap.state == "used"
            if telling is not None and telling.state != "proven" and not used:
                replies.append(self._reply(db, telling))
        self._say(serial, replies)
        self._access.apply()

    def shown(self, unit: str, message: Message) -> None:
        """`up/info`: a unit works under a certificate; if it is a new one, that is its proof."""
        info: Info = message.data
        known = unit, info.certificate_sha256
        if known in self._seen_at_work:
            return
        with self._database.read() as db:
            row = db.scalar(_unproven(*known))
        if row is not None:
            with self._database.write() as db:
                self._prove(db, *known)
        if len(self._seen_at_work) >= MOST_REMEMBERED:
            self._seen_at_work.clear()
        self._seen_at_work.add(known)

    def connected(self) -> None:
        """The broker may have lost its answers."""
        with self._database.read() as db:
            approved = select(Enrolment).where(Enrolment.state == "approved")
            rows = db.scalars(approved.where(Enrolment.certificate.is_not(None))).all()
            replies = [(row.serial, self._reply(db, row)) for row in rows]
        for serial, reply in replies:
            self._say(serial, [reply])

    def tick(self) -> None:
        """Requests that nobody has decided in time expire."""
        now = self._clock()
        if timedelta(0) <= now - self._expired_at < EXPIRE_EVERY:
            return
        self._expired_at = now
        with self._database.write() as db:
            query = select(Enrolment).where(
                Enrolment.state == "waiting", Enrolment.asked_at < now - self._settings.waiting
            )
            replies: list[tuple[str, EnrolReply]] = []
            for row in db.scalars(query):
                row.state, row.decided_at, row.reason = "expired", now, "nobody has decided in time"
                replies.append((row.serial, self._reply(db, row)))
        for serial, reply in replies:
            self._say(serial, [reply])

    def _sign(self, db: Session, row: Enrolment) -> None:
        assert row.unit_id is not None
        now = self._clock()
        issued = issue(db, self._signer, read_request(row.csr), row.unit_id, now)
        row.certificate, row.certificate_sha256 = issued.certificate, issued.certificate_sha256
        log.info("serial number %s: certificate made for unit %s", row.serial, row.unit_id)

    def _prove(self, db: Session, unit: str, sha256: str) -> None:
        issued = db.scalar(_unproven(unit, sha256).with_for_update())
        if issued is None:
            return
        now = self._clock()
        issued.proven_at = now
        fields = {"sha256": sha256[:16]}
        db.add(UnitHistory(unit_id=unit, at=now, kind="certificate_proven", fields=fields))
        row = db.scalar(
            select(Enrolment)
            .where(Enrolment.unit_id == unit, Enrolment.certificate_sha256 == sha256)
            .where(Enrolment.state == "approved")
        )
        if row is None:
            return
        row.state = "proven"
        bootstrap = db.get_one(Bootstrap, row.serial, with_for_update=True)
        bootstrap.state, bootstrap.unit_id, bootstrap.changed_at = "used", unit, now
        audit.note(
            db, now, by=audit.REGION, action="enrolment_proven", target=unit, fields={"serial": row.serial}
        )
        touch(db, row.serial, "enrolment")
        log.info("unit %s works; serial number %s is disarmed", unit, row.serial)

    def _reply(self, db: Session, row: Enrolment) -> EnrolReply:
        if row.state == "waiting":
            return self._waiting(db, row)
        if row.state == "approved" and row.certificate is None:
            return EnrolReply(state="waiting", request=row.request_sha256)  # until it is signed, in a moment
        if row.state == "approved":
            return EnrolReply(
                state="approved",
                request=row.request_sha256,
                unit=row.unit_id,
                certificate=row.certificate,
                ca=self._signer.ca_pem,
                broker=self._broker,
            )
        again = (row.decided_at or self._clock()) + self._settings.pause
        return EnrolReply(
            state="expired" if row.state == "expired" else "rejected",
            request=row.request_sha256,
            reason=row.reason,
            ask_again_at=again,
        )

    def _waiting(self, db: Session, row: Enrolment) -> EnrolReply:
        now = self._clock()
        others = select(func.count()).where(
            Enrolment.serial == row.serial,
            Enrolment.id != row.id,
            Enrolment.state.in_(("waiting", "approved")),
            Enrolment.heard_at >= now - SILENT,
        )
        if not db.scalar(others):
            return EnrolReply(state="waiting", request=row.request_sha256)
        return EnrolReply(
            state="conflict",
            request=row.request_sha256,
            reason="another key asks under the same serial number; IT compares the words and decides",
            ask_again_at=now + ASK_AGAIN_IN_CONFLICT,
        )

    def _approved(self, db: Session, serial: str, but: Enrolment | None = None) -> list[EnrolReply]:
        """Said last, so that it is what the broker keeps: the one let in may be away just now."""
        query = select(Enrolment).where(Enrolment.serial == serial, Enrolment.state == "approved")
        return [self._reply(db, row) for row in db.scalars(query) if row is not but and row.certificate]

    def _refusal(self, serial: str, request: str, reason: str) -> list[EnrolReply]:
        again = self._clock() + self._settings.pause
        refusal = EnrolReply(state="rejected", request=request, reason=reason, ask_again_at=again)
        with self._database.read() as db:
            return [refusal, *self._approved(db, serial)]

    def _say(self, serial: str, replies: list[EnrolReply]) -> None:
        """The broker keeps the last; none: what it keeps is cleared."""
        topic, now = Topic(serial, "dn/enrol"), self._clock()
        for reply in replies:
            self._publish(topic, encode(reply, now=now))
        if not replies:
            self._publish(topic, b"")


def _latest(serial: str) -> Select[Enrolment]:
    return (
        select(Enrolment)
        .where(Enrolment.serial == serial)
        .order_by(func.coalesce(Enrolment.decided_at, Enrolment.asked_at).desc(), Enrolment.id.desc())
        .with_for_update()
    )


def _unproven(unit: str, sha256: str) -> Select[IssuedCertificate]:
    return select(IssuedCertificate).where(
        IssuedCertificate.unit_id == unit,
        IssuedCertificate.certificate_sha256 == sha256,
        IssuedCertificate.purpose == "operational",
        IssuedCertificate.proven_at.is_(None),
    )
