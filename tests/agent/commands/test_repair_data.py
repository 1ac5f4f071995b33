"""`repair-data` is asked of root, told before the machine starts anew, and refused where nothing is wrong."""

from __future__ import annotations

import asyncio

import pytest

from agent.commands.kinds import kinds
from agent.commands.life import Entry, State
from agent.commands.repair_data import repair_deed
from agent.contract.status import Storage
from agent.helper import HelperFailed
from tests.agent.conftest import NOW


class Root:
    """The helper: what it was asked, and what it answers or cannot do."""

    def __init__(self, how="", fault=""):
        self.how, self.fault, self.asked = how, fault, []

    async def ask(self, name, **_values):
        self.asked.append(name)
        if self.fault:
            raise HelperFailed(self.fault)
        return {"ok": True, "how": self.how}


def done(root, state):
    """How the command ended, and what was asked of root until a moment after it was told."""

    async def follow():
        deed = repair_deed(root, lambda: Storage(state=state) if state else None)
        deed.begin()
        while (ended := deed.tick()) is None:
            await asyncio.sleep(0)
        told_with = list(root.asked)
        await asyncio.sleep(0.03)
        return ended, told_with

    return asyncio.run(follow())


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr("agent.commands.repair_data.TOLD_WITHIN_S", 0.01)


@pytest.mark.parametrize("how", ["made_anew", "restart", "at_restart"])
def test_it_is_told_first_and_then_the_machine_starts_anew(how):
    root = Root(how)
    ended, told_with = done(root, "garbage")
    assert (ended.state, ended.result) == (State.SUCCEEDED, {"how": how, "was": "garbage"})
    assert told_with == ["repair-data"]
    assert root.asked == ["repair-data", "reboot"]


def test_a_cleaned_disk_takes_no_new_start():
    root = Root("cleaned")
    assert done(root, "full")[0].state == State.SUCCEEDED
    assert root.asked == ["repair-data"]


@pytest.mark.parametrize("state", ["ok", "repaired", None])
def test_what_is_well_is_left_alone(state):
    root = Root("made_anew")
    ended, _ = done(root, state)
    assert ended.state == State.FAILED
    assert root.asked == []


def test_what_root_cannot_do_is_said():
    ended, _ = done(Root(fault="replace the disk or card"), "read_only")
    assert (ended.state, ended.reason) == (State.FAILED, "replace the disk or card")


def test_a_unit_that_does_not_see_its_disk_does_not_say_that_it_is_wiped(house, tmp_path):
    known = kinds(house.unit, "unit-7", tmp_path, lambda: None, {}, sees_its_disk=lambda: False)
    ended = known["wipe"].make(Entry("cmd-1", "wipe", NOW, NOW)).begin()
    assert ended.state == State.FAILED
    assert "repair-data first" in ended.reason
    assert not (tmp_path / "wipe.json").exists()
