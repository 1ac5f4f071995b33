"""A region that keeps the contract passes every check; one that breaks it is found out."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent.contract import ContractError, Message, Topic, decode, encode
from agent.contract.commands import Command
from agent.contract.enrolment import CertificateReply, EnrolReply
from agent.contract.events import GENESIS, Ack, Notice
from agent.contract.schedule import Schedule
from agent.contract.unit_config import Config
from provisioning.conformance.checks import Outcome, run_checks
from provisioning.conformance.peer import Credentials, Patience, Peer, now
from provisioning.conformance.region_chain_checks import CHAIN
from provisioning.conformance.region_checks import BASIC, LAST, PlayedUnit
from provisioning.conformance.unit_keys import UnitKeys
from provisioning.log_verification import signature_fits
from provisioning.pki import Authority
from provisioning.signing import read_request

QUICK = Patience(answer_s=0.05, long_s=0.2, silence_s=0.02)
UNIT, SERIAL = "unit-1", "s-1"


class PlayedRegion:
    """Keeps the contract, but for what a test has it do otherwise."""

    def __init__(self, authority: Authority, public_key: Any) -> None:
        self.authority = authority
        self.public_key = public_key
        self.peer: Peer | None = None
        self.epoch, self.rev = 1, 5
        self.chain: tuple[int, int, str] = (0, 0, GENESIS)
        self.issued: dict[str, str] = {}
        self.retained: dict[str, bytes] = {}
        self.wide = False

    def connect(self, wide: bool = False) -> Peer:
        self.peer, self.wide = Peer(self.take, QUICK), wide
        self.publish_schedule()
        self.down("dn/config", Config(phone="1"), rev=3)
        self.down("dn/cmd", Command(name="selftest"), "c-100", expires_at=now() + timedelta(minutes=1))
        if self.broken_access and wide:
            self.peer.came("hr/v1/u/unit-2/dn/schedule", self.schedule_bytes())
        return self.peer

    broken_access = False

    def down(self, channel: str, body: Any, *levels: str, unit: str = UNIT, **named: Any) -> None:
        assert self.peer is not None
        self.peer.came(str(Topic(unit, channel, levels)), encode(body, now=now(), **named))

    def schedule_bytes(self) -> bytes:
        body = Schedule(epoch=self.epoch, valid_until=now() + timedelta(days=7), salt="0" * 32, sessions=())
        return encode(body, now=now(), rev=self.rev)

    def publish_schedule(self) -> None:
        assert self.peer is not None
        self.peer.came(f"hr/v1/u/{UNIT}/dn/schedule", self.schedule_bytes())

    def take(self, topic: Topic, payload: bytes) -> bool:
        try:
            message = decode(str(topic), payload)
        except ContractError:
            return self.bad(topic)
        handler = getattr(self, "on_" + topic.channel.replace("/", "_"), None)
        if handler is not None:
            handler(message)
        return True

    def bad(self, _topic: Topic) -> bool:
        return True

    def ack(self) -> None:
        self.down("dn/ack", Ack(epoch=self.chain[0], seq=self.chain[1]))

    def on_up_status(self, _message: Message) -> None:
        self.ack()

    def on_up_schedule(self, message: Message) -> None:
        theirs = (message.data.epoch, message.data.rev)
        if theirs > (self.epoch, self.rev):
            self.epoch = message.data.epoch + 1
        if theirs != (self.epoch, self.rev):
            self.publish_schedule()

    def on_up_cmd(self, message: Message) -> None:
        if message.data.state == "succeeded":
            assert self.peer is not None
            self.peer.came(str(Topic(UNIT, "dn/cmd", message.topic.levels)), b"")

    def on_up_event(self, message: Message) -> None:
        event, (epoch, seq, head) = message.data, self.chain
        if event.epoch > epoch:
            epoch, seq, head = event.epoch, 0, GENESIS
        fits = signature_fits([self.public_key], event.hash, event.signature)
        if fits and event.seq == seq + 1 and event.prev == head:
            self.chain = (epoch, event.seq, event.hash)
        self.ack()

    def on_up_intent(self, message: Message) -> None:
        self.down("dn/notice", self.servers(message.data.id), "ice_servers")

    def servers(self, asked: str) -> Notice:
        return Notice(id=asked, ice_servers=())

    def subject_of(self, _request: str) -> str:
        return UNIT

    def on_up_renewal(self, message: Message) -> None:
        try:
            request = x509.load_pem_x509_csr(message.data.csr.encode())
        except ValueError:
            return
        der = request.public_bytes(Encoding.DER)
        digest = hashlib.sha256(der).hexdigest()
        if digest not in self.issued:
            self.issued[digest] = self.sign(message.data.csr)
        self.down(
            "dn/renewal", CertificateReply(state="issued", request=digest, certificate=self.issued[digest])
        )

    def sign(self, csr: str) -> str:
        return sign(self.authority, csr, self.subject_of(csr))

    def on_up_enrol(self, message: Message) -> None:
        request = x509.load_pem_x509_csr(message.data.csr.encode())
        digest = hashlib.sha256(request.public_bytes(Encoding.DER)).hexdigest()
        self.down("dn/enrol", EnrolReply(state="waiting", request=digest), unit=SERIAL)


def sign(authority: Authority, csr: str, name: str) -> str:
    """By the region's own authority, whatever its present signature is called."""
    certificate = authority.sign(read_request(csr).key, name)
    return certificate.public_bytes(Encoding.PEM).decode()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"))


