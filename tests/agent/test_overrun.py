"""Which session waits for a room that another still holds."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from agent.contract.schedule import ScheduledSession
from agent.overrun import ends_soon, free_until, next_after, waits_for_room
from agent.session_state import Session, State

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SID, OTHER, THIRD = "k3v9q2m4x8t1", "b7n2w5c8z0r4", "c7n2w5c8z0r4"


@pytest.fixture
def booked(make_plan):
    def make(sid, start_min, end_min, state=State.BOOKED):
        plan = ScheduledSession.model_validate_json(json.dumps(make_plan(sid, start_min, end_min)))
        return Session(plan, state)

    return make


def at(minutes):
    return NOW + timedelta(minutes=minutes)


def test_one_that_nobody_came_to_before_is_not_the_next(booked):
    held = booked(SID, 30, 60, State.IN_CALL)
    assert next_after(held, [booked(OTHER, 0, 30, State.READY), held]) is None
    assert next_after(held, [booked(OTHER, 90, 120), booked(THIRD, 60, 90)]).plan.sid == THIRD


@pytest.mark.parametrize(
    ("minute", "follows_at", "state", "soon"),
    [
        (24, 30, State.IN_CALL, False),
        (25, 30, State.IN_CALL, True),
        (25, 35, State.ADMITTED, True),
        (25, 36, State.IN_CALL, False),
        (29, 30, State.WAITING, False),
        (40, 30, State.IN_CALL, True),
    ],
)
def test_the_end_comes_soon_only_where_another_follows(booked, minute, follows_at, state, soon):
    held, following = booked(SID, 0, 30, state), booked(OTHER, follows_at, follows_at + 30)
    assert ends_soon(held, [held, following], at(minute)) is soon
    assert not ends_soon(held, [held], at(minute))


@pytest.mark.parametrize(
    ("minute", "seen_coming", "late"), [(24, False, False), (25, True, False), (30, True, True)]
)
def test_the_next_one_waits_when_its_time_has_come(booked, minute, seen_coming, late):
    sessions = [booked(SID, 0, 30, State.IN_CALL), booked(OTHER, 30, 60, State.READY)]
    assert (waits_for_room(sessions, at(minute)) is not None) is seen_coming
    assert (waits_for_room(sessions, at(minute), timedelta(0)) is not None) is late
    assert waits_for_room(sessions[1:], at(minute)) is None, "an empty room keeps nobody waiting"


@pytest.mark.parametrize(("minute", "free_min"), [(10, 15), (35, 10), (50, 0)])
def test_how_much_longer_the_room_is_free(booked, minute, free_min):
    held, following = booked(SID, 0, 30, State.IN_CALL), booked(OTHER, 45, 60)
    assert free_until(held, [held, following], at(minute)) == timedelta(minutes=free_min)
    assert free_until(held, [held], at(minute)) is None
