"""Each command on a whole unit, everything beside it played."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from agent import room as rooms
from agent.commands.busy import why_busy
from agent.commands.clock_source import set_again
from agent.commands.deeds import InTask, Refused
from agent.commands.kinds import kinds
from agent.commands.life import Entry, State
from agent.config_kept import save
from agent.configuring import Ledger
from agent.contract.commands import CommandReport
from agent.contract.unit_config import Config
from agent.helper import Helper
from agent.screen import Figure
from agent.session_events import CheckedIn
from agent.touches_locate import locate_touches
from agent.verdict import found
from agent.wiping import read_mark
from firmware.helper import Helper as RootHelper
from tests.agent.conftest import NOW, SID


@pytest.fixture
def make(house, tmp_path):
    """The deed of a command on the house's unit; `make.restarts` counts what began anew."""

    def deed(name, **arguments):
        entry = Entry("cmd-1", name, NOW, NOW + timedelta(minutes=5), arguments=arguments, boot=4)
        known = kinds(house.unit, "unit-7", tmp_path / "state", lambda: deed.restarts.append(1), {})
        return known[name].make(entry)

    deed.restarts = []
    return deed


def test_a_selftest_that_was_made_has_succeeded_and_says_how_the_room_is(house, make):
    house.tested()
    deed = make("selftest")

    def ended(event):
        deed.begin()
        assert deed.tick() is None
        house.unit.room_event(event)
        return deed.tick()

    well = ended(rooms.TestDone())
    assert (well.state, dict(well.result)) == (State.SUCCEEDED, {"level": "ok"})
    house.unit.verdicts = (found("camera_covered", 1.2, "luma", reason="nothing is to be seen " * 20),)
    house.unit.figures = (Figure("region", True, 24.0, "ms"), Figure("camera", False, 1.2, "luma"))
    covered = ended(rooms.TestDone(("camera_covered", "turn"), ("update",)))
    assert (covered.state, covered.reason) == (State.SUCCEEDED, "")
    told = dict(covered.result)
    assert told.pop("reason").startswith("nothing is to be seen")
    assert told == {
        "level": "fail",
        "first": "camera_covered",
        "faults": "camera_covered, turn",
        "warnings": "update",
        "probe_region": "24.0 ms",
    }
    CommandReport(state="succeeded", result=dict(covered.result))
    dark = ended(rooms.TestDone((), ("camera_dark", "update")))
    assert (dark.state, dark.result["level"], dark.result["first"]) == (
        State.SUCCEEDED,
        "warn",
        "camera_dark",
    )
    assert "reason" not in dark.result


def test_a_selftest_that_could_not_be_made_fails(house, make):
    house.tested()
    deed = make("selftest")
    deed.begin()
    house.time.passes(rooms.TEST_TIMEOUT.total_seconds())
    house.unit.tick()
    hung = deed.tick()
    assert (hung.state, hung.result["first"]) == (State.FAILED, "selftest")
    assert "did not end" in hung.reason
    deed = make("selftest")
    deed.begin()
    house.unit.room_event(rooms.FaultFound("camera"))
    broken_off = deed.tick()
    assert (broken_off.state, broken_off.result["level"]) == (State.FAILED, "fail")
    assert "broken off: selftest" not in broken_off.reason


def test_a_selftest_that_was_running_already_is_another_one(house, make):
    house.unit.tick()
    assert house.unit.room.state == rooms.State.TESTING
    deed = make("selftest")
    deed.begin()
    house.unit.room_event(rooms.TestDone())
    assert deed.tick() is None
    assert house.unit.room.state == rooms.State.TESTING


def test_a_message_stands_on_the_idle_page_until_its_time_and_over_a_restart(house, make):
    assert make("show-message", text="Hissen är  avstängd.", minutes="10").begin().state == State.SUCCEEDED
    assert house.unit.screen().message == "Hissen är avstängd."
    house.start()
    assert house.unit.screen().message == "Hissen är avstängd."
    house.tick(601)
    assert house.unit.screen().message == ""
    assert b"Hissen" not in house.store.get("idle_message")


def test_a_message_is_taken_away_by_an_empty_one_and_none_has_ended_before_it_begins(house, make):
    make("show-message", text="Hej", minutes="10").begin()
    make("show-message", text="").begin()
    assert house.unit.screen().message == ""
    assert make("show-message", text="Hej", until="2026-11-22T07:00:00Z").begin().state == State.FAILED


def test_nobody_in_a_session_sees_a_message_or_the_mark(ready_house, make):
    make("show-message", text="Hej", minutes="10").begin()
    ready_house.unit.idle.locating = True
    assert (ready_house.unit.screen().message, ready_house.unit.screen().locating) == ("Hej", True)
    ready_house.unit.session_event(SID, CheckedIn("code"))
    assert (ready_house.unit.screen().message, ready_house.unit.screen().locating) == ("", False)


