"""A disk that is not well is said to staff, to the region and in the first fact; patients go on as before."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from agent.contract.status import Storage
from agent.restarting import Restart
from agent.storage import LOOK_EVERY_S, Opened
from agent.storage_joined import join_storage
from agent.store import Store
from tests.agent.conftest import SID


@pytest.fixture
def joined(ready_house, tmp_path):
    """The watch over the house's storage, which a test breaks."""
    house, told = ready_house, []
    running = SimpleNamespace(
        wire=SimpleNamespace(info_changed=lambda: told.append("info")), storage_report=None
    )
    fault = Storage(state="garbage", reason="no file system")
    watch = join_storage(Opened(Store(None), 1, fault), tmp_path, house.unit, running, Restart(lambda: None))
    return SimpleNamespace(house=house, watch=watch, running=running, told=told)


def test_the_region_reads_what_is_wrong_and_staff_whom_to_call(joined):
    status = joined.house.wire._status()
    assert (status.state, [(fault.probe, fault.instruction) for fault in status.faults]) == (
        "degraded",
        [("data_garbage", "disk")],
    )
    assert joined.running.storage_report().reason == "no file system"


def test_a_patient_checks_in_all_the_same(joined):
    unit = joined.house.unit
    assert unit.screen().page == "idle"
    assert [each.sid for each in unit.screen().can_check_in] == [SID]
    assert unit.room.ready


def test_what_is_mended_is_said_no_longer(joined):
    joined.watch._opened = Opened(Store(None), 1)
    joined.house.tick(LOOK_EVERY_S + 1)
    joined.watch.tick()
    assert joined.house.unit.notes == {}
    assert joined.told == ["info"]


def test_the_first_fact_says_how_the_storage_was_found(house):
    house.unit.resume(2, storage="garbage")
    last = house.unit.outbox.pending()[-1]
    assert (last.kind, last.fields) == ("unit_started", {"boot": 2, "storage": "garbage"})
