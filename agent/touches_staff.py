"""What staff touch: unlocking by PIN, and what they do with the day's sessions. On the event loop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast, get_args

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from agent import session_events as ev
from agent.asking import Asking
from agent.contract.events import Intent, Notice
from agent.contract.schedule import ScheduledSession
from agent.memory import Fields
from agent.room import State as RoomState
from agent.room import TestAsked
from agent.screen import Outcome, Refusal, Touch
from agent.screen_view import lock
from agent.session_state import State
from agent.staff import STAFF_UNLOCKED, Answer, HandingOver, Place, is_open, opened, pin_digest, shut, unasked
from agent.unit import Unit

EXTEND_MIN = frozenset(range(1, 61))
HANDED_OVER_FROM = frozenset({State.BOOKED, State.READY, State.WAITING})
CheckIn = Callable[[ScheduledSession, str, str | None], Outcome]
Handler = Callable[[Touch], Awaitable[Outcome]]


class StaffTouches:
    """Does staff's touches; `handlers` by kind. `check_in` is the way in that all have (agent/touches.py)."""

    def __init__(
        self, unit: Unit, asking: Asking, intend: Callable[[str, Intent], bool], check_in: CheckIn
    ) -> None:
        self._unit = unit
        self._asking = asking
        self._intend = intend
        self._check_in = check_in
        self._verifying = asyncio.Lock()
        for_staff: dict[str, Handler] = {
            "staff_checkin": self._staff_checkin,
            "staff_start": self._staff_start,
            "staff_extend": self._extend,
            "staff_hand_over": self._hand_over,
            "staff_end": self._end,
            "staff_dropin": self._dropin,
            "staff_test": self._test,
            "staff_camera_right": self._camera_right,
            "staff_sound_right": self._sound_right,
        }
        self.handlers: dict[str, Handler] = {kind: self._when_open(do) for kind, do in for_staff.items()}
        self.handlers |= {
            "staff_unlock": self._unlock,
            "staff_lock": self._lock,
            "staff_dropin_cancel": self._dropin_cancel,
        }

    def stay_open(self) -> None:
        """Someone of the staff is still at the screen."""
        if self.is_open():
            self._unit.desk = replace(self._unit.desk, until=self._unit.clock.now() + STAFF_UNLOCKED)

    def is_open(self) -> bool:
        """Whether staff have unlocked the screen."""
        return is_open(self._unit.desk, self._unit.configuration, self._unit.clock.now())

    def _when_open(self, do: Handler) -> Handler:
        async def guarded(touch: Touch) -> Outcome:
            unit = self._unit
            if not self.is_open():
                return Outcome("staff_locked")
            self.stay_open()
            unit.desk = unasked(unit.desk)
            return await do(touch)

        return guarded

    async def _unlock(self, touch: Touch) -> Outcome:
        async with self._verifying:
            unit, now = self._unit, self._unit.clock.now()
            if unit.locks.pins.lock.is_locked(now):
                return Outcome("pin_locked", lock(unit.locks.pins.lock, now))
            member = touch.by if unit.configuration.staff else None
            digest = pin_digest(unit.configuration, member)
            if digest is None:
                return Outcome("bad_request" if unit.configuration.staff else "no_pin_set")
            fits = await asyncio.to_thread(_verify, digest, touch.text or "")
            if digest != pin_digest(unit.configuration, member):
                return Outcome("bad_request")  # removed, or given another PIN, while we looked
            fields: Fields = {"staff": member} if member else {}
            if not fits:
                unit.locks.pins = unit.locks.pins.after_wrong(member or "", now)
                unit.keep_locks()
                unit.record("staff_refused", None, fields)
                locked = unit.locks.pins.lock.is_locked(now)
                return Outcome("pin_locked" if locked else "wrong_pin", lock(unit.locks.pins.lock, now))
            unit.locks.pins = unit.locks.pins.after_right(member or "")
            unit.keep_locks()
            unit.record("staff_unlocked", None, fields)
            unit.desk = opened(unit.desk, unit.configuration, member, unit.clock.now())
            return Outcome()

    async def _lock(self, _touch: Touch) -> Outcome:
        self._unit.desk = shut(self._unit.desk)
        return Outcome()

    async def _staff_checkin(self, touch: Touch) -> Outcome:
        session = self._unit.sessions.get(touch.sid or "")
        if session is None:
            return Outcome("not_now")
        return self._check_in(session.plan, "staff", self._unit.desk.member)

    async def _staff_start(self, touch: Touch) -> Outcome:
        """Begin a booked session before its time, or ask the region for a new one now."""
        return await (self._dropin(touch) if touch.sid is None else self._staff_checkin(touch))

    async def _extend(self, touch: Touch) -> Outcome:
        held, minutes = self._unit.held(), _number(touch.text)
        if minutes not in EXTEND_MIN:
            return Outcome("bad_request")
        if held is None or held.plan.sid != touch.sid:
            return Outcome("not_now")
        sid, member = held.plan.sid, self._unit.desk.member

        def done() -> None:
            self._unit.record("extended", sid, {"minutes": minutes, **_staff(member)})

        return await self._ask("extend", Intent(sid=sid, minutes=minutes, by=member), done)

    async def _hand_over(self, touch: Touch) -> Outcome:
        unit, member = self._unit, self._unit.desk.member
        session = unit.sessions.get(touch.sid or "")
        if session is None or session.state not in HANDED_OVER_FROM:
            return Outcome("not_now")
        room = next((each.id for each in unit.configuration.rooms if each.id == touch.text), None)
        if room is None:
            return Outcome("no_such_room")
        sid = session.plan.sid
        unit.desk = replace(unit.desk, handing=HandingOver(sid, room, member, unit.clock.now()))

        def stays() -> None:
            if unit.desk.handing is not None and unit.desk.handing.sid == sid:
                unit.desk = replace(unit.desk, handing=None)

        def done() -> None:
            stays()
            unit.session_event(sid, ev.HandedOver(room, member))

        return await self._ask("hand_over", Intent(sid=sid, room=room, by=member), done, stays)

    async def _end(self, touch: Touch) -> Outcome:
        held = self._unit.held()
        if held is None or held.plan.sid != touch.sid:
            return Outcome("not_now")
        self._unit.session_event(held.plan.sid, ev.EndedByStaff(self._unit.desk.member))
        return Outcome()

    async def _dropin(self, touch: Touch) -> Outcome:
        """Ask a queue for a clinician; with no queue named, the room's own clinic for a meeting at once."""
        unit, member = self._unit, self._unit.desk.member
        if unit.held() is not None:
            return Outcome("room_taken")
        queue = touch.text or None
        if queue is not None and all(each.id != queue for each in unit.configuration.queues):
            return Outcome("no_queue")
        if queue is None:
            unit.dropin_asked_at, unit.dropin_by = unit.clock.now(), member

        def done() -> None:
            if queue is not None and (unit.desk.place is None or unit.desk.place.queue != queue):
                unit.wait_in_queue(Place(queue, unit.clock.now(), by=member))

        def refused() -> None:
            if queue is None:
                unit.dropin_asked_at = None

        return await self._ask("dropin", Intent(queue=queue, by=member), done, refused)

    async def _dropin_cancel(self, _touch: Touch) -> Outcome:
        """No longer wait. Staff need not unlock for it: the patient who gives up may say so too."""
        place = self._unit.desk.place
        if place is None:
            return Outcome("not_now")
        if not self._intend("dropin_cancel", Intent(queue=place.queue)):
            return Outcome("no_region")
        self._unit.wait_in_queue(None)
        return Outcome()

    async def _test(self, _touch: Touch) -> Outcome:
        if self._unit.held() is not None:
            return Outcome("room_taken")
        if self._unit.room.state == RoomState.SCANNING:
            return Outcome("not_now")
        self._unit.room_event(TestAsked("staff"))
        return Outcome()

    async def _camera_right(self, touch: Touch) -> Outcome:
        """The camera points where it shall from now on; what it sees is what is usual."""
        outcome = await self._test(touch)
        if outcome == Outcome():
            self._unit.camera_is_right()
        return outcome

    async def _sound_right(self, touch: Touch) -> Outcome:
        """Somebody has set loudspeaker or microphone as they shall be from now on: so loud is usual."""
        outcome = await self._test(touch)
        if outcome == Outcome():
            self._unit.sound_is_right()
        return outcome

    async def _ask(
        self, kind: str, intent: Intent, done: Callable[[], None], undone: Callable[[], None] = lambda: None
    ) -> Outcome:
        """Ask the region, show what it answers, and do what follows from a yes or a no, also from a late one."""
        unit, asked = self._unit, (kind, intent)

        def show(answer: Answer, minutes: int | None = None) -> None:
            if unit.desk.asked == asked:
                unit.desk = replace(unit.desk, answer=answer, offer_minutes=minutes)

        def answered(notice: Notice | None) -> None:
            if notice is not None and notice.ok:
                show("done")
                done()
            else:
                show(_refusal(notice), notice.minutes if notice is not None else None)
                if notice is not None:  # else it may yet be done
                    undone()
            unit.changed()

        unit.desk = replace(unit.desk, asked=asked, answer="asked")
        unit.changed()
        heard = await self._asking.ask(kind, intent, answered)
        if heard == "later":
            return Outcome(pending=True)
        if heard == "unheard":
            undone()
            show("no_region")
            return Outcome("no_region")
        if heard is not None and heard.ok:
            return Outcome()
        return Outcome(_refusal(heard), minutes=heard.minutes if heard is not None else None)


def _staff(member: str | None) -> Fields:
    return {"staff": member} if member else {}


def _refusal(notice: Notice | None) -> Refusal:
    return "no_region" if notice is None else _as_refusal(notice.reason or "")


def _as_refusal(reason: str) -> Refusal:
    return cast(Refusal, reason) if reason in get_args(Refusal) else "not_now"


def _number(text: str | None) -> int:
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,3}", text) else 0


def _verify(digest: str, pin: str) -> bool:
    try:
        return PasswordHasher().verify(digest, pin)
    except (Argon2Error, InvalidHashError):
        return False
