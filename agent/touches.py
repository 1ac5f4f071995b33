"""What a touch on the screen does. On the event loop; the slow digests run beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from agent import session_events as ev
from agent.checkin import TryLock, digests_of, is_code, match_code
from agent.contract.events import Intent
from agent.contract.schedule import ScheduledSession
from agent.screen import Outcome, Refusal, Touch
from agent.screen_view import lock
from agent.session_state import OCCUPYING, Session, State
from agent.touches_help import help_touches
from agent.unit import Unit

STAFF_UNLOCKED = timedelta(seconds=120)
"""Each touch by staff begins it anew."""
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
            "staff_unlock": self._staff_unlock,
            "staff_lock": self._staff_lock,
            "staff_checkin": self._staff_checkin,
            "staff_start": self._staff_start,
            "still_here": self._still_here,
            "done": self._done,
            "language": self._language,
            **help_touches(unit),
        }

    def add(self, handlers: Mapping[str, Handler]) -> None:
        """Touches that another module does."""
        self._handlers.update(handlers)

    async def do(self, touch: Touch) -> Outcome:
        """Do one touch and show what came of it."""
        self._unit.touched()
        handler = self._handlers.get(touch.kind)
        outcome = await handler(touch) if handler is not None else Outcome("bad_request")
        by_staff = touch.kind.startswith("staff_") or touch.kind in STAFF_LEADS
        if by_staff and outcome.ok and touch.kind != "staff_lock":
            self._unit.staff_until = self._unit.clock.now() + STAFF_UNLOCKED
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
            digests = await asyncio.to_thread(digests_of, touch.text, plans, snapshot.salt)
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

    def _check_in(self, plan: ScheduledSession, how: str) -> Outcome:
        session = self._unit.sessions.get(plan.sid)
        refusal = self._why_not(plan, session, by_staff=how == "staff")
        if refusal is not None or session is None:
            return Outcome(refusal)
        if how == "code":
            self._unit.locks.code = TryLock()
            self._unit.keep_locks()
        self._unit.session_event(plan.sid, ev.CheckedIn(how))
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

    async def _staff_unlock(self, touch: Touch) -> Outcome:
        async with self._checking:
            unit, now = self._unit, self._unit.clock.now()
            if unit.locks.pin.is_locked(now):
                return Outcome("pin_locked", lock(unit.locks.pin, now))
            digest = unit.configuration.staff_pin_digest
            if digest is None:
                return Outcome("no_pin_set")
            if not await asyncio.to_thread(_verify, digest, touch.text or ""):
                unit.locks.pin = unit.locks.pin.after_wrong(now)
                unit.keep_locks()
                unit.record("staff_refused", None)
                locked = unit.locks.pin.is_locked(now)
                return Outcome("pin_locked" if locked else "wrong_pin", lock(unit.locks.pin, now))
            unit.locks.pin = TryLock()
            unit.keep_locks()
            unit.record("staff_unlocked", None)
            return Outcome()

    async def _staff_lock(self, _touch: Touch) -> Outcome:
        self._unit.staff_until = None
        return Outcome()

    async def _staff_checkin(self, touch: Touch) -> Outcome:
        session = self._unit.sessions.get(touch.sid or "")
        if not self.is_staff():
            return Outcome("staff_locked")
        return Outcome("not_now") if session is None else self._check_in(session.plan, "staff")

    async def _staff_start(self, touch: Touch) -> Outcome:
        """Begin a booked session before its time, or ask the region for a new one now."""
        if touch.sid is not None:
            return await self._staff_checkin(touch)
        if not self.is_staff():
            return Outcome("staff_locked")
        if self._unit.held() is not None:
            return Outcome("room_taken")
        if not self._intend("dropin", Intent()):
            return Outcome("no_region")
        self._unit.dropin_asked_at = self._unit.clock.now()
        return Outcome()

    def is_staff(self) -> bool:
        """Whether staff have unlocked the screen."""
        until, now = self._unit.staff_until, self._unit.clock.now()
        # A clock that was put right may be far behind `until`: nobody is to stay unlocked by that.
        return until is not None and now < until <= now + 2 * STAFF_UNLOCKED

    async def _still_here(self, _touch: Touch) -> Outcome:
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


def _verify(digest: str, pin: str) -> bool:
    try:
        return PasswordHasher().verify(digest, pin)
    except (Argon2Error, InvalidHashError):
        return False
