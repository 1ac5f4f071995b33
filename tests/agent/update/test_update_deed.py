"""A whole update on a unit whose root part, slots and server are played, through every restart."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from agent import room as rooms
from agent.commands.life import Entry, Progress, State
from agent.helper import HelperFailed
from agent.session_events import CheckedIn
from agent.update import deed as deeds
from agent.update.deed import KEY, PROVE_WITHIN_S, QUIET_BEFORE, Parts, UpdateDeed
from agent.update.download import DownloadError, Trust
from agent.update.proof import Proof
from agent.update.told import Installation
from firmware.update.slots import Slots
from tests.agent.conftest import NOW, SID, plan

ARGUMENTS = {
    "url": "https://region.example/b",
    "sha256": "0f" * 32,
    "size": "5000",
    "version": "0.5.1",
    "compatible": "halsorum-vm",
}


class Restarted(Exception):
    """The machine is gone."""


class Machine:
    """One machine with two slots; root's part answers at once."""

    def __init__(self, house, tmp_path, monkeypatch):
        self.house, self.folder = house, tmp_path / "update"
        self.slots_now = Slots("A", "A", "halsorum-vm", "0.5.0")
        self.job, self.asked, self.told, self.seconds = None, [], [], 0
        self.refuses, self.fetches, self.install_state = {}, 0, "done"
        self.screen, self.answers = True, True
        monkeypatch.setattr(deeds, "fetch", self.fetch)
        self.agent()

    def agent(self):
        """A start of the agent."""
        self.proof = Proof(self.house.unit, lambda: self.screen)
        self.parts = Parts(
            unit=self.house.unit,
            store=self.house.store,
            folder=self.folder,
            ask=self.ask,
            told=self,
            proof=self.proof,
            trust=Trust,
            second=self.second,
        )

    def slots(self):
        return self.slots_now

    def installation(self):
        return Installation(self.job, self.install_state, 100, "no space") if self.job else None

    def fetch(self, *_given):
        self.fetches += 1
        if isinstance(self.refuses.get("fetch"), str):
            raise DownloadError(self.refuses["fetch"])

    async def ask(self, name, **values):
        self.asked.append(name)
        if name in self.refuses:
            raise HelperFailed(self.refuses[name])
        if name == "install":
            self.job = values["job"]
        if name in {"restart", "back"}:
            raise Restarted
        if name == "good":
            self.slots_now = replace(self.slots_now, proven=self.slots_now.booted)

    async def second(self):
        self.seconds += 1
        if self.seconds > 3000:
            raise AssertionError(f"it waits for ever: {self.told[-3:]}")
        self.house.time.passes(1)
        await asyncio.sleep(0)

    def boots(self, slot, **more):
        self.slots_now = replace(self.slots_now, booted=slot, tried=False, **more)
        self.job = None
        self.house.start()
        self.agent()

    def run(self, command="c1", until=lambda: False, **arguments):
        """Do it until its end, a restart, or `until`; its end, if it had one."""
        entry = Entry(command, "update", NOW, NOW + timedelta(days=1), arguments=ARGUMENTS | arguments)

        async def play():
            deed = UpdateDeed(self.parts, entry)
            deed.begin()
            while not until():
                await self.second()
                said = deed.tick()
                if isinstance(said, Progress):
                    self.told.append(said.reason)
                elif said is not None:
                    return said
            deed.stop()
            return None

        try:
            return asyncio.run(play())
        finally:
            self.gone = self.asked[-1:] in (["restart"], ["back"])


@pytest.fixture
def machine(house, tmp_path, monkeypatch):
    house.connect()
    house.tested()
    return Machine(house, tmp_path, monkeypatch)


def restarts(machine, **more):
    """Up to the restart into the new system, which kills everything."""
    machine.run(until=lambda: machine.asked[-1:] == ["restart"], **more)
    machine.boots("B")
    machine.slots_now = replace(machine.slots_now, version="0.5.1")


def proves(machine):
    machine.house.tested()
    machine.proof.heard()


def test_a_good_update_is_kept_once_it_has_proven_itself(machine):
    restarts(machine)
    assert machine.asked == ["install", "restart"]
    proves(machine)
    ended = machine.run()
    assert (ended.state, machine.asked[-1]) == (State.SUCCEEDED, "good")
    assert ended.result == {"version": "0.5.1", "slot": "B", "version_before": "0.5.0"}
    assert machine.fetches == 1


