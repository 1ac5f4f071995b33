"""Commands are done once or never; whoever asks hears what became of them."""

from __future__ import annotations

import sqlite3

import pytest

from agent.commands.deeds import succeeded
from agent.commands.intake import TAKEN_AT_MOST, WAITING_AT_MOST
from agent.commands.life import INTERRUPTED
from tests.agent.commands.conftest import Killed

DAY_S = 86_400
POINTS = (
    "taken",
    "written-accepted",
    "begins",
    "written-running",
    "running",
    "ended",
    "written-succeeded",
    "told",
)


def test_a_command_goes_its_way_and_each_step_is_told(bench):
    bench.send("cmd-1")
    assert bench.told("cmd-1") == ["accepted", "running", "succeeded"]
    bench.send("cmd-2", "locate")
    assert (bench.told("cmd-2")[-1], bench.reason("cmd-2")) == ("failed", "broken")
    assert bench.done == ["cmd-1", "cmd-2"]


def test_a_result_that_the_contract_does_not_take_keeps_nobody_from_knowing_the_end(bench):
    bench.ends["selftest"] = succeeded(**{"Not A Kind": "1"})
    bench.send("cmd-1")
    bench.tick()
    assert bench.told("cmd-1") == ["accepted", "running", "succeeded"]


def test_the_same_again_is_answered_and_not_done(bench):
    for _ in range(3):
        bench.send("cmd-1")
        bench.start()
        bench.connect()
    bench.clear("cmd-1")
    bench.send("cmd-1")
    assert bench.done == ["cmd-1"]
    assert bench.told("cmd-1")[-1] == "succeeded"


def test_a_report_is_said_on_every_connect_until_the_region_has_cleared_it(bench):
    bench.send("cmd-1")
    bench.retained.clear()
    bench.link.sent.clear()
    bench.connect()
    assert bench.told("cmd-1") == ["succeeded"]
    bench.clear("cmd-1")
    bench.link.sent.clear()
    bench.start()
    bench.connect()
    assert bench.told("cmd-1") == []


@pytest.mark.parametrize("place", POINTS)
def test_killed_at_any_step_it_is_done_once_at_most_and_the_region_hears_its_end(bench, place):
    bench.kill_at = place
    with pytest.raises(Killed):
        bench.send("cmd-1")
        bench.clear("cmd-1")
    before = len(bench.done)
    bench.start()
    bench.connect()
    bench.tick()
    bench.tick()
    assert len(bench.done) <= 1
    assert bench.told("cmd-1")[-1] in {"succeeded", "failed"}
    never_ended = bench.told("cmd-1")[-1] == "failed"
    assert never_ended == (place in {"written-running", "running", "ended"})
    assert before + len(bench.done) >= 1 or never_ended  # what had not begun is done by the next start


@pytest.mark.parametrize("place", ["written-accepted", "begins"])
def test_one_that_had_provably_not_begun_is_done_by_the_next_start(bench, place):
    bench.kill_at = place
    with pytest.raises(Killed):
        bench.send("cmd-1")
    bench.retained.clear()  # even if the broker has lost it
    bench.start()
    bench.connect()
    bench.tick()
    assert (bench.done, bench.told("cmd-1")[-1]) == (["cmd-1"], "succeeded")


def test_a_restart_has_succeeded_by_the_new_start_and_others_are_interrupted(bench):
    bench.send("cmd-1", "restart")
    assert bench.told("cmd-1")[-1] == "running"
    bench.start()
    bench.connect()
    assert bench.told("cmd-1")[-1] == "succeeded"
    bench.send("cmd-2", "restart", arguments={"what": "machine"})
    bench.start()
    bench.connect()
    assert (bench.told("cmd-2")[-1], bench.reason("cmd-2")) == ("failed", INTERRUPTED)
    bench.send("cmd-3", "restart", arguments={"what": "machine"})
    bench.machine = "machine-2"
    bench.start()
    bench.connect()
    assert bench.told("cmd-3")[-1] == "succeeded"
    assert bench.done == ["cmd-1", "cmd-2", "cmd-3"]


