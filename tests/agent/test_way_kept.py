"""A unit whose data partition is gone still finds its region: over its network, at the broker it was sent to."""

from __future__ import annotations

import errno

import pytest

from agent.config_kept import kept_ledger, save
from agent.configuring import Ledger
from agent.contract.unit_config import BrokerAddress, Config, WiredNetwork
from agent.identity_disk import Disk
from agent.store_of_unit import open_store
from agent.way_kept import FILE, WayKept

WAY = Config(network=WiredNetwork(vlan=40), broker=BrokerAddress(host="new.example"), region_ca="PEM")
VALUES = WAY.model_copy(update={"phone": "010-4"})


def test_the_way_is_kept_and_nothing_else(tmp_path):
    WayKept(tmp_path, "unit-1").keep(VALUES)
    assert WayKept(tmp_path, "unit-1").kept() == WAY
    assert "010-4" not in (tmp_path / FILE).read_text()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_it_is_written_only_when_it_is_another(tmp_path):
    kept = WayKept(tmp_path, "unit-1")
    kept.keep(Config(phone="1"))
    assert list(tmp_path.iterdir()) == [], "nothing is set: nothing to keep"
    kept.keep(VALUES)
    first = (tmp_path / FILE).stat().st_ino
    kept.keep(VALUES.model_copy(update={"phone": "2"}))
    assert (tmp_path / FILE).stat().st_ino == first
    kept.keep(Config())
    assert WayKept(tmp_path, "unit-1").kept() == Config(), "what was given back is not taken up again"


def test_under_another_name_the_broker_is_not_taken(tmp_path):
    WayKept(tmp_path, "unit-1").keep(VALUES)
    assert WayKept(tmp_path, "unit-2").kept() == WAY.model_copy(update={"broker": None})


@pytest.mark.parametrize(
    "found", [b"", b"{", b"[]", b'{"way": 7}', b'{"way": {"network": {"vlan": -1}}}', b"\xff"]
)
def test_what_cannot_be_read_is_said_and_is_no_way(tmp_path, found, caplog):
    (tmp_path / FILE).write_bytes(found)
    assert WayKept(tmp_path, "unit-1").kept() == Config()
    assert "not readable" in caplog.text


def test_a_disk_that_takes_nothing_leaves_what_was_kept(tmp_path, caplog):
    WayKept(tmp_path, "unit-1").keep(VALUES)

    class Full(Disk):
        def write(self, file, content, *, private):
            raise OSError(errno.ENOSPC, "no space")

    WayKept(tmp_path, "unit-1", Full()).keep(Config(region_ca="OTHER"))
    assert "not kept" in caplog.text
    assert WayKept(tmp_path, "unit-1").kept() == WAY


def test_without_a_folder_nothing_is_kept(tmp_path):
    kept = WayKept(None, "unit-1")
    kept.keep(VALUES)
    assert kept.kept() == Config()


def test_a_new_store_begins_with_it_and_one_that_is_there_does_not(tmp_path):
    kept = WayKept(tmp_path, "unit-1")
    kept.keep(VALUES)
    new = kept_ledger(open_store(tmp_path / "unit.db", "unit-1", kept))
    assert (new.values, new.state, new.rev) == (WAY, None, -1), (
        "the region's revisions count from the beginning"
    )
    store = open_store(tmp_path / "other.db", "unit-1")
    save(store, Ledger(values=Config(phone="1"), epoch=1, rev=1, wanted=(1, 1), state="applied"))
    store.close()
    assert kept_ledger(open_store(tmp_path / "other.db", "unit-1", kept)).values == Config(phone="1")
