"""A unit that comes back under another name takes nothing of the old one with it but the way to the region."""

from __future__ import annotations

from agent.config_kept import kept_ledger, save
from agent.configuring import Heard, Ledger, hear
from agent.contract.unit_config import BrokerAddress, Config, WiredNetwork
from agent.store import Store
from agent.store_of_unit import open_store

WIRED = WiredNetwork(vlan=40)
OLD = Config(phone="010-4", network=WIRED, broker=BrokerAddress(host="old.example"), region_ca="PEM")


def lived_as(path, unit):
    store = open_store(path, unit)
    save(store, Ledger(values=OLD, epoch=1, rev=57, wanted=(1, 57), state="applied"))
    store.put("boot", b"3")
    store.put("schedule", b"{}")
    store.put_session("k3v9q2m4", b"{}")
    store.append(1, 1, b"event", b"head")
    store.close()


def test_under_the_same_name_and_after_an_update_all_is_there(tmp_path):
    lived_as(tmp_path / "unit.db", "unit-1")
    again = open_store(tmp_path / "unit.db", "unit-1")
    assert (again.get("schedule"), len(again.sessions()), kept_ledger(again).rev) == (b"{}", 1, 57)
    again.close()
    earlier = Store(tmp_path / "earlier.db")  # of a release that noted no name
    earlier.put("schedule", b"{}")
    earlier.close()
    assert open_store(tmp_path / "earlier.db", "unit-1").get("schedule") == b"{}"


def test_under_another_name_only_the_way_to_the_region_is(tmp_path):
    lived_as(tmp_path / "unit.db", "unit-1")
    store = open_store(tmp_path / "unit.db", "unit-2")
    assert (store.get("boot"), store.get("schedule"), store.sessions(), store.pending(9)) == (
        b"3",
        None,
        [],
        [],
    )
    ledger = kept_ledger(store)
    assert (ledger.values, ledger.state) == (Config(network=WIRED, region_ca="PEM"), None)
    # The region counts the new unit's revisions from the beginning.
    heard = hear(
        ledger, Heard(config=Config(network=WIRED, region_ca="PEM", phone="1"), rev=1), lambda _config: ()
    )
    assert (heard.values.phone, heard.rev, heard.state) == ("1", 1, "applied")
