"""What a touch on the screen does. On the event loop; the slow digests run beside it.

Staff's touches are in agent/touches_staff.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from agent import session_events as ev
from agent.asking import Asking
from agent.checkin import TryLock, digests_of, is_code, match_code
from agent.contract.events import Intent
from agent.contract.schedule import ScheduledSession
from agent.notices import Notices
from agent.screen import Outcome, Refusal, Touch
from agent.screen_view import lock
from agent.session_state import OCCUPYING, Session, State
from agent.touches_feedback import feedback_touches
from agent.touches_help import help_touches
from agent.touches_locate import locate_touches
from agent.touches_staff import StaffTouches
from agent.unit import Unit

STAFF_LEADS = frozenset({"party_admit", "party_reject", "chair_back"})
"""Touches of staff who lead the meeting from the room."""
Handler = Callable[[Touch], Awaitable[Outcome]]


class Touches:
    """Does touches. `intend` asks the region for something; `set_*` turn microphone and camera."""

    def __init__(
        self,
        unit: Unit,
        *,
        intend: Callable[[str, Intent], bool],
        set_microphone: Callable[[bool], None],
        set_camera: Callable[[bool], None],
        notices: Notices | None = None,
    ) -> None:
        self._unit = unit
        self._intend = intend
        self._set_microphone = set_microphone
        self._set_camera = set_camera
        self._checking = asyncio.Lock()
        self._handlers: dict[str, Handler] = {
            "checkin_code": self._checkin_code,
            "checkin_button": self._checkin_button,
            "microphone": self._microphone,
            "camera": self._camera,
            "leave": self._leave,
            "still_here": self._still_here,
            "done": self._done,
            "language": self._language,
            **help_touches(unit),
            **feedback_touches(unit),
            **locate_touches(unit),
        }
        asking = Asking(intend)
        self._staff = StaffTouches(unit, asking, intend, self._check_in)
        self._handlers |= self._staff.handlers
        if notices is not None:
            notices.on("intent", asking.take)

    def add(self, handlers: Mapping[str, Handler]) -> None:
        """Touches that another module does. Raises ValueError for one that is done already."""
        twice = self._handlers.keys() & handlers.keys()
        if twice:
            raise ValueError(f"touches done in two places: {', '.join(sorted(twice))}")
        self._handlers.update(handlers)

    async def do(self, touch: Touch) -> Outcome:
        """Do one touch and show what came of it."""
        self._unit.touched()
        handler = self._handlers.get(touch.kind)
        outcome = await handler(touch) if handler is not None else Outcome("bad_request")
        if touch.kind in STAFF_LEADS and outcome.ok:
            self._staff.stay_open()
        self._unit.changed()
        return outcome

    async def _checkin_code(self, touch: Touch) -> Outcome:
        async with self._checking:
            unit, now = self._unit, self._unit.clock.now()
            if unit.locks.code.is_locked(now):
                return Outcome("locked", lock(unit.locks.code, now))
            if touch.text is None or not is_code(touch.text):
                return Outcome("bad_request")
            snapshot = unit.snapshot
            plans = [session.plan for session in unit.sessions.values()]
            plans += [plan for plan in snapshot.sessions if plan.sid not in unit.sessions]
            digests = await asyncio.to_thread(
                digests_of, touch.text, plans, snapshot.salt, unit.memory.used_salts()
            )
            plan = match_code(digests, plans, snapshot.salt)
            if plan is None:
                over = unit.memory.code_is_over(digests.values())
                if over is not None:
                    return Outcome(over)
                unit.locks.code = unit.locks.code.after_wrong(now)
                unit.keep_locks()
                locked = unit.locks.code.is_locked(now)
                unit.record("checkin_locked" if locked else "checkin_failed", None)
                return Outcome("locked" if locked else "wrong_code", lock(unit.locks.code, now))
            return self._check_in(plan, "code")

    def check_in(self, plan: ScheduledSession, how: str) -> Outcome:
        """Let a session's patient in by another way (`how`), or say why not."""
        return self._check_in(plan, how)

    def _check_in(self, plan: ScheduledSession, how: str, staff: str | None = None) -> Outcome:
        session = self._unit.sessions.get(plan.sid)
        refusal = self._why_not(plan, session, by_staff=how == "staff")
        if refusal is not None or session is None:
            return Outcome(refusal)
        if how == "code":
            self._unit.locks.code = TryLock()
            self._unit.keep_locks()
        self._unit.session_event(plan.sid, ev.CheckedIn(how, staff))
        return Outcome()

    def _why_not(self, plan: ScheduledSession, session: Session | None, *, by_staff: bool) -> Refusal | None:
        """Why this session cannot be checked in now, if it cannot."""
        now = self._unit.clock.now()
        if session is None:
            return "old_code" if now >= plan.end else "used_code"
        if session.state in OCCUPYING:
            return "used_code"
        held = self._unit.held()
        if held is not None:
            return "room_taken"
        if session.state == State.READY or (by_staff and session.state == State.BOOKED):
            return None
        return "too_early" if session.state == State.BOOKED else "used_code"

    async def _checkin_button(self, touch: Touch) -> Outcome:
        session = self._unit.sessions.get(touch.sid or "")
        if session is None or "button" not in session.plan.checkin.methods:
            return Outcome("not_now")
        return self._check_in(session.plan, "button")

    async def _microphone(self, touch: Touch) -> Outcome:
        return self._turn(self._set_microphone, touch.on)

    async def _camera(self, touch: Touch) -> Outcome:
        return self._turn(self._set_camera, touch.on)

    def _turn(self, turn: Callable[[bool], None], on: bool | None) -> Outcome:
        if on is None:
            return Outcome("bad_request")
        if self._unit.held() is None:
            return Outcome("not_now")
        turn(on)
        return Outcome()

    async def _leave(self, _touch: Touch) -> Outcome:
        held = self._unit.held()
        if held is None:
            return Outcome("not_now")
        self._unit.session_event(held.plan.sid, ev.PatientLeft())
        return Outcome()

    def is_staff(self) -> bool:
        """Whether staff have unlocked the screen."""
        return self._staff.is_open()

    async def _still_here(self, _touch: Touch) -> Outcome:
        self._staff.stay_open()
        if self._unit.scan is not None:
            self._unit.scan.stay()
        return Outcome()

    async def _language(self, touch: Touch) -> Outcome:
        if touch.text not in self._unit.configuration.languages:
            return Outcome("bad_request")
        self._unit.language = touch.text
        return Outcome()

    async def _done(self, _touch: Touch) -> Outcome:
        self._unit.help.patient_went()
        self._unit.dismiss_ended()
        return Outcome()
