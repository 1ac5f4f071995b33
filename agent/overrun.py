"""An overrun seen coming: which session waits for the room that another still holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agent.session_state import OCCUPYING, Session, State

SOON = timedelta(minutes=5)
"""How long before its end the people in a meeting are told that another one follows."""
FOLLOWS_WITHIN = timedelta(minutes=5)
"""A gap before the next session that is no reason not to speak of the end: rooms are aired, people are early."""


def next_after(held: Session, sessions: Iterable[Session]) -> Session | None:
    """The session that is to have the room after the one that holds it; one nobody came to does not count."""
    coming = (
        s for s in sessions if s.state in {State.BOOKED, State.READY} and s.plan.start > held.plan.start
    )
    return min(coming, key=lambda s: (s.plan.start, s.plan.sid), default=None)


def ends_soon(held: Session, sessions: Iterable[Session], now: datetime) -> bool:
    """Whether the meeting must come to an end within minutes, since another session follows in this room."""
    following = next_after(held, sessions)
    if held.state == State.WAITING or following is None:
        return False
    return held.plan.end - SOON <= now and following.plan.start <= held.plan.end + FOLLOWS_WITHIN


def waits_for_room(sessions: Iterable[Session], now: datetime, within: timedelta = SOON) -> Session | None:
    """The session whose time has come, or comes within minutes, while another holds the room beyond its own
    end or up to that time; with `within` zero only one whose time has come."""
    all_here = tuple(sessions)
    held = next((s for s in all_here if s.state in OCCUPYING), None)
    following = next_after(held, all_here) if held is not None else None
    return following if following is not None and following.plan.start - within <= now else None


def free_until(held: Session, sessions: Iterable[Session], now: datetime) -> timedelta | None:
    """For how much longer than planned the room can be held; None if nothing follows."""
    following = next_after(held, sessions)
    return None if following is None else max(timedelta(0), following.plan.start - max(held.plan.end, now))
