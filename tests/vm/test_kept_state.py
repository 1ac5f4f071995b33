"""The inspection of a disk after a cut, on stores that the agent's own code has written."""

from __future__ import annotations

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from agent.commands.journal import CommandJournal
from agent.commands.life import Entry
from agent.contract.unit_config import BrokerAddress
from agent.identity_store import IdentityStore
from agent.outbox import Outbox
from agent.store import Store
from provisioning.local_identity import prepare_unit
from provisioning.pki import Authority
from tests.vm.disk_image import Partition, make_ext4, write_partition
from tests.vm.kept_state import Heard, Kept, copy_out, identity_in, look, replay, take_folder
from tests.vm.machine import Machine

pytestmark = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("qemu-img", "debugfs", "e2fsck")),
    reason="needs qemu-utils and e2fsprogs",
)
NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("identities")
    authority = Authority(folder / "pki")
    address = BrokerAddress(host="10.71.0.1", port=8883)
    prepare_unit(folder / "identity", "unit-1", authority, address, timedelta(days=1))
    return folder / "identity"


@pytest.fixture
def database(tmp_path: Path, identities: Path) -> Path:
    """Three events, a command, two starts."""
    held = IdentityStore(identities).current()
    assert held is not None
    store = Store(tmp_path / "unit.db")
    outbox = Outbox(store, held.identity.sign, NOW)
    for _ in range(3):
        outbox.add("unit_started", NOW)
    CommandJournal(store).put(Entry("c-1", "locate", NOW, NOW + timedelta(hours=1)))
    store.put("boot", b"2")
    store.close()
    return tmp_path / "unit.db"


def key_of(identities: Path) -> object:
    certificate = (identities / "current" / "certificate.pem").read_bytes()
    return x509.load_pem_x509_certificate(certificate).public_key()


EPOCH = int(NOW.timestamp())


def test_a_whole_store_has_nothing_wrong(database: Path, identities: Path) -> None:
    key, wrong = identity_in(identities)
    assert key is not None and wrong == ""
    heard = Heard((EPOCH, 2), (-1, -1), frozenset({"c-1"}))
    assert look(database, key, heard) == (Kept((EPOCH, 3), 3, (-1, -1), 1, 2), [])


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        (Heard(event=(EPOCH, 4)), "the unit's chain ends at"),
        (Heard(schedule=(1, 7)), "has said to hold schedule (1, 7), and holds (-1, -1)"),
        (Heard(commands=frozenset({"c-1", "c-2"})), "1 commands that the unit has acknowledged"),
    ],
)
def test_what_was_told_and_is_not_there_is_lost(
    database: Path, identities: Path, heard: Heard, meant: str
) -> None:
    key, _ = identity_in(identities)
    assert key is not None
    _, [fault] = look(database, key, heard)
    assert meant in fault


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ("DELETE FROM outbox WHERE seq = 2", "does not follow the one before it"),
        ("DELETE FROM outbox WHERE seq = 3", "is not its last event"),
        (
            "UPDATE outbox SET value = replace(value, 'unit_started', 'link_restored')",
            "its hash is another's",
        ),
        ("UPDATE kept SET value = 'x' WHERE key = 'head'", "something kept cannot be read"),
    ],
)
def test_a_changed_store_shows(database: Path, identities: Path, change: str, meant: str) -> None:
    key, _ = identity_in(identities)
    assert key is not None
    with sqlite3.connect(database) as db:
        assert db.execute(change).rowcount
    assert any(meant in fault for fault in look(database, key, Heard())[1])


def test_a_store_that_is_none_shows_if_the_region_has_heard_of_it(tmp_path: Path, identities: Path) -> None:
    key, _ = identity_in(identities)
    assert key is not None
    assert look(tmp_path / "unit.db", key, Heard()) == (None, [])
    assert look(tmp_path / "unit.db", key, Heard((1, 1)))[1]
    (tmp_path / "unit.db").write_bytes(b"garbage" * 1000)
    assert look(tmp_path / "unit.db", key, Heard())[1]


def test_another_units_signature_shows(database: Path, tmp_path: Path) -> None:
    address = BrokerAddress(host="10.71.0.1", port=8883)
    prepare_unit(tmp_path / "other", "unit-2", Authority(tmp_path / "pki"), address, timedelta(days=1))
    key, _ = identity_in(tmp_path / "other")
    assert key is not None
    assert "its signature is not the unit's" in look(database, key, Heard())[1][0]


def test_an_identity_that_is_gone_shows(tmp_path: Path) -> None:
    assert identity_in(tmp_path) == (None, "the identity is gone")


def test_a_partition_is_read_from_outside(tmp_path: Path) -> None:
    place = Partition("data", 1 << 20, 2 << 20)
    image, content = tmp_path / "image", tmp_path / "content"
    with image.open("wb") as opened:
        opened.truncate(4 << 20)
    (content / "agent").mkdir(parents=True)
    (content / "agent" / "unit.db").write_text("kept")
    disk = Machine(image, tmp_path / "vm").disk
    write_partition(disk, place, make_ext4(tmp_path / "data.ext4", place.size_bytes, "data", content))
    file = copy_out(disk, place, tmp_path / "copy.ext4")
    assert replay(file) == ""
    assert (take_folder(file, tmp_path / "out") / "agent" / "unit.db").read_text() == "kept"
    file.write_bytes(bytes(2 << 20))
    assert "e2fsck" in replay(file)
