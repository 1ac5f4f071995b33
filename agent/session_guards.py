"""When a rule of agent/session.py holds. Pure: a session, an event and the time in, yes or no out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from agent.session_events import (
    Admitted,
    CheckedIn,
    PartyConnected,
    PartyJoined,
    PartyLeft,
    PartyLost,
    Replanned,
    Restarted,
    ResumeConfirmed,
    Tick,
)
from agent.session_state import Session, State, page_of

READY_BEFORE = timedelta(minutes=15)
RESUME_WITHIN = timedelta(seconds=120)
"""An agent that was away longer does not reopen camera and microphone by itself."""
OVERRUN = timedelta(hours=2)
"""How long after its end a session may go on before it counts as abandoned."""
ALONE = timedelta(minutes=30)
"""A call in which nobody else has been for so long is over: camera and microphone are not left open."""


def is_time(session: Session, _event: Tick, now: datetime) -> bool:
    return now >= session.plan.start - READY_BEFORE


def is_past(session: Session, event: Tick, now: datetime) -> bool:
    return event.sure and now >= session.plan.end


def is_moved_away(session: Session, event: Replanned, now: datetime) -> bool:
    return now < event.plan.start - READY_BEFORE


def is_abandoned(session: Session, event: Tick, now: datetime) -> bool:
    alone = not session.parties or session.alone_since is not None
    if (
        session.state != State.WAITING
        and session.alone_since is not None
        and now >= session.alone_since + ALONE
    ):
        return True
    return event.sure and now >= session.plan.end + OVERRUN and (session.state == State.WAITING or alone)


def still_unconfirmed(session: Session, _event: Tick, now: datetime) -> bool:
    return (
        not session.confirmed and session.resumed_at is not None and now >= session.resumed_at + RESUME_WITHIN
    )


def no_waiting_room(session: Session, event: PartyJoined, _now: datetime) -> bool:
    return event.party.chair and not session.plan.features.waiting_room and session.confirmed


def chair_waits(session: Session, _event: CheckedIn, _now: datetime) -> bool:
    return session.chair_present and not session.plan.features.waiting_room


def confirmed_and_chair_waits(session: Session, _event: ResumeConfirmed, _now: datetime) -> bool:
    return not session.confirmed and session.chair_present and not session.plan.features.waiting_room


def is_new_page(session: Session, event: PartyJoined, _now: datetime) -> bool:
    known = session.party(event.party.peer)
    # A region that was restarted tells of the page itself, and no longer of what the page has asked for since.
    return known is None or event.party.instance not in {known.instance, page_of(known.instance)}


def unconfirmed_new_page(session: Session, event: PartyJoined, now: datetime) -> bool:
    return not session.confirmed and is_new_page(session, event, now)


def from_chair(session: Session, event: Admitted, _now: datetime) -> bool:
    party = session.party(event.peer)
    return party is not None and party.chair and session.confirmed


def last_chair(session: Session, event: PartyLeft, _now: datetime) -> bool:
    party = session.party(event.peer)
    if party is None or not party.chair:
        return False
    others = any(other.chair for other in session.parties if other.peer != event.peer)
    return event.end or (event.reason == "left" and not others)


def known(session: Session, event: Any, _now: datetime) -> bool:  # noqa: ANN401 - any event with a peer
    return session.party(event.peer) is not None


def known_and_confirmed(session: Session, event: PartyLost, _now: datetime) -> bool:
    return session.confirmed and session.party(event.peer) is not None


def newly_connected(session: Session, event: PartyConnected, _now: datetime) -> bool:
    party = session.party(event.peer)
    return session.confirmed and party is not None and party.state != "connected"


def may_resume(session: Session, event: Restarted, now: datetime) -> bool:
    return event.away < RESUME_WITHIN and now < session.plan.end + OVERRUN


def window_open(session: Session, _event: Restarted, now: datetime) -> bool:
    return now < session.plan.end


def unconfirmed(session: Session, _event: object, _now: datetime) -> bool:
    return not session.confirmed
