"""With which identity the agent starts, and where its files are."""

from __future__ import annotations

import pytest

from agent.config import SettingsError, load_settings
from agent.identity import Identity
from agent.identity_store import IdentityStore
from agent.identity_way import WayIn, disk_fault, identity_way, with_identity_files
from tests.agent.test_identity_store import BROKER, _renew, enrol


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "unit.toml").write_text('state_dir = "state"\nidentity_dir = "identity"\n')
    return load_settings(tmp_path / "unit.toml")


def test_a_new_box_has_to_get_in_first(settings):
    way = identity_way(settings)
    assert isinstance(way, WayIn)
    assert (way.why, way.was) == ("new", None)
    assert not with_identity_files(settings).key_file.exists()


def test_the_identity_in_force_is_found_with_its_broker_and_stays_right_when_it_is_renewed(settings):
    store = IdentityStore(settings.identity_dir)
    enrol(store)
    found = with_identity_files(settings)
    assert (found.broker_host, found.broker_port, found.broker_transport) == (
        BROKER.host,
        BROKER.port,
        BROKER.transport,
    )
    before = found.certificate_file.read_bytes()
    _renew(store)
    assert found.certificate_file.read_bytes() != before
    way = identity_way(found)
    assert isinstance(way, Identity)
    assert way.certificate_sha256 == store.current().identity.certificate_sha256


def test_a_damaged_identity_is_asked_for_anew(settings, caplog):
    store = IdentityStore(settings.identity_dir)
    enrol(store)
    store.current().certificate_file.write_text("")
    way = identity_way(settings)
    assert isinstance(way, WayIn)
    assert way.why == "reset"
    assert "certificate.pem" in caplog.text


@pytest.mark.parametrize(
    "lines",
    [
        "",
        'ca_file = "a"\ncertificate_file = "b"\n',
        'identity_dir = "i"\nca_file = "a"\ncertificate_file = "b"\nkey_file = "c"\n',
    ],
)
def test_either_a_folder_of_identities_or_three_files(tmp_path, lines):
    (tmp_path / "unit.toml").write_text('state_dir = "state"\n' + lines)
    with pytest.raises(SettingsError, match="identity_dir"):
        load_settings(tmp_path / "unit.toml")


def test_an_identity_goes_on_only_under_its_own_name(tmp_path):
    stores = IdentityStore(tmp_path / "1"), IdentityStore(tmp_path / "2")
    for number, store in enumerate(stores, 1):
        enrol(store, f"unit-{number}")
    first, second = (store.current().identity for store in stores)
    with pytest.raises(ValueError, match="cannot go on as unit-2"):
        first.become(second)


@pytest.mark.parametrize(
    ("kind", "on_unit", "fault"),
    [("tmpfs", True, "identity_missing"), ("tmpfs", False, ""), ("ext4", True, "")],
)
def test_on_a_unit_no_identity_is_kept_in_memory(tmp_path, kind, on_unit, fault):
    folder, unit, proc = tmp_path / "identity", tmp_path / "run", tmp_path / "proc"
    folder.mkdir()
    (proc / "self").mkdir(parents=True)
    (proc / "self/mountinfo").write_text(
        f"26 1 254:2 / / ro - ext4 /dev/vda2 ro\n30 26 0:40 / {tmp_path} rw - {kind} x rw\n"
    )
    if on_unit:
        unit.mkdir()
    assert disk_fault(folder, unit, proc) == fault
