"""From the first request at the door to the door being closed, and all that may come in between."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from sqlalchemy import event, func, select

from agent.contract import Topic, decode, encode
from agent.contract.enrolment import EnrolReply, EnrolRequest
from agent.contract.fingerprint_words import words_of
from agent.contract.status import Info
from agent.contract.unit_config import BrokerAddress
from provisioning import audit
from provisioning.broker_access import BrokerAccess, wanted
from provisioning.database import Database
from provisioning.enrolment_desk import EnrolmentDesk
from provisioning.enrolment_settings import EnrolmentSettings
from provisioning.enrolments import Enrolments
from provisioning.fleet_models import AuditEntry, Bootstrap, Enrolment, UnitHistory
from provisioning.models import OutboxRow, Room, Unit, UnitKey
from provisioning.settings import BrokerSettings
from provisioning.signing import Signer
from tests.provisioning.csr import csr, key_sha256, new_key, request_sha256
from web.clinic.fleet.services import EnrolmentLine
from web.clinic.services import Refused

IT = "acc-it"
SERIAL = "hs-4f2a91"


@dataclass
class Door:
    """The region's side of enrolment, and a unit's voice."""

    desk: EnrolmentDesk
    enrolments: Enrolments
    database: Database
    wire: Any
    clock: Any

    def ask(self, pem: str, serial: str = SERIAL, **wish: Any) -> EnrolReply:
        """A unit asks; what it was told about its own request."""
        topic = Topic(serial, "up/enrol")
        body = encode(EnrolRequest(csr=pem, **wish), now=self.clock())
        self.desk.asked(serial, decode(str(topic), body))
        digest = request_sha256(pem)
        return [each.data for each in self.wire.take("dn/enrol") if each.data.request == digest][-1]

    def line(self, **options: Any) -> EnrolmentLine:
        (line,) = self.enrolments.lines(**options)
        return line

    def work(self, serial: str = SERIAL) -> list[EnrolReply | None]:
        """The worker works off what was decided; what it said."""
        self.desk.decided(serial)
        return [each.data if each is not None else None for each in self.wire.take("dn/enrol")]

    def let_in(self, pem: str, unit: str, serial: str = SERIAL, **wish: Any) -> EnrolReply:
        self.ask(pem, serial, **wish)
        number = next(line.id for line in self.enrolments.lines() if line.serial == serial)
        self.enrolments.approve(number, unit, None, IT)
        reply = self.work(serial)[-1]
        assert reply is not None
        return reply

    def show(self, unit: str, certificate: str) -> None:
        """The unit says `up/info` under a certificate."""
        loaded = x509.load_pem_x509_certificate(certificate.encode())
        info = Info(
            software="1",
            board="sim",
            certificate_sha256=loaded.fingerprint(hashes.SHA256()).hex(),
            certificate_not_after=loaded.not_valid_after_utc,
        )
        topic = Topic(unit, "up/info")
        self.desk.shown(unit, decode(str(topic), encode(info, now=self.clock())))

    def bootstrap(self, serial: str = SERIAL) -> str:
        with self.database.read() as db:
            return db.get_one(Bootstrap, serial).state

    def count(self, table: Any, **wanted: Any) -> int:
        with self.database.read() as db:
            return db.scalar(select(func.count()).select_from(table).filter_by(**wanted)) or 0


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authorities")


@pytest.fixture
def door(database: Database, wire: Any, clock: Any, rooms: Any, authorities: Path) -> Door:
    settings = EnrolmentSettings(
        authority_dir=authorities / "a", bootstrap_dir=authorities / "b", per_serial=3, in_all=10
    )
    files = {name: authorities / name for name in ("ca_file", "certificate_file", "key_file")}
    desk = EnrolmentDesk(
        database,
        wire.publish,
        clock,
        settings=settings,
        signer=Signer(
            settings.authority_dir,
            settings.bootstrap_dir,
            life=settings.life,
            bootstrap_life=settings.bootstrap_life,
        ),
        broker=BrokerAddress(host="mqtt.region.example", port=443, transport="alpn"),
        access=BrokerAccess(database, BrokerSettings(**files)),
    )
    return Door(desk, Enrolments(database, clock), database, wire, clock)


def test_a_unit_asks_is_let_in_into_a_room_shows_itself_and_the_door_closes(door: Door) -> None:
    key = new_key()
    pem = csr(key, "region")  # a subject of its own choosing counts for nothing
    assert door.ask(pem, software="1.0", board="pi5").state == "waiting"
    line = door.line()
    assert (line.serial, line.words, line.at_the_door) == (SERIAL, words_of(key_sha256(key)), True)
    assert (line.proposed_unit, line.rival, line.board) == ("unit-4f2a91", False, "pi5")

    door.enrolments.approve(line.id, "unit-7", "west", IT)
    assert door.ask(pem).state == "waiting"  # the worker has not signed yet
    (approved,) = door.work()
    assert approved is not None and approved.certificate is not None
    assert (approved.state, approved.unit, approved.broker) == ("approved", "unit-7", door.desk._broker)
    subject = x509.load_pem_x509_certificate(approved.certificate.encode()).subject
    assert subject.rfc4514_string() == "CN=unit-7"
    assert door.ask(pem) == approved  # said again, the same certificate
    with door.database.read() as db:
        assert db.get_one(Room, "west").unit_id == "unit-7"
        assert db.get_one(Unit, "unit-7").serial == SERIAL
        assert wanted(db).bootstraps == frozenset()

    door.show("unit-7", approved.certificate)
    door.show("unit-7", approved.certificate)
    assert door.bootstrap() == "used"
    assert door.work() == [None]  # what the broker kept is cleared
    with door.database.read() as db:
        assert wanted(db).bootstraps == {SERIAL}
        assert db.scalar(select(UnitKey.certificate_sha256).where(UnitKey.unit_id == "unit-7"))
        actions = [(row.by, row.action) for row in audit.entries(db) if row.target == "unit-7"]
        assert audit.verify(db)[1] == ""
        history = db.scalars(select(UnitHistory.kind).where(UnitHistory.unit_id == "unit-7")).all()
    assert actions == [(IT, "enrolment_approved"), ("region", "enrolment_proven")]
    assert {"enrolment_approved", "certificate_issued", "certificate_proven"} <= set(history)
    assert door.enrolments.lines() == []
    assert door.line(all_states=True).state == "proven"


def test_the_region_killed_after_the_approval_signs_and_says_it_when_it_is_back(door: Door) -> None:
    approved = door.let_in(csr(), "unit-7")
    door.desk.connected()  # as after a start: the broker may have lost it
    assert [each.data for each in door.wire.take("dn/enrol")] == [approved]
    assert door.work() == [approved]
    assert door.count(UnitKey, unit_id="unit-7") == 1


def test_a_rejected_one_hears_why_and_may_ask_again_after_a_pause(door: Door) -> None:
    pem = csr()
    door.ask(pem)
    door.enrolments.reject(door.line().id, "not ours", IT)
    (told,) = door.work()
    assert told is not None
    assert (told.state, told.reason) == ("rejected", "not ours")
    assert told.ask_again_at == door.clock() + timedelta(minutes=10)
    door.clock.pass_by(minutes=9)
    assert door.ask(pem).state == "rejected"
    door.clock.pass_by(minutes=2)
    assert door.ask(pem).state == "waiting"
    assert door.let_in(pem, "unit-7").state == "approved"


def test_a_request_that_nobody_decides_expires_and_may_come_again(door: Door) -> None:
    pem = csr()
    door.ask(pem)
    door.clock.pass_by(hours=73)
    door.desk.tick()
    (told,) = (each.data for each in door.wire.take("dn/enrol"))
    assert told.state == "expired"
    with pytest.raises(Refused, match="expired already"):
        door.enrolments.approve(door.line(all_states=True).id, "unit-7", None, IT)
    door.clock.pass_by(minutes=11)
    assert door.ask(pem).state == "waiting"


def test_two_keys_under_one_serial_number_are_rivals_and_one_of_them_comes_in(door: Door) -> None:
    mine, cloned = new_key(), new_key()
    mine_pem, cloned_pem = csr(mine), csr(cloned)
    door.ask(cloned_pem)
    assert door.ask(mine_pem).state == "conflict"
    assert door.ask(cloned_pem).state == "conflict"
    lines = {line.key_sha256: line for line in door.enrolments.lines()}
    assert [line.rival for line in lines.values()] == [True, True]
    door.enrolments.approve(lines[key_sha256(mine)].id, "unit-7", None, IT)
    assert [reply.state for reply in door.work() if reply] == ["approved"]
    # The clone is told no, and what the broker keeps is the approved one's.
    topic = str(Topic(SERIAL, "up/enrol"))
    door.desk.asked(SERIAL, decode(topic, encode(EnrolRequest(csr=cloned_pem), now=door.clock())))
    said = [(each.data.state, each.data.request) for each in door.wire.take("dn/enrol")]
    assert said == [("rejected", request_sha256(cloned_pem)), ("approved", request_sha256(mine_pem))]


def test_a_box_that_was_reset_is_no_rival_of_what_it_was(door: Door) -> None:
    door.ask(csr())
    door.clock.pass_by(minutes=11)
    assert door.ask(csr()).state == "waiting"
    assert [line.rival for line in door.enrolments.lines()] == [False]


def test_keys_that_anybody_has_had_are_refused(door: Door, authority: Any) -> None:
    key = new_key()
    approved = door.let_in(csr(key), "unit-7")
    door.show("unit-7", approved.certificate or "")
    assert "used before" in door.ask(csr(key), "hs-other").reason
    door.enrolments.arm(SERIAL, IT)
    assert "granted already" in door.ask(csr(key)).reason or "used before" in door.ask(csr(key)).reason
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    of_unit = load_pem_private_key(authority.client("unit-1").key_file.read_bytes(), None)
    assert "used before" in door.ask(csr(of_unit), "hs-third").reason


def test_an_old_request_replayed_brings_nothing(door: Door) -> None:
    pem = csr()
    approved = door.let_in(pem, "unit-7")
    door.show("unit-7", approved.certificate or "")
    assert "used" in door.ask(pem).reason  # the broker would not even have taken it
    door.enrolments.arm(SERIAL, IT)
    told = door.ask(pem)
    assert (told.state, told.certificate) == ("rejected", None)
    assert "granted already" in told.reason


def test_a_unit_whose_certificate_expired_comes_back_under_its_name_when_armed(door: Door) -> None:
    first = door.let_in(csr(), "unit-7")
    door.show("unit-7", first.certificate or "")
    pem = csr()
    assert "arm it again" in door.ask(pem, why="expired", was="unit-7").reason
    door.enrolments.arm(SERIAL, IT)
    assert door.work() == [None]
    assert door.ask(pem, why="expired", was="unit-7").state == "waiting"
    assert door.line().proposed_unit == "unit-7"
    again = door.let_in(pem, "unit-7", why="expired", was="unit-7")
    assert again.certificate not in {None, first.certificate}
    assert door.count(UnitKey, unit_id="unit-7") == 2  # events that it signed before still verify
    door.show("unit-7", again.certificate or "")
    assert door.bootstrap() == "used"


def test_names_that_are_taken_reserved_or_impossible_are_refused(door: Door) -> None:
    door.ask(csr(), why="reset", was="unit-1")
    number = door.line().id
    for name in ("region", "region-2", "Unit 7", "", "../x", "#", "a" * 64, SERIAL):
        with pytest.raises(Refused):
            door.enrolments.approve(number, name, None, IT)
    with pytest.raises(Refused, match="exists and is another box"):
        door.enrolments.approve(number, "unit-1", None, IT)
    with pytest.raises(Refused, match="is not known"):
        door.enrolments.approve(number, "unit-8", "attic", IT)
    assert door.count(Unit, id="unit-8") == 0
    assert door.count(AuditEntry, by=IT) == 0
    door.enrolments.approve(number, "unit-1", None, IT, confirmed=True)
    with pytest.raises(Refused, match="approved already"):
        door.enrolments.approve(number, "unit-1", None, IT, confirmed=True)


def test_a_flood_under_one_serial_number_or_many_is_not_kept(door: Door) -> None:
    states = [door.ask(csr()).state for _ in range(5)]
    assert states == ["waiting", "conflict", "conflict", "rejected", "rejected"]
    for number in range(12):
        door.ask(csr(), f"hs-{number}")
    assert door.count(Enrolment) == 10
    assert "too many units" in door.ask(csr(), "hs-99").reason


def test_decided_requests_make_way_for_new_ones(door: Door) -> None:
    for _ in range(4):
        door.ask(csr())
        door.enrolments.reject(door.line().id, "", IT)
        door.clock.pass_by(minutes=1)
    assert door.ask(csr()).state == "waiting"
    assert door.count(Enrolment) == 3


def test_a_blocked_serial_number_is_turned_away_until_it_is_armed(door: Door) -> None:
    door.ask(csr())
    door.enrolments.block(SERIAL, IT)
    (told,) = door.work()
    assert told is not None and told.reason == "IT has blocked this serial number"
    with door.database.read() as db:
        assert wanted(db).bootstraps == {SERIAL}
    assert "blocked" in door.ask(csr()).reason
    with pytest.raises(Refused, match="blocked already"):
        door.enrolments.block(SERIAL, IT)
    with pytest.raises(Refused, match="never been seen"):
        door.enrolments.arm("hs-unheard", IT)
    door.enrolments.arm(SERIAL, IT)
    assert door.ask(csr()).state == "waiting"
    assert [line.state for line in door.enrolments.bootstraps()] == ["armed"]


def test_a_hostile_request_is_answered_and_leaves_nothing(door: Door) -> None:
    pem = "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
    body = encode(EnrolRequest(csr=pem), now=door.clock())
    door.desk.asked(SERIAL, decode(str(Topic(SERIAL, "up/enrol")), body))
    (told,) = door.wire.take("dn/enrol")
    assert (told.data.state, told.data.reason) == ("rejected", "the signing request cannot be read")
    assert door.count(Enrolment) + door.count(Bootstrap) == 0


def test_a_serial_number_that_is_a_units_name_is_never_heard(door: Door) -> None:
    assert "unit's name" in door.ask(csr(), "unit-1").reason
    assert door.count(Bootstrap) == 0


def test_what_a_decision_leaves_for_the_worker_is_kept_with_it(door: Door) -> None:
    door.ask(csr())
    door.enrolments.approve(door.line().id, "unit-7", None, IT)
    with door.database.read() as db:
        rows = db.execute(select(OutboxRow.unit_id, OutboxRow.what)).all()
    assert (SERIAL, "enrolment") in [tuple(row) for row in rows]


def test_what_was_granted_and_not_proven_is_not_given_out_after_a_block(door: Door) -> None:
    pem = csr()
    assert door.let_in(pem, "unit-7").state == "approved"
    door.enrolments.block(SERIAL, IT)
    (told,) = door.work()
    assert told is not None
    assert (told.state, told.certificate) == ("rejected", None)
    door.enrolments.arm(SERIAL, IT)
    assert [reply.state for reply in door.work() if reply] == ["rejected"]
    door.clock.pass_by(minutes=11)
    assert door.ask(pem).state == "waiting"  # until IT decides anew


def test_names_are_proposed_in_a_few_queries_however_many_wait(door: Door) -> None:
    with door.database.write() as db:
        db.get_one(Unit, "unit-2").serial = "hs-old"
    for serial in ("hs-old", "hs-1", "hs-x", "hs-y"):
        door.ask(csr(), serial)
    asked: list[str] = []
    event.listen(door.database._engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    proposed = {line.serial: line.proposed_unit for line in door.enrolments.lines()}
    assert proposed == {"hs-old": "unit-2", "hs-1": "unit-1-2", "hs-x": "unit-x", "hs-y": "unit-y"}
    assert (
        len([each for each in asked if each.startswith("SELECT")]) == 6
    )  # two of them for the name that is taken
