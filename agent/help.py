"""A call for help from the room, from the button to the one who comes. Pure.

    none → sent → answered → none
              ↘ unanswered ↗ ↘ none

It is one call however often it is asked for, and lasts until somebody answers it or it is taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.screen import HelpState

ANSWER_WITHIN = timedelta(seconds=60)
"""Without an answer by then the screen shows the telephone number and 112; it goes on ringing."""
ANSWER_SHOWN = timedelta(minutes=10)
"""Whoever said that they come is there by then."""


@dataclass(frozen=True, slots=True)
class Help:
    """One call for help. `sid`: the session in the room when it was asked for, if there was one."""

    id: str
    asked_at: datetime
    sid: str | None = None
    answered_at: datetime | None = None
    missed: bool = False
    """It has been noted that nobody answered in time."""

    @property
    def is_open(self) -> bool:
        """Whether nobody has answered it."""
        return self.answered_at is None

    def waited(self, now: datetime) -> timedelta:
        """For how long. A clock that was put back must not keep the number from being shown."""
        return abs(now - self.asked_at)


def begins(call: Help | None, now: datetime) -> bool:
    """Whether asking now is another call, and not the same one asked for again."""
    return call is None or (call.answered_at is not None and abs(now - call.answered_at) >= ANSWER_WITHIN)


def answer(call: Help | None, call_id: str | None, now: datetime) -> Help | None:
    """The call after somebody has said that they come; an answer to another call changes nothing."""
    if call is None or call.id != call_id or not call.is_open:
        return call
    return replace(call, answered_at=now)


def is_missed(call: Help | None, now: datetime) -> bool:
    """Whether it is time to note that nobody has answered."""
    return call is not None and call.is_open and not call.missed and call.waited(now) >= ANSWER_WITHIN


def is_past(call: Help | None, now: datetime) -> bool:
    """Whether its answer has been shown for long enough."""
    if call is None or call.answered_at is None:
        return False
    # A clock that was put right may be far behind: no page is to stand for years by that.
    return not call.answered_at - ANSWER_SHOWN <= now < call.answered_at + ANSWER_SHOWN


def state(call: Help | None, now: datetime, *, region_up: bool) -> HelpState:
    """What the screen shows: without the region nobody can answer, so the number is shown at once."""
    if call is None:
        return "none"
    if not call.is_open:
        return "answered"
    return "sent" if region_up and call.waited(now) < ANSWER_WITHIN else "unanswered"
