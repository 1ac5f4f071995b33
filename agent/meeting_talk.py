"""What comes and goes over the call's data channels: read, judged by who said it, and answered.

The shell around agent/meeting.py, on the event loop. Logs name a message's type at most, and only if it is ours.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from agent.media.allowance import Allowance
from agent.meeting_messages import read_beside, read_chat, read_name
from agent.session_state import OCCUPYING, Party, Session
from agent.unit import Unit

log = logging.getLogger(__name__)

Message = Mapping[str, object]
CHAT_PER_S, CHAT_AT_ONCE = 1.0, 10.0
"""Faster than anybody writes or reads; without it one party's lines push out everyone else's."""


class Pages(Protocol):
    """The way to the pages (agent/call_control.py)."""

    def tell(self, message: Message, peer: str | None = None) -> None: ...


class MeetingTalk:
    """Hears what pages say and tells them what they are to know."""

    def __init__(self, unit: Unit, pages: Pages) -> None:
        self._unit = unit
        self._pages = pages
        self._handlers: dict[str, Callable[[Session, Party, Message], None]] = {
            "name": self._name,
            "chat": self._chat,
            "beside": self._beside,
        }
        self._chat_allowances: dict[str, Allowance] = {}

    def on(self, kind: str, handler: Callable[[Session, Party, Message], None]) -> None:
        """Hand messages of this type to handler; a type has one."""
        self._handlers[kind] = handler

    def heard(self, peer: str, message: Message) -> None:
        """A page's message: from a party of the meeting, or it is dropped."""
        session = self._unit.held()
        party = session.party(peer) if session is not None else None
        kind = message.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if session is None or party is None or not party.is_person or handler is None:
            log.debug("message dropped")
            return
        handler(session, party, message)
        self._unit.changed()

    def greet(self, peer: str) -> None:
        """A connection has come up: its page is told how everything is."""
        session = self._unit.held()
        if session is None or session.state not in OCCUPYING:
            return
        self._pages.tell({"type": "held", "on": session.on_hold}, peer)
        self.tell_beside(peer)

    def tell_beside(self, peer: str | None = None) -> None:
        """Say who sits beside the patient."""
        people = [
            {"id": person.id, "role": person.role, "name": person.name, "organisation": person.organisation}
            for person in self._unit.meeting.beside
        ]
        self._pages.tell({"type": "beside", "people": people}, peer)

    def _name(self, _session: Session, party: Party, message: Message) -> None:
        self._unit.meeting.named(party.peer, read_name(message))

    def _chat(self, _session: Session, party: Party, message: Message) -> None:
        chat = read_chat(message)
        if chat is not None and self._may_chat(party.peer):
            self._unit.meeting.said(party.peer, party.role, chat)

    def _may_chat(self, peer: str) -> bool:
        session = self._unit.held()
        here = {party.peer for party in session.parties} if session is not None else set()
        kept = {name: each for name, each in self._chat_allowances.items() if name in here}
        self._chat_allowances = kept
        allowance = kept.setdefault(peer, Allowance(CHAT_PER_S, CHAT_AT_ONCE))
        return allowance.take(self._unit.clock.monotonic_s())

    def _beside(self, _session: Session, party: Party, message: Message) -> None:
        people = read_beside(message) if party.chair else None
        if people is not None and self._unit.meeting.beside_by_chair(people):
            self.tell_beside()
