"""When the room's next self-test is due: before a session, and at the times of day that are set. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from agent import room as rooms
from agent.contract.unit_config import SelftestPlan

ZONE = "Europe/Stockholm"
"""The clocks on the rooms' walls, as on the screen (web/room/settings.py)."""


NIGHT = "03:00"
NIGHT_MINUTES = 120
"""Over which the units of a region are spread: a night's tests must not meet in one TURN server."""


def night(unit: str) -> str:
    """When this unit tests itself at night, where IT has set no times: the same each night."""
    minute = zlib.crc32(unit.encode()) % NIGHT_MINUTES
    return f"{int(NIGHT[:2]) + minute // 60:02}:{minute % 60:02}"


def tick(plan: SelftestPlan, starts: Sequence[datetime], now: datetime, at_night: str = NIGHT) -> rooms.Tick:
    """What the room is told of time. `starts`: of the sessions that nobody has checked in to."""
    minutes = plan.before_minutes
    before = rooms.TEST_BEFORE if minutes is None else timedelta(minutes=minutes)
    return rooms.Tick(
        _test_for(starts, now + before), before, _last_daily((at_night,) if plan.at is None else plan.at, now)
    )


def _test_for(starts: Sequence[datetime], soon: datetime) -> datetime | None:
    """The start that the room's self-test looks to: the latest within reach, else the next.

    A session that nobody has come to yet must not keep the room from its test for the one after it.
    """
    return max((start for start in starts if start <= soon), default=min(starts, default=None))


def _last_daily(at: Sequence[str], now: datetime) -> datetime | None:
    """The last moment at which the clock showed one of these times."""
    local = now.astimezone(_zone())
    clocks = [(int(time[:2]), int(time[3:])) for time in at]
    moments = [
        (local - timedelta(days=days)).replace(hour=hour, minute=minute, second=0, microsecond=0)
        for days in (0, 1)
        for hour, minute in clocks
    ]
    past = [moment.astimezone(UTC) for moment in moments]
    return max((moment for moment in past if moment <= now), default=None)


@cache
def _zone() -> tzinfo:
    try:
        return ZoneInfo(ZONE)
    except ZoneInfoNotFoundError:
        return UTC  # a machine without its time zones: an hour or two beside, and tested all the same
