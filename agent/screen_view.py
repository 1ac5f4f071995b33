"""From what the unit believes to what the touchscreen shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent import overrun
from agent.checkin import TryLock
from agent.config import Configuration
from agent.contract.instructions import instruction, worst_first
from agent.contract.unit_config import SoundOutput
from agent.meeting import NOTHING_SAID, MeetingView
from agent.meeting_messages import Name
from agent.room import Room
from agent.room import State as RoomState
from agent.screen import (
    AskedPage,
    CallLine,
    Choice,
    EnrolView,
    Figure,
    HelpState,
    Lock,
    Page,
    PartyLine,
    QueueView,
    ScanView,
    Screen,
    SessionLine,
    SessionView,
    Todo,
)
from agent.session import LOST_AFTER
from agent.session_state import OCCUPYING, OVER, Party, Session, State
from agent.staff import Desk, is_open

ENDED_SHOWN = timedelta(seconds=60)
"""Long enough for three marks at leisure; a touch ends it sooner."""
STAFF_LIST = timedelta(hours=18)
CERTIFICATE = "certificate"
"""The fault of a unit that the region can let in no more: nobody can meet anyone in this room."""


@dataclass(frozen=True, slots=True)
class View:
    """All that the screen depends on."""

    now: datetime
    room: Room
    configuration: Configuration
    sessions: tuple[Session, ...]
    region_up: bool
    code_lock: TryLock
    pin_lock: TryLock
    desk: Desk
    ended: Session | None
    ended_at: datetime | None
    help_state: HelpState
    microphone: bool
    camera: bool
    media_failed: bool
    language: str | None
    media_generation: int
    scan: ScanView | None = None
    outputs: tuple[SoundOutput, ...] = ("loudspeaker",)
    output: SoundOutput = "loudspeaker"
    meeting: MeetingView = NOTHING_SAID
    speech: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()
    message: str = ""
    locating: bool = False
    enrol: EnrolView | None = None
    present: bool | None = None
    asked_page: AskedPage | None = None


def screen(view: View) -> Screen:
    """The whole document."""
    held = next((session for session in view.sessions if session.state in OCCUPYING), None)
    late = _late(view)
    document = Screen(
        page=_page(view, held),
        now=view.now,
        room_name=view.configuration.room_name,
        phone=view.configuration.phone,
        ready=view.room.ready,
        faults=worst_first((*view.room.faults, *view.room.warnings, *view.notes)),
        region_up=view.region_up,
        next_session=next(
            (line(s, late) for s in view.sessions if s.state in {State.BOOKED, State.READY}), None
        ),
        can_check_in=tuple(line(s, late) for s in view.sessions if s.state == State.READY),
        code_lock=lock(view.code_lock, view.now),
        pin_lock=lock(view.pin_lock, view.now),
        staff_unlocked_until=None,
        staff_sessions=(),
        session=_session(view, held or _after(view)),
        media_generation=view.media_generation,
        languages=view.configuration.languages,
        help_state=view.help_state,
        speech=tuple(code for code in view.configuration.languages if code in view.speech),
        volume=view.configuration.volume,
        high_contrast=view.configuration.high_contrast,
        scan=view.scan,
        outputs=view.outputs,
        output=view.output,
        locating=view.locating and held is None,
        enrol=view.enrol,
        present=view.present,
        asked_page=view.asked_page,
    )
    if document.page == "idle":
        document = replace(document, message=view.message)
    return _with_staff(document, view, late)


def line(session: Session, late: str | None = None) -> SessionLine:
    """A session as lists show it; `late` is the sid of the one whose room is still taken."""
    plan = session.plan
    methods = tuple(plan.checkin.methods)
    taken = plan.sid == late
    return SessionLine(plan.sid, plan.ref, plan.start, plan.end, session.state.value, methods, taken)


def lock(tries: TryLock, now: datetime) -> Lock:
    """A lock as the screen says it."""
    return Lock(tries.tries_left(now), tries.until if tries.is_locked(now) else None)


def call_line(session: Session, now: datetime) -> CallLine:
    """How the call is: two-way, being mended, or gone for so long that one should telephone."""
    alone = session.alone_since
    if session.state not in {State.ADMITTED, State.IN_CALL} or alone is None:
        return "fine"
    if now - alone >= LOST_AFTER:
        return "lost"
    return "reconnecting" if session.state == State.IN_CALL or not session.confirmed else "fine"


def _todo(view: View, faults: tuple[str, ...]) -> Todo | None:
    if not faults:
        return None
    first = instruction(faults[0])
    return Todo("fail" if view.room.faults else first.level, first.picture)


def _page(view: View, held: Session | None) -> Page:
    if held is not None:
        if view.media_failed:
            return "fault"
        return "waiting" if held.state == State.WAITING else "call"
    if _shows_ended(view):
        return "ended"
    return "fault" if CERTIFICATE in view.room.faults else "idle"


def _shows_ended(view: View) -> bool:
    return view.ended is not None and view.ended_at is not None and view.now < view.ended_at + ENDED_SHOWN


def _with_staff(document: Screen, view: View, late: str | None) -> Screen:
    """The document with what it says of staff, of queues, of an overrun and of the room's health."""
    desk, configuration = view.desk, view.configuration
    following = overrun.waits_for_room(view.sessions, view.now)
    document = replace(
        document,
        staff=tuple(Choice(each.id, each.label) for each in configuration.staff),
        queues=tuple(Choice(each.id, each.name) for each in configuration.queues),
        queue=_queue(view),
        overrun=line(following, late) if following else None,
        overrun_known=following is not None and following.plan.sid == desk.overrun_known,
    )
    if not is_open(desk, configuration, view.now):
        return document
    return replace(
        document,
        staff_unlocked_until=desk.until,
        staff_sessions=_staff_sessions(view, late),
        staff_member=next((each for each in document.staff if each.id == desk.member), None),
        staff_answer=desk.answer,
        staff_offer=desk.offer_minutes,
        rooms=tuple(Choice(each.id, each.name) for each in configuration.rooms),
        todo=_todo(view, document.faults),
        testing=view.room.state == RoomState.TESTING,
        tested_at=view.room.tested_at,
        figures=view.figures,
    )


