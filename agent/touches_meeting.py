"""Touches that concern the meeting: who is let in, who leads, who sits beside, what is consented to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.screen import Outcome, Touch
from agent.session_state import Session
from agent.unit import Unit


class Region(Protocol):
    """What staff in the room ask of the region when they lead (agent/wire.py)."""

    def admit_party(self, sid: str, peer: str) -> bool: ...
    def reject_party(self, sid: str, peer: str) -> bool: ...
    def give_chair(self, sid: str, holder: str) -> bool: ...


class MeetingTouches:
    """Does them. is_staff: whether staff have unlocked the screen; tell_beside: tell the others of that list."""

    def __init__(
        self, unit: Unit, region: Region, *, is_staff: Callable[[], bool], tell_beside: Callable[[], None]
    ) -> None:
        self._unit = unit
        self._region = region
        self._is_staff = is_staff
        self._tell_beside = tell_beside
        self.handlers: dict[str, Callable[[Touch], Awaitable[Outcome]]] = {
            "party_admit": self._party_admit,
            "party_reject": self._party_reject,
            "chair_back": self._chair_back,
            "beside_add": self._beside_add,
            "beside_remove": self._beside_remove,
        }

    def _led_from_here(self) -> Session | Outcome:
        """The session that staff in the room lead, or why there is none."""
        held = self._unit.held()
        if held is None or not held.chair_here:
            return Outcome("not_now")
        return held if self._is_staff() else Outcome("staff_locked")

    async def _party_admit(self, touch: Touch) -> Outcome:
        return self._answer_knock(touch, self._region.admit_party)

    async def _party_reject(self, touch: Touch) -> Outcome:
        return self._answer_knock(touch, self._region.reject_party)

    def _answer_knock(self, touch: Touch, answer: Callable[[str, str], bool]) -> Outcome:
        session = self._led_from_here()
        if isinstance(session, Outcome):
            return session
        knock = next((knock for knock in session.lobby if knock.peer == touch.text), None)
        if knock is None:
            return Outcome("not_now")
        return Outcome(None if answer(session.plan.sid, knock.peer) else "no_region")

    async def _chair_back(self, touch: Touch) -> Outcome:
        """To the party that was named, or else to a clinician who is here."""
        session = self._led_from_here()
        if isinstance(session, Outcome):
            return session
        here = [party for party in session.parties if party.is_person and party.state != "lost"]
        chosen = [party for party in here if party.peer == touch.text] if touch.text else here
        holder = next(
            (p for p in sorted(chosen, key=lambda p: (p.role != "clinician", p.state != "connected"))), None
        )
        if holder is None:
            return Outcome("not_now")
        return Outcome(None if self._region.give_chair(session.plan.sid, holder.peer) else "no_region")

    async def _beside_add(self, touch: Touch) -> Outcome:
        if self._unit.held() is None:
            return Outcome("not_now")
        if not self._unit.meeting.beside_here(touch.text or ""):
            return Outcome("bad_request")
        self._tell_beside()
        return Outcome()

    async def _beside_remove(self, touch: Touch) -> Outcome:
        if self._unit.held() is None:
            return Outcome("not_now")
        if not self._unit.meeting.not_beside(touch.text or ""):
            return Outcome("bad_request")
        self._tell_beside()
        return Outcome()
