"""The way in with a real disk and a broker in memory: what is said, kept, left alone, and resumed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.contract import Topic, decode, encode
from agent.contract.enrolment import EnrolReply
from agent.contract.events import Ack
from agent.contract.unit_config import BrokerAddress
from agent.enrolling import Applicant, Enroller
from agent.enrolment import State
from agent.identity_store import IdentityStore
from agent.region_clock import RegionClock
from tests.agent.certificates import TestAuthority, key_of

AUTHORITY = TestAuthority()
CA = AUTHORITY.pem.decode()
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
BROKER = BrokerAddress(host="mqtt.example", port=8883)
SERIAL = "hr-0001"


class FakeLink:
    def __init__(self, settings, on_message, on_connection, will) -> None:
        self.settings, self.on_message, self.on_connection, self.will = (
            settings,
            on_message,
            on_connection,
            will,
        )
        self.up, self.problem, self.started, self.stopped = False, "", False, False
        self.said: list[tuple[str, object]] = []

    def start(self) -> None:
        self.started = True

    def stop(self) -> None:
        self.stopped, self.up = True, False

    def publish(self, topic: Topic, payload: bytes) -> bool:
        self.said.append((topic.channel, decode(str(topic), payload).data))
        return True

    def connect(self) -> FakeLink:
        self.up = True
        self.on_connection(True)
        return self

    def hear(self, topic: Topic, body, at: datetime = NOW) -> None:
        self.on_message(str(topic), encode(body, now=at))

    def channels(self) -> list[str]:
        return [channel for channel, _ in self.said]


class Bench:
    """An enroller and what it stands on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.links: list[FakeLink] = []
        self.monotonic_s = 0.0
        self.store = IdentityStore(folder)
        self.begin()

    def begin(self) -> None:
        self.changes: list[State] = []
        self.enroller = Enroller(
            IdentityStore(self.folder),
            RegionClock(NOW, wall_s=lambda: 0.0, monotonic_s=lambda: self.monotonic_s),
            Applicant("1.0", "sim", 7, "expired", "unit-0"),
            self.make_link,
            on_change=lambda: self.changes.append(self.enroller.enrolment.state),
            monotonic_s=lambda: self.monotonic_s,
        )

    def make_link(self, settings, *, on_message, on_connection, will) -> FakeLink:
        self.links.append(FakeLink(settings, on_message, on_connection, will))
        return self.links[-1]

    async def settle(self) -> FakeLink:
        for _ in range(200):
            await asyncio.sleep(0.002)
            if self.links and self.links[-1].started and all(link.stopped for link in self.links[:-1]):
                return self.links[-1]
        raise AssertionError("no link was started")

    @property
    def state(self) -> State:
        return self.enroller.enrolment.state

    def answer(self, state: str, **fields) -> EnrolReply:
        fields.setdefault("request", self.enroller.request.sha256)
        return EnrolReply(state=state, **fields)

    def approval(self, name: str = "unit-7", **fields) -> EnrolReply:
        csr = x509.load_pem_x509_csr(self.enroller.request.pem.encode())
        fields.setdefault("certificate", AUTHORITY.certificate(name, csr.public_key()).decode())
        return self.answer("approved", unit="unit-7", ca=CA, broker=BROKER, **fields)


@pytest.fixture
def bench(tmp_path) -> Bench:
    AUTHORITY.files(tmp_path / "bootstrap", SERIAL)
    inside = tmp_path / "bootstrap"
    (inside / f"{SERIAL}.pem").rename(inside / "certificate.pem")
    (inside / f"{SERIAL}.key").rename(inside / "key.pem")
    (inside / "address.toml").write_text('host = "mqtt.example"\nport = 8884\n')
    return Bench(tmp_path)


DOOR = Topic(SERIAL, "dn/enrol")


def test_from_the_door_to_a_proven_identity(bench):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        assert (door.settings.port, door.settings.client_id) == (8884, SERIAL)
        channel, request = door.said[0]
        assert (channel, request.csr, request.why, request.was) == (
            "up/enrol",
            bench.enroller.request.pem,
            "expired",
            "unit-0",
        )
        door.hear(DOOR, bench.answer("waiting"))
        door.hear(DOOR, bench.approval())
        inside = await bench.settle()
        assert (door.stopped, inside.settings.port, inside.settings.client_id) == (True, 8883, "unit-7")
        inside.connect()
        assert inside.channels() == ["up/status", "up/info"]
        assert inside.said[1][1].certificate_sha256 == bench.store.new().identity.certificate_sha256
        assert bench.store.current() is None  # not before the region has answered
        inside.hear(Topic("unit-7", "dn/ack"), Ack(epoch=1, seq=0))
        assert (bench.state, bench.store.current().identity.unit) == (State.PROVEN, "unit-7")
        await bench.enroller.stop()
        assert inside.stopped

    asyncio.run(walk())


