"""When a self-test is due by the clock, and before which session."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agent import room as rooms
from agent import selftest_plan
from agent.contract.unit_config import SelftestPlan

NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def is_tested(plan, tested_at, now=NOW, starts=()):
    room = rooms.Room(tested_at=tested_at)
    moved, _ = rooms.step(room, selftest_plan.tick(plan, starts, now), now)
    return moved.state == rooms.State.TESTING


@pytest.mark.parametrize(
    ("minutes", "start_min", "expected"),
    [(None, 20, True), (None, 21, False), (60, 59, True), (60, 61, False), (5, 6, False), (5, 5, True)],
)
def test_so_long_before_a_session(minutes, start_min, expected):
    plan = SelftestPlan(before_minutes=minutes, at=())
    assert is_tested(plan, NOW - timedelta(hours=9), starts=[NOW + start_min * MINUTE]) is expected


@pytest.mark.parametrize(
    ("tested_at", "now", "expected"),
    [
        (NOW - timedelta(days=1), datetime(2026, 7, 1, 1, 29, tzinfo=UTC), False),
        (NOW - timedelta(days=1), datetime(2026, 7, 1, 1, 30, tzinfo=UTC), True),
        (datetime(2026, 7, 1, 1, 31, tzinfo=UTC), NOW, False),
        (datetime(2026, 6, 30, 1, 29, tzinfo=UTC), datetime(2026, 7, 1, 0, 0, tzinfo=UTC), True),
        (NOW - timedelta(days=1), datetime(2026, 7, 1, 10, 0, tzinfo=UTC), True),
    ],
)
def test_each_day_at_half_past_three_on_the_rooms_clocks(tested_at, now, expected):
    # Summer in Sweden: 03:30 is 01:30 UTC. A time that was missed is made up for.
    assert is_tested(SelftestPlan(at=("03:30",)), tested_at, now) is expected


def test_in_winter_the_clocks_are_an_hour_from_utc():
    now = datetime(2026, 12, 1, 2, 30, tzinfo=UTC)
    assert is_tested(SelftestPlan(at=("03:30",)), now - timedelta(hours=3), now)
    assert not is_tested(SelftestPlan(at=("03:30",)), now - timedelta(hours=3), now - MINUTE)


def test_a_session_nobody_came_to_does_not_hide_the_next():
    starts = [NOW - 10 * MINUTE, NOW + 15 * MINUTE]
    assert is_tested(SelftestPlan(at=()), NOW - 12 * MINUTE, starts=starts)


def test_where_it_has_set_no_times_each_unit_tests_itself_at_a_minute_of_its_own_at_night():
    nights = {selftest_plan.night(f"unit-{number}") for number in range(300)}
    assert len(nights) > 60 and min(nights) >= "03:00" and max(nights) < "05:00"
    assert selftest_plan.night("unit-1") == selftest_plan.night("unit-1")
    before, after = NOW - timedelta(hours=13), NOW - timedelta(hours=7)
    assert is_tested(SelftestPlan(), before)  # 03:00 in summer is 01:00 UTC
    assert not is_tested(SelftestPlan(), after + timedelta(minutes=1))
    assert not is_tested(SelftestPlan(at=()), before)
