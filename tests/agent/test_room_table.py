"""The room: when it tests itself, who is in it, and what its lamp says."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import room as rooms
from agent.room import (
    LOOK_AGAIN,
    TEST_AGAIN,
    TEST_TIMEOUT,
    FaultFound,
    Lamp,
    Released,
    Room,
    RunSelfTest,
    ScanClosed,
    ScanOpened,
    State,
    StopSelfTest,
    Taken,
    Tick,
    lamp,
    step,
)

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=21)
WELL = Room(tested_at=NOW)
SOON = NOW + timedelta(minutes=20, seconds=1)
WARNED = Room(warnings=("camera_dark",), tested_at=NOW)
FAULTY = Room(State.OUT_OF_ORDER, faults=("camera",), tested_at=NOW)
TESTING = Room(State.TESTING, testing_since=NOW)
TAKEN = Room(State.OCCUPIED, holder="a", tested_at=NOW)

TABLE = [
    (Room(), Tick(), NOW, "testing", [RunSelfTest("start")]),
    (WELL, Tick(), NOW + timedelta(days=9), "idle", []),
    (WELL, Tick(LATER + timedelta(minutes=1)), LATER - timedelta(minutes=20), "idle", []),
    (WELL, Tick(LATER), LATER - timedelta(minutes=20), "testing", [RunSelfTest("before")]),
    (FAULTY, Tick(), NOW + TEST_AGAIN - timedelta(seconds=1), "out_of_order", []),
    (FAULTY, Tick(), NOW + TEST_AGAIN, "testing", [RunSelfTest("again")]),
    (FAULTY, Tick(SOON), SOON - timedelta(minutes=20), "testing", [RunSelfTest("before")]),
    (WARNED, Tick(), NOW + LOOK_AGAIN - timedelta(seconds=1), "idle", []),
    (WARNED, Tick(), NOW + LOOK_AGAIN, "testing", [RunSelfTest("again")]),
    (WELL, Tick(daily=NOW + timedelta(hours=9)), NOW + timedelta(hours=9), "testing", [RunSelfTest("daily")]),
    (WELL, rooms.TestAsked("staff"), NOW, "testing", [RunSelfTest("staff")]),
    (WELL, rooms.TestAsked(), NOW, "testing", [RunSelfTest()]),
    (TESTING, rooms.TestAsked(), NOW, "testing", []),
    (TESTING, rooms.TestDone(), NOW, "idle", []),
    (TESTING, rooms.TestDone(("camera",)), NOW, "out_of_order", []),
    (TESTING, rooms.TestDone((), ("camera_dark",)), NOW, "idle", []),
    (TESTING, Tick(), NOW + TEST_TIMEOUT, "out_of_order", [StopSelfTest()]),
    (TESTING, FaultFound("camera"), NOW, "out_of_order", [StopSelfTest()]),
    (TESTING, Taken("a"), NOW, "occupied", [StopSelfTest()]),
    (WELL, Taken("a"), NOW, "occupied", []),
    (TAKEN, Taken("b"), NOW, "occupied", []),
    (TAKEN, rooms.TestAsked(), NOW, "occupied", []),
    (TAKEN, Tick(NOW), NOW + timedelta(days=1), "occupied", []),
    (TAKEN, rooms.TestDone(), NOW, "occupied", []),
    (TAKEN, Released("b"), NOW, "occupied", []),
    (TAKEN, Released("a"), NOW, "idle", []),
    (Room(State.OCCUPIED, "a", ("camera",), NOW), Released("a"), NOW, "out_of_order", []),
    (WELL, ScanOpened(), NOW, "scanning", []),
    (Room(State.SCANNING, tested_at=NOW), ScanClosed(), NOW, "idle", []),
    (Room(State.SCANNING, tested_at=NOW), Taken("a"), NOW, "occupied", []),
    (TESTING, ScanOpened(), NOW, "scanning", [StopSelfTest()]),
    (FAULTY, ScanOpened(), NOW, "scanning", []),
    (Room(State.SCANNING, faults=("region",), tested_at=NOW), ScanClosed(), NOW, "out_of_order", []),
    (Room(State.SCANNING, tested_at=NOW), FaultFound("region"), NOW, "scanning", []),
    (Room(State.SCANNING, tested_at=NOW), rooms.TestAsked(), NOW, "scanning", []),
    (Room(State.SCANNING), Tick(), NOW + timedelta(days=1), "scanning", []),
    (TAKEN, ScanOpened(), NOW, "occupied", []),
]


@pytest.mark.parametrize(("before", "event", "now", "state", "effects"), TABLE)
def test_room_step(before, event, now, state, effects):
    after, done = step(before, event, now)
    assert (after.state.value, list(done)) == (state, effects)


def test_the_lamp():
    assert lamp(WELL, None, NOW) == Lamp.FREE
    assert lamp(WELL, NOW + timedelta(minutes=20), NOW) == Lamp.SOON
    assert lamp(FAULTY, None, NOW) == Lamp.FAULT
    assert lamp(Room(State.OCCUPIED, "a", ("camera",)), None, NOW) == Lamp.OCCUPIED


SIDS = st.sampled_from(["a", "b"])
EVENTS = st.one_of(
    st.builds(Tick, st.none() | st.just(NOW) | st.just(LATER)),
    st.builds(Taken, SIDS),
    st.builds(Released, SIDS),
    st.builds(rooms.TestDone, st.sampled_from([(), ("camera",)])),
    st.builds(FaultFound, st.sampled_from(["camera", "region"])),
    st.sampled_from([rooms.TestAsked(), ScanOpened(), ScanClosed()]),
)


@given(st.lists(st.tuples(EVENTS, st.integers(0, 300)), max_size=60))
def test_whatever_happens_no_self_test_disturbs_a_patient(events):
    room, now, running = Room(), NOW, False
    for event, seconds in events:
        now += timedelta(seconds=seconds)
        before = room
        room, effects = step(room, event, now)
        for effect in effects:
            assert isinstance(effect, RunSelfTest) != running  # never two at once, never stopped twice
            running = isinstance(effect, RunSelfTest)
        if isinstance(event, rooms.TestDone) and before.state == State.TESTING:
            running = False
        assert running == (room.state == State.TESTING)
        assert (room.holder is not None) == (room.state == State.OCCUPIED)
        if before.state == State.OCCUPIED == room.state:
            assert room.holder == before.holder
        if room.state == State.IDLE:
            assert not room.faults


def test_how_long_a_self_test_may_take_is_the_machines_own() -> None:
    slow = Tick(within=2 * TEST_TIMEOUT)
    room, effects = step(TESTING, slow, NOW + TEST_TIMEOUT)
    assert (room.state, effects) == ("testing", ())
    room, effects = step(TESTING, slow, NOW + 2 * TEST_TIMEOUT)
    assert (room.state, effects) == ("out_of_order", (StopSelfTest(),))