def checked(region: PlayedRegion, credentials: Credentials) -> dict[str, Outcome]:
    unit = PlayedUnit(
        UNIT,
        region.connect(),
        UnitKeys(credentials),
        again=region.connect,
        everything=lambda: region.connect(wide=True),
        bootstrap=lambda: (SERIAL, region.peer) if region.peer else None,
    )
    return {each.name: each for each in run_checks((*BASIC, *CHAIN, *LAST), unit)}


@pytest.fixture(scope="module")
def credentials(authority: Authority) -> Credentials:
    made = authority.client(UNIT)
    return Credentials(made.ca_file, made.certificate_file, made.key_file)


def check(kind: type[PlayedRegion], authority: Authority, credentials: Credentials) -> dict[str, Outcome]:
    certificate = x509.load_pem_x509_certificate(credentials.certificate_file.read_bytes())
    key = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    return checked(kind(authority, key), credentials)


def test_a_region_that_keeps_the_contract_passes_all(authority: Authority, credentials: Credentials) -> None:
    outcomes = check(PlayedRegion, authority, credentials)
    assert {name: each.said for name, each in outcomes.items() if each.result != "pass"} == {}
    assert all(each.sentence for each in outcomes.values())


class Deaf(PlayedRegion):
    def on_up_status(self, _message: Message) -> None:
        """Answers nothing."""


class Repeats(PlayedRegion):
    def on_up_schedule(self, _message: Message) -> None:
        self.publish_schedule()


class ForgetsReports(PlayedRegion):
    def on_up_schedule(self, _message: Message) -> None:
        """Never sends again."""


class GoesBack(PlayedRegion):
    def on_up_schedule(self, message: Message) -> None:
        super().on_up_schedule(message)
        self.rev -= 1
        self.publish_schedule()


class KeepsCommands(PlayedRegion):
    def on_up_cmd(self, _message: Message) -> None:
        """Clears nothing."""


class BelievesAll(PlayedRegion):
    def on_up_event(self, message: Message) -> None:
        self.chain = (message.data.epoch, max(message.data.seq, self.chain[1]), message.data.hash)
        self.ack()


class LetsRequestsChoose(PlayedRegion):
    def subject_of(self, request: str) -> str:
        return str(x509.load_pem_x509_csr(request.encode()).subject.rfc4514_string()).removeprefix("CN=")


class SignsTwice(PlayedRegion):
    def on_up_renewal(self, message: Message) -> None:
        self.issued.clear()
        super().on_up_renewal(message)


class Hasty(PlayedRegion):
    def on_up_enrol(self, message: Message) -> None:
        digest = hashlib.sha256(
            x509.load_pem_x509_csr(message.data.csr.encode()).public_bytes(Encoding.DER)
        ).hexdigest()
        self.down("dn/enrol", EnrolReply(state="approved", request=digest), unit=SERIAL)


class Falls(PlayedRegion):
    fallen = False

    def bad(self, _topic: Topic) -> bool:
        self.fallen = True
        return True

    def on_up_status(self, message: Message) -> None:
        if not self.fallen:
            super().on_up_status(message)


class SaysNoServers(PlayedRegion):
    def servers(self, asked: str) -> Notice:
        return Notice(id=asked)


class AnswersAnother(PlayedRegion):
    def servers(self, asked: str) -> Notice:
        return Notice(id="another", ice_servers=())


class OpenToAll(PlayedRegion):
    broken_access = True


class Garbled(PlayedRegion):
    def on_up_info(self, _message: Message) -> None:
        assert self.peer is not None
        self.peer.came(f"hr/v1/u/{UNIT}/dn/config", b'{"v":1}')


@pytest.mark.parametrize(
    ("kind", "found_by"),
    [
        (Deaf, "status answered"),
        (Repeats, "report honoured"),
        (ForgetsReports, "report honoured"),
        (ForgetsReports, "later revision"),
        (GoesBack, "order"),
        (KeepsCommands, "command cleared"),
        (BelievesAll, "events"),
        (LetsRequestsChoose, "renewal"),
        (SignsTwice, "renewal"),
        (Hasty, "enrolment"),
        (Falls, "bad messages"),
        (SaysNoServers, "ICE servers"),
        (AnswersAnother, "ICE servers"),
        (OpenToAll, "access"),
        (Garbled, "well-formed"),
    ],
)
def test_one_that_breaks_it_is_found_out(
    kind: type[PlayedRegion], found_by: str, authority: Authority, credentials: Credentials
) -> None:
    outcome = check(kind, authority, credentials)[found_by]
    assert outcome.result == "fail", outcome.said
    assert "the check itself failed" not in outcome.said
