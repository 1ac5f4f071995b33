"""When a rule of agent/session.py holds. Pure: a session, an event and the time in, yes or no out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from agent.contract.signalling import UNIT_PEER
from agent.session_events import (
    Admitted,
    ChairMoved,
    CheckedIn,
    Held,
    LobbyChanged,
    PartyConnected,
    PartyJoined,
    PartyLeft,
    PartyLost,
    Rejected,
    Replanned,
    Restarted,
    ResumeConfirmed,
    SharingChanged,
    Tick,
    Touched,
)
from agent.session_state import Session, State, page_of

READY_BEFORE = timedelta(minutes=15)
RESUME_WITHIN = timedelta(seconds=120)
"""An agent that was away longer does not reopen camera and microphone by itself."""
OVERRUN = timedelta(hours=2)
"""How long after its end a session may go on before it counts as abandoned."""
ALONE = timedelta(minutes=30)
"""A call in which nobody else has been for so long is over: camera and microphone are not left open."""

ASK_AFTER = timedelta(minutes=3)
"""Nobody else in the call, and no touch for so long: the screen asks whether anybody is still here."""
ANSWER_WITHIN = timedelta(seconds=60)
"""Three times what WCAG 2.2 asks for to extend a time limit (success criterion 2.2.1)."""


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


def is_alone(session: Session, _event: Touched, _now: datetime) -> bool:
    return session.alone_since is not None


def seems_gone(session: Session, _event: Tick, now: datetime) -> bool:
    """Nobody is connected, staff do not lead from the room, and the screen has not been touched for long."""
    if session.alone_since is None or session.chair_here or session.asked_at is not None:
        return False
    return now >= max(session.alone_since, session.touched_at or session.alone_since) + ASK_AFTER


def does_not_answer(session: Session, _event: Tick, now: datetime) -> bool:
    if session.asked_at is None or session.alone_since is None or session.chair_here:
        return False
    return now >= session.asked_at + ANSWER_WITHIN


def still_unconfirmed(session: Session, _event: Tick, now: datetime) -> bool:
    return (
        not session.confirmed and session.resumed_at is not None and now >= session.resumed_at + RESUME_WITHIN
    )


def no_waiting_room(session: Session, event: PartyJoined, _now: datetime) -> bool:
    return (
        event.party.chair
        and event.party.is_person
        and not session.plan.features.waiting_room
        and session.confirmed
    )


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


def has_changed(session: Session, event: PartyJoined, _now: datetime) -> bool:
    """The same page, told of anew: it leads now, or no longer sees."""
    known, told = session.party(event.party.peer), event.party
    return known is not None and (known.chair, known.sees) != (told.chair and told.is_person, told.sees)


def from_chair(session: Session, event: Admitted | Rejected, _now: datetime) -> bool:
    party = session.party(event.peer)
    return party is not None and party.chair and session.confirmed


def held_by_chair(session: Session, event: Held, _now: datetime) -> bool:
    party = session.party(event.peer)
    return party is not None and party.chair and session.confirmed and event.on != session.on_hold


def was_rejected(session: Session, _event: Touched, _now: datetime) -> bool:
    return session.was_rejected


def chair_elsewhere(session: Session, event: ChairMoved, _now: datetime) -> bool:
    holders = {party.peer for party in session.parties if party.chair}
    return holders != {event.holder} - {UNIT_PEER} or session.chair_here != (event.holder == UNIT_PEER)


def lobby_differs(session: Session, event: LobbyChanged, _now: datetime) -> bool:
    return event.waiting != session.lobby


def sharing_differs(session: Session, event: SharingChanged, _now: datetime) -> bool:
    return event.on != session.sharing


def ends_meeting(session: Session, event: PartyLeft, _now: datetime) -> bool:
    """The chair ends it for all, or the last who leads goes; staff in the room who lead carry it on."""
    party = session.party(event.peer)
    if party is None:
        return False
    if event.end:
        return party.chair
    others = any(other.leads for other in session.parties if other.peer != event.peer)
    return event.reason == "left" and party.leads and not others and not session.chair_here


def known(session: Session, event: Any, _now: datetime) -> bool:  # noqa: ANN401 - any event with a peer
    return session.party(event.peer) is not None


def known_and_confirmed(session: Session, event: PartyLost, _now: datetime) -> bool:
    return session.confirmed and session.party(event.peer) is not None


def newly_connected(session: Session, event: PartyConnected, _now: datetime) -> bool:
    party = session.party(event.peer)
    return session.confirmed and party is not None and party.is_person and party.state != "connected"


def shows_newly(session: Session, event: PartyConnected, _now: datetime) -> bool:
    party = session.party(event.peer)
    return session.confirmed and party is not None and not party.is_person and party.state != "connected"


def may_resume(session: Session, event: Restarted, now: datetime) -> bool:
    return event.away < RESUME_WITHIN and now < session.plan.end + OVERRUN


def window_open(session: Session, _event: Restarted, now: datetime) -> bool:
    return now < session.plan.end


def unconfirmed(session: Session, _event: object, _now: datetime) -> bool:
    return not session.confirmed
