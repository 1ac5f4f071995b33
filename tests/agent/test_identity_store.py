"""Identities on disk: whatever step the power is cut at, the unit has the old one or the new one."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509

from agent.contract.unit_config import BrokerAddress
from agent.identity_disk import Disk
from agent.identity_store import IdentityError, IdentityStore
from tests.agent.certificates import TODAY, TestAuthority, key_of, key_pem

AUTHORITY = TestAuthority()
CA = AUTHORITY.pem.decode()
BROKER = BrokerAddress(host="mqtt.example", port=443, transport="alpn")


class PowerCut(BaseException):
    """Not an Exception: nothing of ours may catch it."""


class FailingDisk(Disk):
    """Breaks off before its n-th step, in a write after half of it; or is full at it."""

    def __init__(self, at: int | None = None, full: bool = False) -> None:
        self.steps = 0
        self.at = at
        self.full = full

    def _step(self) -> bool:
        self.steps += 1
        return self.steps == self.at

    def write(self, file: Path, content: bytes, *, private: bool) -> None:
        if self._step():
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
            file.write_bytes(content[: len(content) // 2])
            raise PowerCut
        super().write(file, content, private=private)

    def overwrite(self, file: Path) -> None:
        if self._step():
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(file))
            raise PowerCut
        super().overwrite(file)


def _step_of(name: str):
    def step(self, *arguments):
        if self._step():
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(arguments[0]))
            raise PowerCut
        return getattr(Disk, name)(self, *arguments)

    return step


for _name in ("make_folder", "rename", "link", "sync_folder", "unlink", "remove_folder"):
    setattr(FailingDisk, _name, _step_of(_name))


def answer(
    store: IdentityStore, name: str = "unit-1", authority: TestAuthority = AUTHORITY, **validity
) -> str:
    csr = x509.load_pem_x509_csr(store.request().pem.encode())
    return authority.certificate(name, csr.public_key(), **validity).decode()


def enrol(store: IdentityStore, name: str = "unit-1") -> None:
    store.take(name, answer(store, name), CA, BROKER)
    store.promote()


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    """What a power cut takes is played by FailingDisk; the machine's own disk need not turn for it."""
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)


@pytest.fixture
def store(tmp_path) -> IdentityStore:
    return IdentityStore(tmp_path / "identity")


def keys_in(folder: Path) -> int:
    return len([path for path in folder.rglob("key.pem") if not path.parent.is_symlink()])


def test_the_same_request_until_it_is_answered_and_another_afterwards(store):
    first = store.request()
    assert IdentityStore(store.folder).request() == first
    enrol(store)
    assert store.request().key_sha256 != first.key_sha256


def test_new_becomes_current_and_the_old_key_goes(store):
    enrol(store)
    old = store.current()
    assert (old.identity.unit, old.broker, old.ca_file.read_bytes()) == ("unit-1", BROKER, AUTHORITY.pem)
    renewed = store.take("unit-1", answer(store), None, None)
    assert (renewed.broker, renewed.ca_file.read_bytes()) == (BROKER, AUTHORITY.pem)
    assert store.current().identity.certificate_sha256 == old.identity.certificate_sha256
    store.promote()
    assert store.current().identity.certificate_sha256 == renewed.identity.certificate_sha256
    assert (store.new(), keys_in(store.folder)) == (None, 1)


def test_new_that_does_not_prove_itself_is_dropped_and_the_same_request_stands(store):
    enrol(store)
    current, request = store.current().identity.certificate_sha256, store.request()
    store.take("unit-1", answer(store), CA, BROKER)
    store.drop_new()
    assert (store.new(), store.current().identity.certificate_sha256) == (None, current)
    assert store.request() == request
    store.forget_request()
    assert keys_in(store.folder) == 1


def test_private_keys_are_for_their_owner_alone(store):
    enrol(store)
    assert all(path.stat().st_mode & 0o077 == 0 for path in store.folder.rglob("key.pem"))


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        (
            lambda store: AUTHORITY.certificate("unit-1", key_of("else").public_key()).decode(),
            "not for the key",
        ),
        (lambda store: answer(store, "unit-2"), "not for unit-1"),
        (lambda store: answer(store, "../../etc"), "must name one unit"),
        (lambda store: answer(store, authority=TestAuthority("another")), "not signed by the authority"),
        (lambda store: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be used"),
        (lambda store: "\x00" * 16_000, "cannot be used"),
        (lambda store: key_pem(key_of("else")).decode(), "cannot be used"),
    ],
)
def test_an_answer_that_is_not_ours_is_refused_and_changes_nothing(store, certificate, said):
    enrol(store)
    before, _ = store.current().identity.certificate_sha256, store.request()
    with pytest.raises(IdentityError, match=said):
        store.take("unit-1", certificate(store), CA, BROKER)
    assert (store.new(), store.current().identity.certificate_sha256) == (None, before)