def test_what_would_disturb_waits_says_why_and_begins_when_the_room_is_free(bench):
    bench.busy = "someone is in the room"
    bench.send("cmd-1")
    bench.send("cmd-2", "show-message", arguments={"text": "", "minutes": "5"})
    assert (bench.told("cmd-1"), bench.reason("cmd-1")) == (
        ["accepted", "accepted"],
        "someone is in the room",
    )
    assert "cmd-2" in bench.done
    for _ in range(5):
        bench.tick()
    assert bench.told("cmd-1") == ["accepted", "accepted"]  # said once
    bench.busy = ""
    bench.ends["show-message"] = bench.ends["selftest"]
    bench.tick()
    bench.tick()
    assert bench.told("cmd-1")[-1] == "succeeded"


def test_one_that_waits_for_too_long_expires_also_over_a_restart(bench):
    bench.busy = "someone is in the room"
    bench.send("cmd-1", expires_s=60)
    bench.start()
    bench.connect()
    bench.tick(61)
    assert (bench.told("cmd-1")[-1], bench.done) == ("expired", [])


def test_what_has_not_begun_is_taken_back_and_what_has_is_not(bench):
    bench.busy = "someone is in the room"
    bench.send("cmd-1")
    bench.send("cmd-1", cancel=True)
    bench.send("cmd-2", cancel=True)  # overtook what it takes back
    bench.send("cmd-2")
    bench.busy = ""
    bench.send("cmd-3", "restart")
    bench.send("cmd-3", "restart", cancel=True)
    bench.tick()
    assert [bench.told(f"cmd-{n}")[-1] for n in (1, 2, 3)] == ["canceled", "canceled", "running"]
    assert bench.done == ["cmd-3"]


def test_the_region_gave_it_up_so_it_is_not_begun_later(bench):
    bench.busy = "someone is in the room"
    bench.send("cmd-1")
    bench.clear("cmd-1")
    bench.busy = ""
    bench.tick()
    assert bench.done == []


def test_one_that_runs_for_too_long_is_stopped(bench):
    bench.send("cmd-1", "restart", timeout_s=30)
    bench.tick(31)
    assert (bench.told("cmd-1")[-1], bench.stopped) == ("timed_out", ["cmd-1"])


def test_one_at_a_time_in_the_order_they_came(bench):
    bench.send("cmd-1", "restart")
    bench.send("cmd-2")
    assert bench.told("cmd-2") == ["accepted"]
    bench.ends["restart"] = bench.ends["selftest"]
    bench.tick()
    assert bench.done == ["cmd-1", "cmd-2"]
    assert bench.told("cmd-2")[-1] == "succeeded"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"expires_s": None}, "expires_at"),
        ({"expires_s": 31 * DAY_S}, "30 days"),
        ({"issued_s": 3600}, "future"),
        ({"name": "dance"}, "no command"),
        ({"name": "rotate-bootstrap"}, "this unit cannot"),
        ({"arguments": {"hard": "yes"}}, "no such argument"),
    ],
)
def test_what_cannot_be_done_is_rejected_with_its_reason_and_stays_so(bench, more, words):
    bench.send("cmd-1", **more)
    assert bench.told("cmd-1") == ["rejected"]
    assert words in bench.reason("cmd-1")
    bench.send("cmd-1")
    assert (bench.told("cmd-1")[-1], bench.done) == ("rejected", [])


def test_one_that_comes_too_late_has_expired(bench):
    bench.send("cmd-1", issued_s=-1, expires_s=0)
    assert (bench.told("cmd-1"), bench.done) == (["expired"], [])


def test_of_a_thousand_at_once_a_few_are_taken_and_none_of_the_rest_ever(bench, monkeypatch):
    bench.busy = "someone is in the room"
    writes = []
    put, real = bench.store.put, bench.store.run
    monkeypatch.setattr(bench.store, "put", lambda *a: (writes.append(a), put(*a)))
    monkeypatch.setattr(
        bench.store, "run", lambda s, *a: (s.startswith("INSERT") and writes.append(s), real(s, *a))[1]
    )
    for number in range(1000):
        bench.send(f"flood-{number}", issued_s=-1)
    states = [bench.told(f"flood-{n}")[0] for n in (0, WAITING_AT_MOST - 1, WAITING_AT_MOST, 999)]
    assert states == ["accepted", "accepted", "rejected", "rejected"]
    assert len(writes) < 4 * WAITING_AT_MOST
    bench.busy = ""
    bench.start()
    bench.connect()  # the broker still has them all
    for _ in range(WAITING_AT_MOST):
        bench.tick(10)
    assert len(bench.done) == len(set(bench.done)) == WAITING_AT_MOST
    bench.send("cmd-1")
    assert bench.told("cmd-1")[-1] == "succeeded"  # and then all is as it was


