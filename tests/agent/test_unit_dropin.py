"""A meeting that nobody booked: staff ask, the region books it, and it begins at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.unit import DROPIN_WITHIN

SID, OTHER = "k3v9q2m4x8t1", "b7n2w5c8z0r4"


@pytest.fixture
def well(house):
    house.connect()
    house.tested()
    return house


@pytest.fixture
def dropin(make_plan):
    return make_plan(start_min=-1, end_min=30, methods=("staff",)) | {"kind": "dropin"}


def test_the_session_asked_for_begins_at_once(well, dropin):
    well.unit.dropin_asked_at = well.clock.now()
    well.schedule(dropin)
    assert well.state() == "waiting"
    assert well.unit.sessions[SID].checked_in_how == "staff"
    assert well.unit.dropin_asked_at is None


def test_a_dropin_that_nobody_here_asked_for_waits_for_its_patient(well, dropin):
    well.schedule(dropin)
    assert well.state() == "ready"


def test_another_change_of_the_schedule_may_come_first(well, dropin, make_plan):
    booked = make_plan(OTHER, 40, 70)
    well.unit.dropin_asked_at = well.clock.now()
    well.schedule(booked)
    well.schedule(booked, dropin)
    assert (well.state(), well.state(OTHER)) == ("waiting", "booked")


def test_a_dropin_that_comes_late_is_not_begun_in_an_empty_room(well, dropin):
    well.unit.dropin_asked_at = well.clock.now()
    well.time.passes((DROPIN_WITHIN + timedelta(seconds=1)).total_seconds())
    well.schedule(dropin)
    assert well.state() == "ready"
    assert well.unit.dropin_asked_at is None