def test_what_stands_around_a_certificate_does_not_come_to_disk(store):
    held = store.take("unit-1", "echo hello\n" + answer(store), "# comment\n" + CA, BROKER)
    assert held.certificate_file.read_bytes().startswith(b"-----BEGIN CERT")
    assert held.ca_file.read_bytes() == AUTHORITY.pem


def _renew(store: IdentityStore) -> None:
    store.take("unit-1", answer(store, until=TODAY.replace(year=2040)), CA, BROKER)
    store.promote()


@pytest.fixture
def enrolled(tmp_path) -> Callable[[str], Path]:
    """Copies of one unit that works."""
    enrol(IdentityStore(tmp_path / "first"))
    return lambda name: shutil.copytree(tmp_path / "first", tmp_path / name, symlinks=True)


def _steps_of_a_renewal(folder: Path) -> int:
    disk = FailingDisk()
    _renew(IdentityStore(folder, disk))
    return disk.steps


def test_a_power_cut_at_any_step_leaves_the_old_or_the_new_and_can_be_done_again(enrolled):
    steps = _steps_of_a_renewal(enrolled("counted"))
    outcomes = set()
    for at in range(1, steps + 1):
        folder = enrolled(str(at))
        old = IdentityStore(folder).current().identity.certificate_sha256
        with pytest.raises(PowerCut):
            _renew(IdentityStore(folder, FailingDisk(at)))
        again = IdentityStore(folder)
        again.tidy()
        held = again.current()
        outcomes.add(held.identity.certificate_sha256 == old)
        assert keys_in(folder) <= 3  # current, and at most one that asks and one that is new
        _renew(again)
        assert again.current().identity.not_after.year == 2040
        assert (again.new(), keys_in(folder)) == (None, 1)
    assert outcomes == {True, False}
    assert steps > 15


def test_a_full_disk_at_any_step_leaves_a_working_identity(enrolled):
    steps = _steps_of_a_renewal(enrolled("counted"))
    for at in range(1, steps + 1):
        folder = enrolled(str(at))
        try:
            _renew(IdentityStore(folder, FailingDisk(at, full=True)))
        except OSError as error:
            assert error.errno == errno.ENOSPC
        assert IdentityStore(folder).current() is not None
        again = IdentityStore(folder)
        again.tidy()
        _renew(again)
        assert again.current().identity.not_after.year == 2040


def test_a_disk_that_cannot_be_tidied_does_not_undo_a_promotion(enrolled, monkeypatch):
    store = IdentityStore(enrolled("untidy"))

    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store, "tidy", full)
    _renew(store)
    assert store.current().identity.not_after.year == 2040


def lay_bootstrap(folder: Path, serial: str = "hr-0001") -> None:
    AUTHORITY.files(folder / "bootstrap", serial)
    inside = folder / "bootstrap"
    (inside / f"{serial}.pem").rename(inside / "certificate.pem")
    (inside / f"{serial}.key").rename(inside / "key.pem")
    (inside / "address.toml").write_text('host = "mqtt.example"\nport = 8884\n')


def rotate(store: IdentityStore) -> None:
    csr = x509.load_pem_x509_csr(store.request("bootstrap").pem.encode())
    store.take_bootstrap(AUTHORITY.certificate("hr-0001", csr.public_key()).decode())


def test_a_bootstrap_is_replaced_whole_at_whatever_step_the_power_is_cut(tmp_path):
    lay_bootstrap(tmp_path / "counted")
    disk = FailingDisk()
    rotate(IdentityStore(tmp_path / "counted", disk))
    for at in range(1, disk.steps + 1):
        folder = tmp_path / str(at)
        lay_bootstrap(folder)
        with pytest.raises(PowerCut):
            rotate(IdentityStore(folder, FailingDisk(at)))
        assert IdentityStore(folder).bootstrap().identity.unit == "hr-0001"  # even before it is tidied
        again = IdentityStore(folder)
        again.tidy()
        rotate(again)
        held = again.bootstrap()
        assert (held.identity.unit, held.broker.port, keys_in(folder)) == ("hr-0001", 8884, 1)


def test_a_damaged_identity_is_told_by_its_file_and_never_by_its_content(store):
    enrol(store)
    store.current().key_file.write_text("-----BEGIN secret-----")
    with pytest.raises(IdentityError, match=r"key\.pem") as told:
        store.current()
    assert "secret" not in str(told.value)
    store.take("unit-1", answer(store), CA, BROKER)  # and does not stand in the way of the next
    store.promote()
    assert store.current().identity.unit == "unit-1"


def test_a_wiped_unit_has_no_key_left(store):
    enrol(store)
    lay_bootstrap(store.folder)
    store.request()
    assert store.wipe() == ()
    assert (store.current(), store.bootstrap(), keys_in(store.folder)) == (None, None, 0)
