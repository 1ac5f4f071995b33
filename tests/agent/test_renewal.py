"""Renewal: asked for in time, in force only after its proof, and the old one stands whatever goes wrong."""

from __future__ import annotations

import asyncio
import errno
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.contract import Message, Topic
from agent.contract.enrolment import CertificateReply
from agent.identity_store import IdentityStore
from agent.link import LinkSettings
from agent.renewal import PAUSE_FIRST, Renewal, RenewalError, pause_after, renew_at
from tests.agent.certificates import DAY, TODAY, TestAuthority
from tests.agent.test_identity_store import enrol, keys_in, lay_bootstrap

AUTHORITY = TestAuthority()
NOW = TODAY
ASKING = {"operational": "renewal", "bootstrap": "bootstrap"}


class Broker:
    """Wire, line and region in one: what the unit says is answered as the test has it."""

    def __init__(self, folder: Path) -> None:
        self.store = IdentityStore(folder)
        lay_bootstrap(folder)
        enrol(self.store)
        held = self.store.current()
        self.identity = held.identity
        files = held.ca_file, held.certificate_file, held.key_file
        self.settings = LinkSettings("mqtt.example", 8883, "unit-1", *files, ("x",))
        self.first = self.settings
        self.used: list[LinkSettings] = []
        self.up, self.is_busy, self.now, self.monotonic_s = True, "", NOW, 0.0
        self.answer = self.issue
        self.acknowledges = True
        self.late_ack = False
        self.asked = []
        self.infos = 0
        self.renewal = Renewal(
            self.store,
            self.identity,
            self,
            self,
            busy=lambda: self.is_busy,
            now=lambda: self.now,
            monotonic_s=lambda: self.monotonic_s,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        self.monotonic_s += seconds
        await asyncio.sleep(0)

    def on(self, _channel, heard) -> None:
        self.heard = heard

    def on_connection(self, told) -> None:
        self.connection = told

    def after_ack(self, told) -> None:
        self.ack = told

    def info_changed(self) -> None:
        self.infos += 1

    def send(self, topic, request) -> bool:
        assert str(topic) == "hr/v1/u/unit-1/up/renewal"
        self.asked.append(request)
        reply = self.answer(request)
        if reply is not None:
            self.heard(Message(Topic("unit-1", "dn/renewal"), "1", NOW, None, None, reply), b"")
        return True

    def issue(
        self, request, name="unit-1", authority=AUTHORITY, digest=None, until=NOW + 700 * DAY, **fields
    ) -> CertificateReply:
        csr = x509.load_pem_x509_csr(request.csr.encode())
        name = "hr-0001" if request.purpose == "bootstrap" else name
        return CertificateReply(
            state="issued",
            request=digest or self.store.request(ASKING[request.purpose]).sha256,
            purpose=request.purpose,
            certificate=authority.certificate(name, csr.public_key(), until=until).decode(),
            **{"ca": AUTHORITY.pem.decode(), **fields},
        )

    def use(self, settings: LinkSettings, *, anew: bool = False) -> None:
        self.used.append(settings)
        self.settings = settings
        if self.late_ack:
            self.ack()  # of the connection that is just being left
        self.connection(False)
        self.connection(True)
        if self.acknowledges:
            self.ack()

    def renew(self) -> dict[str, str]:
        return asyncio.run(self.renewal.renew())

    def is_as_before(self) -> bool:
        current = self.store.current()
        same = current.identity.certificate_sha256 == self.identity.certificate_sha256
        return same and self.store.new() is None and self.settings == self.first


@pytest.fixture
def broker(tmp_path) -> Broker:
    return Broker(tmp_path / "identity")


def test_a_new_certificate_is_in_force_after_its_proof_and_the_old_key_is_gone(broker):
    before = broker.identity.certificate_sha256
    result = broker.renew()
    assert broker.used[0].certificate_file.parent.name == "new"
    assert broker.identity.certificate_sha256 == result["certificate_sha256"] != before
    assert broker.store.current().identity.certificate_sha256 == result["certificate_sha256"]
    assert (broker.store.new(), broker.settings, broker.infos) == (None, broker.first, 1)
    assert keys_in(broker.store.folder) == 2  # its own and the bootstrap's
    public = x509.load_pem_x509_certificate(broker.store.current().certificate_file.read_bytes()).public_key()
    assert public == broker.identity._key.public_key()


@pytest.mark.parametrize("late_ack", [False, True])
def test_one_that_does_not_prove_itself_gives_way_to_the_old_and_to_another_key(broker, late_ack):
    broker.acknowledges, broker.late_ack = False, late_ack
    key = broker.store.request("renewal").key_sha256
    with pytest.raises(RenewalError, match="did not prove itself"):
        broker.renew()
    assert broker.is_as_before()
    assert len(broker.used) == 2
    assert broker.store.request("renewal").key_sha256 != key
    broker.acknowledges = True
    assert broker.renew()


def test_an_answer_over_a_link_that_was_moved_meanwhile_proves_nothing(broker):
    broker.acknowledges = False

    async def a_configuration_comes(seconds: float) -> None:
        broker.monotonic_s += seconds
        if broker.used and broker.acknowledges is False:
            broker.acknowledges = True
            broker.use(broker.first)
        await asyncio.sleep(0)

    broker.renewal._sleep = a_configuration_comes
    with pytest.raises(RenewalError, match="did not prove itself"):
        broker.renew()
    assert broker.is_as_before()


def test_a_renewal_whose_time_is_up_gives_the_link_back(broker):
    broker.acknowledges = False

    async def broken_off() -> None:
        task = asyncio.ensure_future(broker.renewal.renew())
        while not broker.used:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(broken_off())
    assert broker.settings == broker.first
    broker.acknowledges = True
    assert broker.renew()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda b: lambda _r: None, "not answered"),
        (lambda b: lambda r: b.issue(r, digest="0" * 64), "not answered"),
        (lambda b: lambda r: b.issue(r, name="unit-2"), "not for unit-1"),
        (lambda b: lambda r: b.issue(r, authority=TestAuthority("another")), "not signed by the authority"),
        (
            lambda b: (
                lambda _r: CertificateReply(
                    state="rejected", request=b.store.request("renewal").sha256, reason="the unit is revoked"
                )
            ),
            "the unit is revoked",
        ),
        (
            lambda b: lambda _r: CertificateReply(state="issued", request=b.store.request("renewal").sha256),
            "holds no certificate",
        ),
    ],
)
def test_an_answer_that_is_none_or_not_ours_changes_nothing(broker, answer, said):
    broker.answer = answer(broker)
    with pytest.raises(RenewalError, match=said):
        broker.renew()
    assert broker.is_as_before()
    assert broker.used == []


