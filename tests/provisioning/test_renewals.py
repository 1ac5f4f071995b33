"""A working unit's next certificate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from sqlalchemy import select, update

from agent.contract import Topic, decode, encode
from agent.contract.enrolment import CertificateReply, CertificateRequest
from provisioning.database import Database
from provisioning.enrolments import Enrolments
from provisioning.fleet_models import Bootstrap, IssuedCertificate
from provisioning.log_verification import keys_of
from provisioning.models import Unit
from provisioning.renewals import Renewals
from provisioning.signing import Signer
from tests.provisioning.conftest import UnitHand
from tests.provisioning.csr import csr, new_key, request_sha256

Ask = Callable[..., CertificateReply]


@pytest.fixture
def ask(database: Database, wire: Any, clock: Any, tmp_path_factory: pytest.TempPathFactory) -> Ask:
    folder: Path = tmp_path_factory.mktemp("authorities")
    life = timedelta(days=90)
    signer = Signer(folder / "a", folder / "b", life=life, bootstrap_life=life)
    renewals = Renewals(database, wire.publish, clock, signer)

    def say(pem: str, unit: str = "unit-1", **wish: Any) -> CertificateReply:
        body = encode(CertificateRequest(csr=pem, **wish), now=clock())
        renewals.asked(unit, decode(str(Topic(unit, "up/renewal")), body))
        (message,) = wire.take("dn/renewal")
        assert message.topic.unit == unit
        reply: CertificateReply = message.data
        return reply

    return say


def common_name(reply: CertificateReply) -> str:
    return x509.load_pem_x509_certificate((reply.certificate or "").encode()).subject.rfc4514_string()


def test_the_same_request_is_given_the_same_certificate_under_our_name(ask: Ask, database: Database) -> None:
    pem = csr(new_key(), "unit-2")
    first = ask(pem)
    assert (first.state, first.request, common_name(first)) == ("issued", request_sha256(pem), "CN=unit-1")
    assert first.ca is not None
    assert ask(pem) == first
    with database.read() as db:
        assert len(db.scalars(select(IssuedCertificate)).all()) == 1


def test_events_signed_with_the_old_key_and_with_the_new_one_verify(
    ask: Ask, database: Database, clock: Any, unit_hand: UnitHand
) -> None:
    from provisioning.events import EventIntake

    events = EventIntake(database, clock)
    assert events.take("unit-1", unit_hand.event("selftest", clock())).is_new
    unit_hand.key = new_key()
    ask(csr(unit_hand.key))
    assert events.take("unit-1", unit_hand.event("selftest", clock())).is_new
    with database.read() as db:
        assert len(keys_of(db, "unit-1")) == 2


def test_another_units_request_or_key_is_refused(ask: Ask) -> None:
    key = new_key()
    pem = csr(key)
    ask(pem)
    assert "used before" in ask(pem, "unit-2").reason
    assert "used before" in ask(csr(key), "unit-2").reason
    assert "used before" in ask(csr(key)).reason


def test_a_revoked_or_unknown_unit_gets_none(ask: Ask, database: Database, clock: Any) -> None:
    enrolments = Enrolments(database, clock)
    enrolments.revoke("unit-1", "stolen", "acc-it")
    told = ask(csr())
    assert (told.state, told.certificate, told.reason) == ("rejected", None, "the unit is revoked")
    enrolments.unrevoke("unit-1", "acc-it")
    assert ask(csr()).state == "issued"
    assert "not known" in ask(csr(), "unit-99").reason
    assert "cannot be read" in ask(csr().replace("M", "A")).reason


def test_a_unit_that_asks_on_and_on_is_given_no_more(ask: Ask, clock: Any) -> None:
    assert [ask(csr()).state for _ in range(6)] == ["issued"] * 5 + ["rejected"]
    clock.pass_by(minutes=61)
    assert ask(csr()).state == "issued"


def test_a_bootstrap_certificate_is_made_anew_under_the_serial_number(ask: Ask, database: Database) -> None:
    assert "makes no bootstrap" in ask(csr(), purpose="bootstrap").reason
    with database.write() as db:
        db.get_one(Unit, "unit-1").serial = "hs-1"
    pem = csr()
    told = ask(pem, purpose="bootstrap")
    assert (told.purpose, common_name(told)) == ("bootstrap", "CN=hs-1")
    assert ask(pem).state == "rejected"  # for the other purpose
    with database.read() as db:
        assert db.get_one(Bootstrap, "hs-1").state == "used"


def test_one_that_works_with_each_is_given_no_endless_number(
    ask: Ask, database: Database, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provisioning.renewals.IN_ALL_AT_MOST", 7)

    def ask_and_work() -> str:
        state = ask(csr()).state
        with database.write() as db:
            db.execute(update(IssuedCertificate).values(proven_at=clock()))
        return state

    assert [ask_and_work() for _ in range(8)] == ["issued"] * 7 + ["rejected"]
    clock.pass_by(minutes=61)
    assert ask_and_work() == "issued"
