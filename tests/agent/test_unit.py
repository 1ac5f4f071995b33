"""The unit as a whole: restarts in each state, changed schedules, a wrong clock, a full disk, and the end."""

import sqlite3
from datetime import timedelta

import pytest

from agent import room as rooms
from agent import session_events as ev
from agent.contract.signalling import Admit, Bye, Join, Reject, RemoteCheckIn
from agent.screen_view import ENDED_SHOWN

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"


def to_call(house):
    house.unit.session_event(SID, ev.CheckedIn("code"))
    house.signal(Join(**house.numbered(), chair=True), "aaaa")
    house.signal(Admit(**house.numbered()), "aaaa")
    house.unit.session_event(SID, ev.PartyConnected("aaaa"))
    assert house.state() == "in_call"


def on_disk(house):
    return b"".join(file.read_bytes() for file in house.path.parent.iterdir())


def acknowledge_all(house):
    house.unit.outbox.acknowledge(*house.unit.outbox.head)


def test_a_visit_from_booking_to_nothing_left(ready_house):
    house = ready_house
    to_call(house)
    house.signal(Bye(**house.numbered(), end=True), "aaaa")
    assert house.media.told == ["open", "connect aaaa", "disconnect aaaa", "close"]
    assert house.kinds()[-8:] == [
        "checked_in",
        "peer_joined",
        "admitted",
        "call_started",
        "peer_connected",
        "peer_left",
        "call_ended",
        "session_wiped",
    ]
    acknowledge_all(house)
    for canary in (SID.encode(), b"A17", b"Norra kliniken"):
        assert canary not in on_disk(house)
    assert house.unit.screen().page == "ended"
    house.tick(ENDED_SHOWN.total_seconds())
    assert SID not in repr(vars(house.unit)) + repr(house.unit.screen()) + repr(
        vars(vars(house.wire)["_signals"])["_book"]
    )


def test_a_finished_session_does_not_come_back_with_a_snapshot_or_a_late_join(ready_house, make_plan):
    house = ready_house
    to_call(house)
    house.unit.session_event(SID, ev.PatientLeft())
    house.schedule(make_plan(), make_plan(OTHER, 60, 90))
    assert (house.state(), house.state(OTHER)) == (None, "booked")
    house.signal(Join(**house.numbered("late"), chair=True), "aaaa")
    assert house.link.bodies("up/call")[-1].reason == "refused"
    acknowledge_all(house)
    assert SID.encode() not in on_disk(house)


@pytest.mark.parametrize("answer", ["confirmed", "refused", "silence"])
def test_a_kill_in_the_call_resumes_only_when_the_region_says_so(ready_house, answer):
    house = ready_house
    to_call(house)
    house.time.passes(5)
    house.start()
    assert (house.state(), house.media.told, house.unit.room.state) == ("in_call", [], rooms.State.OCCUPIED)
    house.connect()
    assert house.link.bodies("up/call")[-1].resume
    house.signal(Join(**house.numbered("two"), chair=True), "aaaa")
    assert house.media.told == []
    if answer == "confirmed":
        house.signal(Admit(**house.numbered("region")))
        assert house.media.told == ["open", "connect aaaa"]
        return
    if answer == "refused":
        house.signal(Reject(**house.numbered("region")))
    else:
        asked = len(house.link.bodies("up/call"))
        house.tick(119)
        assert len(house.link.bodies("up/call")) > asked, "a region that was away is asked again"
        house.tick(1)
    assert (house.state(), house.unit.room.holder) == (None, None)
    assert "open" not in house.media.told
    assert house.kinds()[-2:] == ["session_failed", "session_wiped"]


def test_a_kill_right_after_check_in_is_no_long_absence(ready_house):
    """The mark of life of a session long ago must not count."""
    house = ready_house
    house.unit.tick()
    house.time.passes(300)
    house.unit.session_event(SID, ev.CheckedIn("code"))
    house.start()
    assert house.state() == "waiting"


def test_a_long_absence_while_waiting_means_to_check_in_again(ready_house):
    ready_house.unit.session_event(SID, ev.CheckedIn("code"))
    ready_house.time.passes(121)
    ready_house.start()
    assert (ready_house.state(), ready_house.media.told) == ("ready", [])
    assert ready_house.unit.room.holder is None