def test_the_request_is_said_again_until_it_is_answered_and_is_the_same(broker):
    answers = iter([None, None])
    broker.answer = lambda request: next(answers, None) if len(broker.asked) < 3 else broker.issue(request)
    broker.renew()
    assert len({request.csr for request in broker.asked}) == 1
    assert len(broker.asked) == 3


def test_it_never_connects_anew_while_somebody_is_there(broker):
    broker.is_busy = "someone is in the room"
    with pytest.raises(RenewalError, match="someone is in the room"):
        broker.renew()
    assert (broker.used, broker.store.current().identity.certificate_sha256) == (
        [],
        broker.identity.certificate_sha256,
    )
    broker.is_busy = ""
    first = broker.asked[0].csr
    assert broker.renew()  # what was issued meanwhile is given again
    assert broker.asked[-1].csr == first


def test_a_disk_that_takes_no_promotion_leaves_the_old_in_force(broker, monkeypatch):
    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(broker.store, "promote", full)
    with pytest.raises(RenewalError, match="No space left"):
        broker.renew()
    assert broker.is_as_before()


def test_the_bootstrap_is_replaced_by_one_with_a_new_key(broker):
    before = broker.store.bootstrap().identity.certificate_sha256
    result = asyncio.run(broker.renewal.rotate_bootstrap())
    now = broker.store.bootstrap().identity
    assert (now.unit, now.certificate_sha256) == ("hr-0001", result["bootstrap_sha256"])
    assert now.certificate_sha256 != before
    assert broker.used == []


def _ticked(broker: Broker) -> int:
    async def tick() -> int:
        broker.renewal.tick()
        task = broker.renewal._task
        if task is not None and not task.done():
            await task
        return len(broker.asked)

    return asyncio.run(tick())


def test_by_itself_at_two_thirds_of_its_life_when_the_room_is_free(broker):
    own = broker.identity
    due = renew_at(own.not_before, own.not_after, own.certificate_sha256)
    broker.now = due - timedelta(seconds=1)
    assert _ticked(broker) == 0
    broker.now, broker.is_busy = due, "someone is in the room"
    assert _ticked(broker) == 0
    broker.is_busy, broker.up = "", False
    assert _ticked(broker) == 0
    broker.up, broker.now = True, None
    assert _ticked(broker) == 0  # what time it is, only the region can say
    broker.now = due
    assert _ticked(broker) == 1


def test_after_a_failure_it_waits_and_then_tries_again(broker):
    broker.now, broker.answer = broker.identity.not_after - 60 * DAY, lambda _request: None
    asked = _ticked(broker)
    assert asked > 0
    assert _ticked(broker) == asked
    broker.monotonic_s += PAUSE_FIRST.total_seconds()
    broker.answer = broker.issue
    assert _ticked(broker) == asked + 1
    assert broker.identity.not_after == NOW + 700 * DAY


def test_a_certificate_that_is_old_when_it_is_new_is_not_renewed_all_the_time(broker):
    broker.now = broker.identity.not_after - DAY
    broker.answer = lambda request: broker.issue(request, until=broker.now + timedelta(hours=3))
    assert _ticked(broker) == 1
    assert _ticked(broker) == 1
    broker.monotonic_s += 3600
    assert _ticked(broker) == 2


def test_when_and_how_often():
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC)
    earliest, latest = renew_at(start, end, "00" * 32), renew_at(start, end, "ff" * 32)
    assert timedelta(days=18) < earliest - start < timedelta(days=19)
    assert timedelta(days=21) < latest - start < timedelta(days=22)
    pauses = [pause_after(failures, 100 * DAY) for failures in range(1, 12)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (PAUSE_FIRST, timedelta(hours=12))
    assert pause_after(9, timedelta(hours=2)) == timedelta(minutes=30)
    assert pause_after(9, timedelta(0)) == PAUSE_FIRST