def _late(view: View) -> str | None:
    following = overrun.waits_for_room(view.sessions, view.now, timedelta(0))
    return following.plan.sid if following else None


def _queue(view: View) -> QueueView | None:
    place = view.desk.place
    if place is None:
        return None
    name = next((each.name for each in view.configuration.queues if each.id == place.queue), place.queue)
    return QueueView(place.queue, name, place.place, place.since)


def _staff_sessions(view: View, late: str | None) -> tuple[SessionLine, ...]:
    soon: Iterable[Session] = (s for s in view.sessions if s.plan.start < view.now + STAFF_LIST)
    return tuple(line(session, late) for session in soon if session.state not in OVER)


def _session(view: View, session: Session | None) -> SessionView | None:
    if session is None:
        return None
    plan, meeting = session.plan, view.meeting
    late = session.state == State.WAITING and view.now > plan.start
    return SessionView(
        sid=plan.sid,
        ref=plan.ref,
        start=plan.start,
        state=session.state.value,
        meets=plan.party.role,
        clinic=plan.party.clinic,
        language=view.language or plan.language,
        late=late,
        microphone=view.microphone,
        camera=view.camera,
        line=call_line(session, view.now),
        parties=tuple(_party(party, meeting) for party in session.parties),
        ended_reason=session.end_reason,
        end=plan.end,
        on_hold=session.on_hold,
        was_rejected=session.was_rejected,
        chair_here=session.chair_here,
        lobby=tuple(PartyLine(knock.peer, knock.role, knock.identified, "joined") for knock in session.lobby),
        beside=meeting.beside,
        captions=meeting.captions,
        announcements=meeting.announcements,
        question=meeting.question,
        camera_choice=meeting.camera_choice,
        has_hand_camera=meeting.has_hand_camera,
        zoomed=meeting.zoomed,
        sharing=session.sharing,
        warning=meeting.warning if session.state == State.IN_CALL else "",
        ends_soon=overrun.ends_soon(session, view.sessions, view.now),
        alone=session.asked_at is not None,
    )


def _after(view: View) -> Session | None:
    """Of whom something is still shown while nobody is in the room: who has left, or was turned away."""
    if _shows_ended(view):
        return view.ended
    return next((session for session in view.sessions if session.was_rejected), None)


def _party(party: Party, meeting: MeetingView) -> PartyLine:
    name = meeting.names.get(party.share_of or party.peer, Name())
    return PartyLine(
        party.peer,
        party.role,
        party.identified,
        party.state,
        name=name.name,
        title=name.title,
        organisation=name.organisation,
        chair=party.chair,
        sees=party.sees,
        share_of=party.share_of,
    )