def test_a_kill_after_the_mark_says_the_same_again_and_does_nothing_twice(machine):
    restarts(machine)
    proves(machine)
    machine.run()
    machine.agent()
    asked = list(machine.asked)
    assert machine.run().state == State.SUCCEEDED
    assert machine.asked == asked


@pytest.mark.parametrize("lacks", ["region", "screen", "test", "new fault"])
def test_a_system_that_does_not_prove_itself_goes_back_and_the_old_one_tells_why(machine, lacks):
    restarts(machine)
    if lacks != "region":
        machine.proof.heard()
    machine.screen = lacks != "screen"
    if lacks != "test":
        machine.house.unit.tick()
        machine.house.unit.room_event(rooms.TestDone(("camera",) if lacks == "new fault" else ()))
    machine.run(until=lambda: "back" in machine.asked)
    assert machine.seconds >= PROVE_WITHIN_S
    assert "good" not in machine.asked
    machine.boots("A")
    machine.slots_now = replace(machine.slots_now, version="0.5.0", tried=True)
    ended = machine.run()
    why = {
        "region": "the region has not answered",
        "screen": "dark",
        "test": "not ended",
        "new fault": "camera",
    }
    assert ended.state == State.FAILED
    assert "the old one is back" in ended.reason
    assert why[lacks] in ended.reason
    assert machine.asked[-1] == "clean"


def test_a_fault_that_was_there_before_does_not_hold_it_up(machine):
    machine.house.unit.room_event(rooms.FaultFound("microphone"))
    restarts(machine)
    machine.house.unit.tick()
    machine.house.unit.room_event(rooms.TestDone(("microphone",)))
    machine.proof.heard()
    assert machine.run().state == State.SUCCEEDED


def test_nothing_happens_in_a_session_nor_shortly_before_one(machine):
    house = machine.house
    house.schedule(plan(start_min=QUIET_BEFORE.seconds // 60 - 5))
    machine.run(until=lambda: any("a session begins" in told for told in machine.told))
    assert machine.asked == []
    house.unit.session_event(SID, CheckedIn("code"))
    machine.agent()
    machine.run(until=lambda: any("someone is in the room" in told for told in machine.told))
    assert machine.asked == []
    assert any(told.startswith("waits to install") for told in machine.told)


@pytest.mark.parametrize(
    ("refuses", "why"),
    [
        ({"fetch": "no space: it needs 500 MiB"}, "no space"),
        ({"install": "the bundle was refused: its signature is not one"}, "signature"),
    ],
)
def test_what_goes_wrong_before_the_restart_fails_with_its_reason_and_the_room_goes_on(machine, refuses, why):
    machine.refuses = refuses
    ended = machine.run()
    assert ended.state == State.FAILED
    assert why in ended.reason
    assert "restart" not in machine.asked
    assert machine.run().reason == ended.reason  # and once more after a kill before that was written down


def test_an_installation_that_fails_says_why(machine):
    machine.install_state = "failed"
    assert machine.run().reason == "it was not installed: no space"


def test_power_lost_in_an_installation_lets_it_begin_anew(machine):
    machine.install_state = "running"
    machine.run(until=lambda: machine.job is not None)
    first = machine.job
    machine.install_state = "done"
    machine.boots("A")
    machine.run(until=lambda: "restart" in machine.asked)
    assert machine.asked == ["install", "install", "restart"]
    assert machine.job != first


def test_an_agent_that_begins_anew_does_not_install_again_what_root_is_installing(machine):
    machine.install_state = "running"
    machine.run(until=lambda: machine.job is not None)
    machine.agent()
    machine.install_state = "done"
    machine.run(until=lambda: "restart" in machine.asked)
    assert machine.asked == ["install", "restart"]


def test_a_second_one_at_the_same_time_is_refused_and_the_first_goes_on(machine):
    machine.parts.running = "c1"
    assert "another update" in machine.run("c2").reason
    assert machine.parts.running == "c1"
    machine.parts.running = ""
    machine.run("c3", until=lambda: "restart" in machine.asked)
    assert b"c3" in machine.house.store.get(KEY)


def test_a_machine_whose_slots_nobody_tells_refuses(machine):
    machine.slots_now = None
    assert "which slot runs" in machine.run().reason


def test_a_mark_that_cannot_be_made_is_tried_again_until_the_deadline(machine):
    restarts(machine)
    proves(machine)
    machine.refuses = {"good": "rauc.service does not answer"}
    machine.run(until=lambda: machine.asked.count("good") == 3)
    machine.refuses = {}
    machine.agent()
    machine.proof.heard()
    assert machine.run().state == State.SUCCEEDED