@pytest.mark.parametrize(
    "spoilt",
    [
        {"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"},
        {"certificate": AUTHORITY.certificate("unit-7", key_of("thief").public_key()).decode()},
        {"certificate": "A" * 16_000},
        {"certificate": None},
    ],
)
def test_an_approval_that_is_not_for_us_is_said_on_the_screen_and_changes_nothing(bench, spoilt):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        door.hear(DOOR, bench.approval(**spoilt))
        assert (bench.state, bench.store.new(), len(bench.links)) == (State.UNUSABLE, None, 1)
        assert bench.enroller.enrolment.reason
        door.hear(DOOR, bench.approval("unit-8"))  # signed for another than it says
        assert bench.state == State.UNUSABLE
        door.hear(DOOR, bench.approval())
        assert bench.state == State.PROVING

    asyncio.run(walk())


def test_what_is_not_for_this_request_or_was_said_before_is_left_alone(bench):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        door.hear(DOOR, bench.answer("waiting"))
        door.hear(DOOR, bench.answer("rejected", request="0" * 64))
        door.hear(DOOR, bench.answer("rejected"), at=NOW - timedelta(minutes=1))
        door.hear(Topic("hr-0002", "dn/enrol"), bench.answer("rejected"))
        door.on_message("hr/v1/b/hr-0001/dn/enrol", b"{]")
        door.on_message("hr/v1/b/hr-0001/dn/enrol", b"")
        door.on_message("$SYS/x", b"1")
        assert bench.state == State.WAITING

    asyncio.run(walk())


def test_why_there_is_no_connection_is_shown(bench):
    async def walk() -> None:
        bench.enroller.start()
        link = await bench.settle()
        for problem in ("unreached", "untrusted", "refused"):
            link.problem = problem
            bench.enroller.tick()
            assert (bench.state, bench.enroller.enrolment.problem) == (State.CONNECTING, problem)

    asyncio.run(walk())


def test_after_a_rejection_it_asks_with_another_key_and_old_answers_are_left_alone(bench):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        turned_away = bench.answer("rejected", reason="this key was used before")
        door.hear(DOOR, turned_away)
        bench.enroller.ask_again()
        assert bench.enroller.request.sha256 != turned_away.request
        assert door.said[-1][1].csr == bench.enroller.request.pem
        door.hear(DOOR, turned_away)
        assert bench.state == State.ASKING

    asyncio.run(walk())


@pytest.mark.parametrize("cut_after", ["asked", "stored", "proven"])
def test_a_restart_at_any_step_goes_on_with_the_same_key(bench, cut_after):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        before = bench.enroller.request
        if cut_after != "asked":
            door.hear(DOOR, bench.approval())
            inside = await bench.settle()
            if cut_after == "proven":
                inside.connect()  # the region has seen us, and the power goes before its answer
        bench.links.clear()
        bench.begin()
        assert bench.enroller.request == before
        bench.enroller.start()
        link = await bench.settle()
        assert link.settings.client_id == (SERIAL if cut_after == "asked" else "unit-7")
        if cut_after == "asked":
            link.connect().hear(DOOR, bench.approval())
            link = await bench.settle()
        link.connect().hear(Topic("unit-7", "dn/ack"), Ack(epoch=1, seq=0))
        assert IdentityStore(bench.folder).current().identity.unit == "unit-7"

    asyncio.run(walk())


def test_an_ack_for_another_name_proves_nothing_and_a_late_word_of_an_old_link_is_not_heard(bench):
    async def walk() -> None:
        bench.enroller.start()
        door = (await bench.settle()).connect()
        door.hear(DOOR, bench.approval())
        inside = (await bench.settle()).connect()
        inside.hear(Topic("unit-8", "dn/ack"), Ack(epoch=1, seq=0))
        door.hear(DOOR, bench.answer("rejected"))
        door.on_connection(False)
        assert bench.state == State.PROVING
        bench.monotonic_s = 60.0
        bench.enroller.tick()
        assert bench.state == State.CONNECTING
        assert (await bench.settle()).settings.client_id == SERIAL

    asyncio.run(walk())