def test_a_kill_before_the_wipe_wipes_at_the_next_start(ready_house, monkeypatch):
    monkeypatch.setattr(ready_house.unit, "_wipe", lambda _sid: None)
    ready_house.unit.session_event(SID, ev.CheckedIn("code"))
    ready_house.unit.session_event(SID, ev.Cancelled())
    ready_house.start()
    assert ready_house.store.sessions() == []
    assert ready_house.kinds()[-2:] == ["unit_started", "session_wiped"]


def test_the_schedule_is_there_after_a_kill_without_the_region(ready_house):
    ready_house.start(learnt=False)
    ready_house.unit.tick()
    assert ready_house.state() == "ready"


def test_a_wrong_clock_ends_nothing_before_the_region_has_told_the_time(house, make_plan):
    house.time.wall += timedelta(days=400)
    house.start(learnt=False)
    house.schedule(make_plan())
    house.unit.tick()
    assert house.state() == "ready"
    house.clock.learn(house.time.wall - timedelta(days=400), fresh=True)
    house.tick()
    assert house.state() == "ready"
    house.clock.learn(house.time.wall, fresh=True)
    house.tick()
    assert (house.state(), house.kinds()[-2:]) == (None, ["no_show", "session_wiped"])


def test_a_session_past_at_first_sight_is_no_no_show(house, make_plan):
    house.schedule(make_plan(SID, -60, -30))
    assert house.state() is None
    assert house.kinds()[-2:] == ["session_failed", "session_wiped"]


def test_a_schedule_replaced_in_a_call_leaves_the_call_alone(ready_house):
    to_call(ready_house)
    ready_house.schedule()
    assert (ready_house.state(), ready_house.media.told) == ("in_call", ["open", "connect aaaa"])


def test_a_cancelled_session_may_be_put_back(ready_house, make_plan):
    ready_house.unit.session_event(SID, ev.CheckedIn("code"))
    ready_house.schedule()
    assert (ready_house.state(), ready_house.media.told) == (None, ["open", "close"])
    ready_house.schedule(make_plan())
    assert ready_house.state() == "ready"


def test_back_to_back_the_next_one_waits_its_turn_and_the_room_is_tested_for_it(house, make_plan):
    house.connect()
    house.tested()
    house.schedule(make_plan(SID, 0, 30), make_plan(OTHER, 30, 60))
    house.signal(RemoteCheckIn(**house.numbered()), sid=OTHER)
    assert (house.state(OTHER), house.media.told, house.kinds()[-1]) == ("booked", [], "checkin_failed")
    house.unit.session_event(SID, ev.CheckedIn("code"))
    house.tick(20 * 60)
    assert house.state(OTHER) == "ready"
    house.signal(RemoteCheckIn(**house.numbered()), sid=OTHER)
    assert (house.state(OTHER), house.kinds()[-1]) == ("ready", "checkin_failed")
    tests = house.tests.count("start")
    house.unit.session_event(SID, ev.PatientLeft())
    house.unit.tick()
    assert house.tests.count("start") == tests + 1
    house.signal(RemoteCheckIn(**house.numbered()), sid=OTHER)
    assert (house.state(OTHER), house.tests[-1]) == ("waiting", "stop")


def test_one_that_nobody_came_to_keeps_no_test_from_the_next(house, make_plan):
    house.schedule(make_plan(SID, 0, 60), make_plan(OTHER, 60, 90))
    house.tested()
    house.tick(39 * 60)
    assert house.unit.room.state == rooms.State.IDLE
    house.tick(60)
    assert house.unit.room.state == rooms.State.TESTING


def test_a_full_disk_stops_neither_the_call_nor_its_end_and_loses_no_fact(ready_house, monkeypatch):
    house = ready_house

    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(house.store, "put_session", full)
        patch.setattr(house.store, "append", full)
        patch.setattr(house.store, "finish", full)
        to_call(house)
        house.unit.session_event(SID, ev.PatientLeft())
        assert house.media.told == ["open", "connect aaaa", "close"]
        house.tick()
        assert house.state() == "ended"
    house.tick()
    assert house.state() is None
    assert house.kinds()[-4:] == ["call_started", "peer_connected", "call_ended", "session_wiped"]
    assert [event.seq for event in house.unit.outbox.pending()] == list(range(1, len(house.kinds()) + 1))


@pytest.mark.parametrize("key", ["snapshot", "session"])
def test_what_an_older_version_kept_and_nobody_can_read_is_put_aside(ready_house, key):
    if key == "snapshot":
        ready_house.store.put("snapshot", b'{"sessions": 1}')
    else:
        ready_house.store.put_session(SID, b"{}")
    ready_house.start()
    assert ready_house.store.sessions() == []
