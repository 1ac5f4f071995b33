"""What may be booked, judged without a database: pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

from agent.contract.schedule import CheckInMethod
from web.clinic.services import Refused

LONGEST = timedelta(hours=12)
FURTHEST = timedelta(days=500)
LATE_BOOKING = timedelta(minutes=5)
"""Who books "now" reads the clock before pressing the button."""
BEGUN = frozenset({"admitted", "in_call", "ended", "wiped", "failed"})
"""States in which a session cannot be cancelled or moved any more."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def check_time(start: datetime, end: datetime, now: datetime) -> None:
    """Raises Refused if a session cannot be held then."""
    if start.tzinfo is None or end.tzinfo is None:
        raise Refused("start", "needs its offset from UTC")
    if end <= start:
        raise Refused("end", "must come after start")
    if start < now - LATE_BOOKING:
        raise Refused("start", "is in the past")
    if end - start > LONGEST:
        raise Refused("end", f"is more than {LONGEST // timedelta(hours=1)} hours after start")
    if start > now + FURTHEST:
        raise Refused("start", f"is more than {FURTHEST.days} days ahead")


def check_options(language: str, methods: Sequence[str]) -> None:
    """Raises Refused for a language that is no code or a way to check in that does not exist."""
    if not _LANGUAGE.fullmatch(language):
        raise Refused("language", "is a code of two or three letters, such as sv")
    if not methods:
        raise Refused("methods", "needs at least one way to check in")
    unknown = [method for method in methods if method not in get_args(CheckInMethod)]
    if unknown:
        raise Refused("methods", f"has only {', '.join(get_args(CheckInMethod))}")


def time_words(start: datetime, end: datetime, zone: ZoneInfo) -> str:
    """A session's time as a person reads it: 2026-11-22 10:00-10:30."""
    first, last = start.astimezone(zone), end.astimezone(zone)
    return f"{first:%Y-%m-%d %H:%M}–{last:%H:%M}"
