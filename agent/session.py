"""The life of one session, as one table. Pure: time and events come in, the new session and effects go out.

booked → ready → waiting → admitted → in_call → ended → wiped, with cancelled, no_show and failed on the side.
RULES is the whole of it: the first rule whose source, event and guard fit decides, and an event that no rule
takes changes nothing. The diagram in the README is drawn from RULES.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from agent import session_guards as given
from agent import session_parties as people
from agent.session_events import (
    Admitted,
    AskResume,
    Cancelled,
    ChairMoved,
    CheckedIn,
    CloseMedia,
    Connect,
    Effect,
    EndedByStaff,
    Event,
    HandedOver,
    Held,
    LobbyChanged,
    MediaFailed,
    OpenMedia,
    PartyConnected,
    PartyJoined,
    PartyLeft,
    PartyLost,
    PatientLeft,
    Record,
    Rejected,
    Replanned,
    Restarted,
    ResumeConfirmed,
    ResumeRefused,
    RoomChecked,
    SayBye,
    SharingChanged,
    Tick,
    Touched,
    Wipe,
    Wiped,
)
from agent.session_state import OCCUPYING, OVER, Party, Session, State
from agent.table import Rule, follow

LOST_AFTER = timedelta(seconds=120)
"""After this the screen stops promising and shows the telephone number."""


__all__ = ["LOST_AFTER", "OCCUPYING", "OVER", "RULES", "Party", "Session", "State", "step"]

Result = tuple[Session, tuple[Effect, ...]]


def step(session: Session, event: Event, now: datetime) -> Result:
    """The session after an event, and the effects in the order they are to be done."""
    return follow(RULES, session, event, now)


def _becomes_ready(session: Session, _event: Tick, _now: datetime) -> Result:
    return session, (Record("session_degraded" if session.degraded else "session_ready"),)


def _room_checked(session: Session, event: RoomChecked, _now: datetime) -> Result:
    was, session = session.degraded, replace(session, degraded=not event.ok)
    if was == session.degraded or session.state == State.BOOKED:
        return session, ()
    return session, (Record("session_ready" if event.ok else "session_degraded"),)


def _check_in(session: Session, event: CheckedIn, now: datetime) -> Result:
    # Whoever comes in now was not in the room before the restart: of that visit nothing is left to be confirmed.
    session = replace(
        session, checked_in_at=now, checked_in_how=event.how, was_rejected=False, confirmed=True
    )
    return session, (Record("checked_in", (("how", event.how), *_by_staff(event))), OpenMedia())


def _by_staff(event: CheckedIn | HandedOver | EndedByStaff) -> tuple[tuple[str, str], ...]:
    return (("staff", event.staff),) if event.staff else ()


def _join_and_admit(session: Session, event: PartyJoined, now: datetime) -> Result:
    session, effects = people.join(session, event, now)
    session, more = people.admit(session, Admitted(event.party.peer), now)
    return session, (*effects, *more)


def _check_in_without_waiting_room(session: Session, event: CheckedIn, now: datetime) -> Result:
    session, effects = _check_in(session, event, now)
    chair = next(party.peer for party in session.parties if party.chair)
    session, more = people.admit(session, Admitted(chair), now)
    return session, (*effects, *more)


def _close(session: Session, reason: str, kind: str = "call_ended") -> Result:
    session = replace(session, end_reason=reason, parties=(), alone_since=None)
    session = replace(session, on_hold=False, chair_here=False, lobby=(), sharing=False, asked_at=None)
    return session, (Record(kind, (("reason", reason),)), CloseMedia(), SayBye("ended"), Wipe())


def _chair_ends(session: Session, event: PartyLeft, now: datetime) -> Result:
    session, effects = people.left(session, event, now)
    session, more = _close(session, "ended_by_clinician" if event.end else "last_clinician_left")
    return session, (*effects, *more)


def _patient_leaves(session: Session, _event: PatientLeft, _now: datetime) -> Result:
    return _close(session, "patient_left")


def _patient_leaves_waiting(session: Session, _event: PatientLeft, _now: datetime) -> Result:
    session = replace(session, checked_in_at=None, checked_in_how=None)
    return session, (Record("peer_left", (("role", "patient"), ("reason", "left_waiting"))), CloseMedia())


def _reject_patient(session: Session, event: Rejected, _now: datetime) -> Result:
    party = session.party(event.peer)
    session = replace(session, checked_in_at=None, checked_in_how=None, was_rejected=True)
    return session, (Record("patient_rejected", (("by", party.role if party else ""),)), CloseMedia())


def _rejection_read(session: Session, _event: Touched, _now: datetime) -> Result:
    return replace(session, was_rejected=False), ()


def _hand_over(session: Session, event: HandedOver, _now: datetime) -> Result:
    """No bye: those who have the meeting open go on to the other room."""
    closes = (CloseMedia(),) if session.checked_in_at is not None else ()
    session = replace(session, end_reason="handed_over", parties=(), alone_since=None)
    return session, (Record("handed_over", (("room", event.room), *_by_staff(event))), *closes, Wipe())


def _staff_end(session: Session, event: EndedByStaff, _now: datetime) -> Result:
    session, (_, *rest) = _close(session, "ended_by_staff")
    fields = (("reason", "ended_by_staff"), *_by_staff(event))
    return session, (Record("call_ended", fields), *rest)


def _staff_let_out(session: Session, event: EndedByStaff, _now: datetime) -> Result:
    session, (_, *rest) = _patient_leaves_waiting(session, PatientLeft(), _now)
    fields = (("role", "patient"), ("reason", "left_waiting"), *_by_staff(event))
    return session, (Record("peer_left", fields), *rest)


def _abandoned(session: Session, _event: Tick, _now: datetime) -> Result:
    return _close(session, "abandoned")


def _ask_if_here(session: Session, _event: Tick, now: datetime) -> Result:
    return replace(session, asked_at=now), ()


def _is_here(session: Session, _event: Touched, now: datetime) -> Result:
    return replace(session, touched_at=now, asked_at=None), ()


def _nobody_here(session: Session, _event: Tick, _now: datetime) -> Result:
    return _close(session, "nobody_here")


def _ends_unused(kind: str) -> Callable[[Session, Any, datetime], Result]:
    return lambda session, _event, _now: (replace(session, parties=()), (Record(kind), Wipe()))


def _missed(session: Session, _event: Tick, _now: datetime) -> Result:
    """Nobody could check in: the unit was off, or has the session only now. That is no no-show."""
    reason = "past_at_first_sight"
    session = replace(session, parties=(), end_reason=reason)
    return session, (Record("session_failed", (("reason", reason),)), Wipe())


def _cancel_waiting(session: Session, _event: Cancelled, _now: datetime) -> Result:
    return _close(session, "cancelled", "session_cancelled")


def _replan(session: Session, event: Replanned, _now: datetime) -> Result:
    return replace(session, plan=event.plan), ()


def _resume(session: Session, _event: Restarted, now: datetime) -> Result:
    """What the others decide, the region tells anew once it has confirmed: a change of it was missed meanwhile."""
    session = replace(session, on_hold=False, chair_here=False, lobby=(), sharing=False)
    # Nobody could answer a question that stood on the screen while the agent was away.
    session = replace(session, touched_at=None, asked_at=None)
    session = replace(session, confirmed=False, parties=(), resumed_at=now, alone_since=now)
    return session, (AskResume(),)


def _check_in_again(session: Session, _event: Restarted, _now: datetime) -> Result:
    cleared = replace(session, confirmed=True, parties=(), checked_in_at=None, checked_in_how=None)
    return cleared, (Record("peer_left", (("role", "patient"), ("reason", "unit_was_away"))),)


def _away_too_long(session: Session, _event: Restarted, _now: datetime) -> Result:
    return _close(session, "unit_was_away", "session_failed")


def _confirmed(session: Session, _event: ResumeConfirmed, _now: datetime) -> Result:
    session = replace(session, confirmed=True)
    if session.state == State.WAITING:
        return session, (OpenMedia(),)
    parties = tuple(replace(party, state="connecting") for party in session.parties)
    connects = tuple(Connect(party.peer) for party in parties)
    return replace(session, parties=parties), (OpenMedia(), *connects)


def _confirmed_without_waiting_room(session: Session, event: ResumeConfirmed, now: datetime) -> Result:
    session = replace(session, confirmed=True)
    chair = next(party.peer for party in session.parties if party.chair)
    session, effects = people.admit(session, Admitted(chair), now)
    return session, (OpenMedia(), *effects)


def _refused(session: Session, event: ResumeRefused, _now: datetime) -> Result:
    return _close(session, "resume_refused", "session_failed")


def _not_confirmed(session: Session, _event: Tick, _now: datetime) -> Result:
    return _close(session, "not_confirmed", "session_failed")


def _wipe_again(session: Session, _event: Restarted | Tick, _now: datetime) -> Result:
    return session, (Wipe(),)


def _wiped(session: Session, _event: Wiped, _now: datetime) -> Result:
    return session, (Record("session_wiped"),)


def _media_failed(session: Session, event: MediaFailed, _now: datetime) -> Result:
    return replace(session, degraded=True), (Record("session_degraded", (("reason", event.reason),)),)


_BEFORE = frozenset({State.BOOKED, State.READY})
_CALL = frozenset({State.ADMITTED, State.IN_CALL})
_UNWIPED = OVER - {State.WIPED}


def _in(*states: State) -> frozenset[State]:
    return frozenset(states)


S = State
RULES: tuple[Rule[Session, Effect], ...] = (
    Rule(_in(S.BOOKED), Tick, S.FAILED, _missed, given.is_past, "past at first sight"),
    Rule(_in(S.READY), Tick, S.NO_SHOW, _ends_unused("no_show"), given.is_past, "its end has passed"),
    Rule(_in(S.BOOKED), Tick, S.READY, _becomes_ready, given.is_time, "15 min before"),
    Rule(_BEFORE, Cancelled, S.CANCELLED, _ends_unused("session_cancelled")),
    Rule(_BEFORE, RoomChecked, None, _room_checked),
    Rule(
        _BEFORE, CheckedIn, S.ADMITTED, _check_in_without_waiting_room, given.chair_waits, "no waiting room"
    ),
    Rule(_BEFORE, CheckedIn, S.WAITING, _check_in),
    Rule(_BEFORE, PartyJoined, None, people.join, given.is_new_page),
    Rule(_BEFORE, PartyLeft, None, people.left_before, given.known),
    Rule(
        _in(S.WAITING),
        PartyJoined,
        S.ADMITTED,
        _join_and_admit,
        given.no_waiting_room,
        "no waiting room",
    ),
    Rule(_in(S.WAITING), PartyJoined, None, people.join, given.is_new_page),
    Rule(_in(S.WAITING), Admitted, S.ADMITTED, people.admit, given.from_chair, "by the chair"),
    Rule(_in(S.WAITING), Rejected, S.READY, _reject_patient, given.from_chair, "not the patient"),
    Rule(_in(S.WAITING), PartyLeft, None, people.left_before, given.known),
    Rule(_in(S.WAITING), PatientLeft, S.READY, _patient_leaves_waiting, when="may check in again"),
    Rule(_in(S.WAITING), EndedByStaff, S.READY, _staff_let_out, when="may check in again"),
    Rule(_in(S.WAITING), Cancelled, S.CANCELLED, _cancel_waiting),
    Rule(_BEFORE | {S.WAITING}, HandedOver, S.CANCELLED, _hand_over, when="to another room"),
    Rule(OCCUPYING, Tick, S.ENDED, _abandoned, given.is_abandoned, "30 min alone, 2 h after its end"),
    Rule(_CALL, Tick, S.FAILED, _not_confirmed, given.still_unconfirmed, "not confirmed in 120 s"),
    Rule(_CALL, Tick, S.ENDED, _nobody_here, given.does_not_answer, "nobody here"),
    Rule(_CALL, Tick, None, _ask_if_here, given.seems_gone),
    Rule(_CALL, Touched, None, _is_here, given.is_alone),
    Rule(_CALL, PartyJoined, None, people.join, given.unconfirmed_new_page, "not yet confirmed"),
    Rule(_CALL, PartyJoined, None, people.join_in_call, given.is_new_page),
    Rule(_BEFORE | OCCUPYING, PartyJoined, None, people.update, given.has_changed),
    Rule(_BEFORE | OCCUPYING, ChairMoved, None, people.move_chair, given.chair_elsewhere),
    Rule(_BEFORE | OCCUPYING, LobbyChanged, None, people.change_lobby, given.lobby_differs),
    Rule(_BEFORE | OCCUPYING, SharingChanged, None, people.change_sharing, given.sharing_differs),
    Rule(_BEFORE, Touched, None, _rejection_read, given.was_rejected),
    Rule(_CALL, Held, None, people.hold, given.held_by_chair),
    Rule(_CALL, PartyConnected, None, people.show, given.shows_newly),
    Rule(_CALL, PartyConnected, S.IN_CALL, people.connected, given.newly_connected, "media flows"),
    Rule(_CALL, PartyLost, None, people.lost, given.known_and_confirmed),
    Rule(_CALL, PartyLeft, S.ENDED, _chair_ends, given.ends_meeting, "chair ends, last clinician leaves"),
    Rule(_CALL, PartyLeft, None, people.left, given.known),
    Rule(_CALL, PatientLeft, S.ENDED, _patient_leaves),
    Rule(_CALL, EndedByStaff, S.ENDED, _staff_end, when="by staff"),
    Rule(OCCUPYING, MediaFailed, None, _media_failed),
    Rule(_in(S.READY), Replanned, S.BOOKED, _replan, given.is_moved_away, "moved to later"),
    Rule(_BEFORE | OCCUPYING, Replanned, None, _replan),
    Rule(OCCUPYING, Restarted, None, _resume, given.may_resume, "away under 120 s"),
    Rule(_in(S.WAITING), Restarted, S.READY, _check_in_again, given.window_open, "away longer"),
    Rule(OCCUPYING, Restarted, S.FAILED, _away_too_long, when="away longer"),
    Rule(
        _in(S.WAITING),
        ResumeConfirmed,
        S.ADMITTED,
        _confirmed_without_waiting_room,
        given.confirmed_and_chair_waits,
        "no waiting room",
    ),
    Rule(OCCUPYING, ResumeConfirmed, None, _confirmed, given.unconfirmed),
    Rule(OCCUPYING, ResumeRefused, S.FAILED, _refused, given.unconfirmed),
    # A tick finds a session here only if wiping it failed, such as on a full disk.
    Rule(_UNWIPED, Restarted, None, _wipe_again),
    Rule(_UNWIPED, Tick, None, _wipe_again),
    Rule(_UNWIPED, Wiped, S.WIPED, _wiped),
)