def test_a_flood_of_what_cannot_be_done_wears_no_disk(bench):
    for number in range(TAKEN_AT_MOST + 10):
        bench.send(f"flood-{number}", "dance")
    assert "too many" in bench.reason(f"flood-{TAKEN_AT_MOST}")
    assert bench.points.count("written-rejected") == TAKEN_AT_MOST


def test_a_full_disk_refuses_what_it_cannot_write_down_and_nothing_is_done(bench, monkeypatch):
    def full(*_args):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(bench.commands._journal, "put", full)
    bench.send("cmd-1")
    assert (bench.told("cmd-1"), bench.done) == (["rejected"], [])
    assert "disk is full" in bench.reason("cmd-1")
    monkeypatch.undo()
    bench.send("cmd-1")
    assert (bench.told("cmd-1")[-1], bench.done) == ("rejected", [])


def test_on_a_full_disk_a_taken_command_waits_and_an_ended_one_is_told_when_it_can_be_written(
    bench, monkeypatch
):
    bench.busy = "someone is in the room"
    bench.send("cmd-1", "restart")
    bench.busy = ""
    put, is_full = bench.commands._journal.put, [True]

    def maybe(entry):
        if is_full[0]:
            raise sqlite3.OperationalError("database or disk is full")
        put(entry)

    monkeypatch.setattr(bench.commands._journal, "put", maybe)
    bench.tick()
    assert (bench.done, bench.told("cmd-1")[-1]) == ([], "accepted")
    assert "disk is full" in bench.reason("cmd-1")
    is_full[0] = False
    bench.tick()
    assert bench.told("cmd-1")[-1] == "running"
    is_full[0] = True
    bench.ends["restart"] = bench.ends["selftest"]
    bench.tick()
    bench.tick()
    assert bench.told("cmd-1")[-1] == "running"  # nothing is told that a kill would belie
    is_full[0] = False
    bench.tick()
    assert (bench.told("cmd-1")[-1], bench.done) == ("succeeded", ["cmd-1"])


def test_until_the_time_is_known_nothing_is_judged(bench):
    bench.send("cmd-1")
    bench.time.boot_id = "boot-2"
    bench.start(learnt=False)
    bench.connect()
    bench.send("cmd-2")
    bench.tick()
    assert bench.told("cmd-2") == []
    bench.clock.learn(bench.time.wall, fresh=True)
    bench.tick()
    assert bench.told("cmd-2")[-1] == "succeeded"
    assert bench.done == ["cmd-1", "cmd-2"]


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_is_a_year_off_lets_nothing_be_done_twice(bench, years):
    bench.send("cmd-1", expires_s=20 * DAY_S)
    bench.clear("cmd-1")
    old = dict(bench.retained)
    bench.send("cmd-1", expires_s=20 * DAY_S)
    kept = bench.retained | old
    right = bench.time.wall
    bench.clock.learn(right.replace(year=right.year + years), fresh=True)
    for _ in range(3):
        bench.tick(DAY_S)
    bench.clock.learn(right, fresh=True)
    bench.retained = kept
    bench.start()
    bench.connect()
    bench.tick()
    assert bench.done == ["cmd-1"]


def test_with_a_journal_begun_anew_older_commands_are_refused(bench, tmp_path):
    bench.send("cmd-1")
    bench.path = tmp_path / "another.db"
    bench.time.passes(5)
    bench.start()
    bench.connect()
    bench.tick()
    assert bench.done == ["cmd-1"]
    assert "journal" in bench.reason("cmd-1")


def test_a_new_journal_begins_with_the_first_acknowledgement_and_not_a_tick_later(bench, tmp_path):
    """A unit that was let in this very moment does what IT asks of it in the next."""
    bench.path = tmp_path / "another.db"
    bench.start(learnt=False)
    bench.connect()
    bench.clock.learn(bench.time.wall, fresh=True)
    bench.commands.acknowledged()
    bench.send("cmd-1", issued_s=0.1)
    bench.time.passes(0.5)
    bench.commands.acknowledged()
    bench.tick()
    assert (bench.told("cmd-1")[-1], bench.done) == ("succeeded", ["cmd-1"])


def test_a_wipe_that_was_broken_off_goes_on(bench):
    bench.send("cmd-1", "wipe")
    bench.start()
    bench.connect()
    assert bench.told("cmd-1")[-1] == "running"
    bench.commands.resume()
    assert bench.done == ["cmd-1", "cmd-1"]