def test_a_unit_that_is_looked_for_is_seen_until_its_time_a_touch_or_somebody_comes(ready_house, make):
    house, lit = ready_house, []
    house.unit.on_lights = lambda lights: lit.append(lights.locating)
    deed = make("locate", seconds="30")
    deed.begin()
    assert house.unit.screen().locating
    house.tick(29)
    assert deed.tick() is None
    house.tick(1)
    assert deed.tick().result == {"ended": "in time"}
    deed.begin()
    asyncio.run(locate_touches(house.unit)["locate_found"](None))
    assert deed.tick().result == {"ended": "touched"}
    deed.begin()
    house.unit.session_event(SID, CheckedIn("code"))
    assert deed.tick().result == {"ended": "someone is in the room"}
    assert (lit[0], lit[-1]) == (True, False)


def test_why_a_room_is_not_to_be_disturbed(ready_house):
    unit = ready_house.unit
    assert why_busy(unit) == ""
    unit.room_event(rooms.ScanOpened())
    assert why_busy(unit) == "someone is checking in"
    unit.session_event(SID, CheckedIn("code"))
    assert why_busy(unit) == "someone is in the room"


def test_a_restart_lets_its_word_go_out_first(make):
    deed = make("restart")
    assert deed.begin() is None
    assert deed.tick() is None
    assert make.restarts == []
    deed.tick()
    deed.tick()
    assert make.restarts == [1]


def test_a_wipe_lets_facts_go_out_and_then_marks_the_disk_before_it_begins_anew(house, make, tmp_path):
    save(house.store, Ledger(values=Config(phone="010", region_ca="PEM"), state="applied"))
    deed = make("wipe", bootstrap="remove")
    deed.begin()
    for _ in range(3):
        deed.tick()
    assert (read_mark(tmp_path / "state"), make.restarts) == (None, [])
    house.unit.outbox.acknowledge(*house.unit.outbox.head)
    deed.tick()
    mark = read_mark(tmp_path / "state")
    assert (mark.command, mark.unit, mark.boot, mark.keep_bootstrap) == ("cmd-1", "unit-7", 4, False)
    assert json.loads(mark.config) == {"broker": None, "region_ca": "PEM", "network": None}
    assert make.restarts == [1]


def test_a_wipe_waits_for_nobody_for_ever(make):
    deed = make("wipe")
    for _ in range(25):
        deed.tick()
    assert make.restarts


async def _follow(deed):
    ended = deed.begin()
    while ended is None:
        await asyncio.sleep(0.005)
        ended = deed.tick()
    return ended


def test_time_servers_are_set_by_the_helper_and_then_said(house, make, tmp_path, monkeypatch):
    monkeypatch.setattr("agent.helper.POLL_S", 0.005)
    folder, told = tmp_path / "state" / "helper", []
    folder.mkdir(parents=True)
    root = RootHelper(tmp_path / "root", lambda *words: told.append(words))

    async def both():
        task = asyncio.ensure_future(
            _follow(make("set-clock-source", source="ntp", servers="ntp1.example,192.0.2.7"))
        )
        while not root.answer_all(folder):
            await asyncio.sleep(0.005)
        return await task

    assert asyncio.run(both()).result == {"source": "ntp ntp1.example 192.0.2.7"}
    drop_in = tmp_path / "root/run/systemd/timesyncd.conf.d/60-halsorum.conf"
    assert "NTP=ntp1.example 192.0.2.7\n" in drop_in.read_text()
    assert told == [("try-restart", "systemd-timesyncd.service")]
    assert house.store.get("clock_source") == b"ntp ntp1.example 192.0.2.7"
    drop_in.unlink()  # a boot: what is below /run is gone

    async def after_a_boot():
        task = asyncio.ensure_future(set_again(house.store, Helper(folder)))
        while not root.answer_all(folder):
            await asyncio.sleep(0.005)
        await task

    asyncio.run(after_a_boot())
    assert "NTP=ntp1.example 192.0.2.7\n" in drop_in.read_text()


def test_time_servers_that_are_the_networks_are_asked_of_nobody_after_a_boot(house, tmp_path):
    asyncio.run(set_again(house.store, Helper(tmp_path / "none")))
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("what", ["machine", "browser"])
def test_without_a_helper_a_restart_fails_and_says_why(make, what, monkeypatch):
    monkeypatch.setattr("agent.helper.ANSWER_WITHIN_S", 0.02)
    ended = asyncio.run(_follow(make("restart", what=what)))
    assert ended.state == State.FAILED
    assert "halsorum-helper.service" in ended.reason


def test_what_the_helper_was_asked_in_vain_is_not_done_later(make, tmp_path):
    folder = tmp_path / "state" / "helper"

    async def time_is_up():
        deed = make("restart", what="machine")
        deed.begin()
        while not list(folder.glob("*.request")):
            await asyncio.sleep(0)
        deed.stop()
        while deed.tick() is None:
            await asyncio.sleep(0)

    asyncio.run(time_is_up())
    assert list(folder.glob("*.request")) == []


def test_what_runs_beside_says_how_it_ended_and_never_what_it_held():
    async def fault():
        raise ValueError("Kanariefagel")

    async def refused():
        raise Refused("no room at the server")

    async def answers():
        return {"bytes": "12"}

    ended = asyncio.run(_follow(InTask(fault)))
    assert ended.state == State.FAILED
    assert "Kanariefagel" not in json.dumps(ended.reason)
    assert asyncio.run(_follow(InTask(refused))).reason == "no room at the server"
    assert asyncio.run(_follow(InTask(answers))).result == {"bytes": "12"}
