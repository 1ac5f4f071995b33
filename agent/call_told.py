"""What the call tells of its connections, handed to the session, the region, and the pages. On the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent import session_events as ev
from agent.media import facts
from agent.session_state import OCCUPYING
from agent.unit import Unit

if TYPE_CHECKING:
    from agent.call_control import CallControl
    from agent.meeting_talk import MeetingTalk
    from agent.wire import Wire

log = logging.getLogger(__name__)

GOODBYE_WITHIN_S = 1.0
"""Who ends a visit closes the connection and says goodbye through the region, and either may come first."""


class CallTold:
    """Whoever joins the parts sets `calls`, `wire` and `talk`; `greeters` hear of each connection that is up."""

    calls: CallControl
    wire: Wire
    talk: MeetingTalk

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self.greeters: list[Callable[[str], None]] = []
        self._gone: dict[str, asyncio.TimerHandle] = {}

    def fact(self, fact: facts.Fact) -> None:
        """See agent/media/facts.py; dropped when nobody is in the room."""
        session = self._unit.held()
        if session is None:
            return
        sid = session.plan.sid
        match fact:
            case facts.LocalOffer(peer, attempt, sdp):
                self._is_here(peer)
                self.wire.offer(sid, peer, attempt, sdp)
            case facts.LocalCandidate():
                self.wire.candidate(sid, fact.peer, fact.attempt, fact.candidate, fact.sdp_mid)
            case facts.Connected(peer) | facts.MediaFlowing(peer) | facts.MediaBack(peer):
                self._is_here(peer)
                self.calls.flowing(peer)
                self._unit.session_event(sid, ev.PartyConnected(peer))
                self.calls.tell_state()
                for greet in self.greeters if isinstance(fact, facts.Connected) else ():
                    greet(peer)
            case facts.MediaLost(peer):
                self.wire.doubt()
                self.lost(peer)
            case facts.PeerGone(peer):
                self.wire.doubt()
                self._is_here(peer)
                loop = asyncio.get_running_loop()
                self._gone[peer] = loop.call_later(GOODBYE_WITHIN_S, self._without_goodbye, sid, peer)
            case facts.ConnectionFailed(peer, reason, detail):
                log.warning("connection failed: %s", f"{reason}: {detail}" if detail else reason)
                self.lost(peer)
            case facts.PeerMessage(peer, message):
                self.talk.heard(peer, message)

    def _is_here(self, peer: str) -> None:
        """It has not gone, or has just done so: no goodbye is awaited."""
        if (awaited := self._gone.pop(peer, None)) is not None:
            awaited.cancel()

    def _without_goodbye(self, sid: str, peer: str) -> None:
        del self._gone[peer]
        session = self._unit.held()
        if session is not None and session.plan.sid == sid and session.party(peer) is not None:
            self.lost(peer)

    def lost(self, peer: str) -> None:
        """A connection never came to life, or is dead."""
        session = self._unit.held()
        if session is not None:
            self._unit.session_event(session.plan.sid, ev.PartyLost(peer))

    def device_error(self, what: str) -> None:
        """There can be no call at all."""
        session = self._unit.held()
        if session is not None and session.state in OCCUPYING:
            self._unit.session_event(session.plan.sid, ev.MediaFailed(what))
