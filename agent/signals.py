"""Signalling between the unit and its sessions' parties, by way of the region: numbered, checked, handed on."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from pydantic import BaseModel

from agent import session_events as ev
from agent.contract import Message, Topic
from agent.contract.signalling import (
    UNIT_PEER,
    Admit,
    Answer,
    Bye,
    Candidate,
    Chair,
    Hold,
    IceServer,
    IceServers,
    Join,
    Lobby,
    Reject,
    RemoteCheckIn,
    Sharing,
    Signal,
)
from agent.session_state import Party, Session, State, page_of
from agent.signal_book import SignalBook
from agent.unit import Unit

log = logging.getLogger(__name__)


class Calls(Protocol):
    """What signalling asks of the media side."""

    def answer(self, peer: str, attempt: int, sdp: str) -> None: ...
    def candidate(self, peer: str, attempt: int, candidate: dict[str, object]) -> None: ...
    def signalling(self, up: bool) -> None: ...
    def use_servers(self, peer: str, ice_servers: tuple[IceServer, ...]) -> None: ...


class Signals:
    """Both directions of `dn/call` and `up/call`. `send` tells whether the broker took it. On the event loop."""

    def __init__(self, unit: Unit, name: str, send: Callable[[Topic, BaseModel], bool]) -> None:
        self._unit = unit
        self._name = name
        self._send = send
        self._book = SignalBook()
        self.calls: Calls | None = None

    def up(self, sid: str, peer: str, make: Callable[[dict[str, Any]], Signal]) -> bool:
        """Send one signal, numbered; False when there is no connection."""
        numbers = {"instance": self._book.instance, "seq": self._book.next()}
        sent = self._send(Topic(self._name, "up/call", (sid, peer)), make(numbers))
        if not sent:
            log.info("signal not sent: no connection")
        return sent

    def forget(self, sid: str) -> None:
        """Keep nothing of a session."""
        self._book.forget(sid)

    def hear(self, message: Message) -> None:
        """A signal came; what is old, repeated or of a session or page that is gone changes nothing."""
        sid, peer = message.topic.levels
        signal: Signal = message.data
        self._unit.clock.learn(message.ts, fresh=False)
        if sid not in self._unit.sessions:
            log.info("signal refused: no such session")
            if isinstance(signal, Join) and peer != UNIT_PEER:
                self.up(sid, peer, lambda n: Bye(**n, reason="refused", end=False))
            return
        if not self._book.is_new(sid, peer, signal):
            return
        if peer == UNIT_PEER:
            self._about_session(sid, signal)
        else:
            self._from_party(sid, peer, signal)

    def _about_session(self, sid: str, signal: Signal) -> None:
        match signal:
            case RemoteCheckIn(by=by):
                self._check_in_remotely(sid, by or None)
            case Admit():
                self._unit.session_event(sid, ev.ResumeConfirmed())
            case Reject(reason=reason):
                self._unit.session_event(sid, ev.ResumeRefused(reason))
            case Chair(holder=holder):
                self._unit.session_event(sid, ev.ChairMoved(holder))
            case Lobby(waiting=waiting):
                self._unit.session_event(sid, ev.LobbyChanged(waiting))
            case Sharing(on=on):
                self._unit.session_event(sid, ev.SharingChanged(on))
            case _:
                log.info("signal refused: type does not fit the session")

    def _check_in_remotely(self, sid: str, by: str | None) -> None:
        """Only in the session's own time: nobody elsewhere is to open the room's camera whenever they like."""
        held, state = self._unit.held(), self._unit.sessions[sid].state
        if held is None and state == State.READY:
            self._unit.session_event(sid, ev.CheckedIn("staff_remote", by))
        elif held is None or held.plan.sid != sid:
            reason = "too_early" if held is None else "room_taken"
            self._unit.record("checkin_failed", sid, {"how": "staff_remote", "reason": reason})

    def _from_party(self, sid: str, peer: str, signal: Signal) -> None:
        session = self._unit.sessions[sid]
        if isinstance(signal, Join):
            self._join(sid, peer, signal)
            return
        known = session.party(peer)
        if known is None or page_of(known.instance) != page_of(signal.instance):
            log.info("signal refused: from a page that is gone")
            return
        if not self._for_media(session, peer, signal):
            self._for_session(sid, peer, signal)

    def _join(self, sid: str, peer: str, join: Join) -> None:
        party = Party(
            peer,
            join.role,
            join.identified,
            join.chair and join.share_of is None,
            join.instance,
            ice_servers=join.ice_servers,
            sees=join.sees,
            share_of=join.share_of,
        )
        if self.calls is not None:
            self.calls.use_servers(peer, join.ice_servers)
        self._unit.session_event(sid, ev.PartyJoined(party))

    def _for_media(self, session: Session, peer: str, signal: Signal) -> bool:
        """Hand it to the media side; False if it is none of its."""
        if self.calls is None:
            return False
        match signal:
            case IceServers(ice_servers=ice_servers):
                self.calls.use_servers(peer, ice_servers)
            case Answer(attempt=attempt, sdp=sdp):
                self.calls.answer(peer, attempt, sdp)
            case Candidate(attempt=attempt) if session.state != State.WAITING:
                candidate: dict[str, object] = {
                    "candidate": signal.candidate,
                    "sdpMid": signal.sdp_mid,
                    "sdpMLineIndex": signal.sdp_m_line_index,
                }
                self.calls.candidate(peer, attempt, candidate)
            case _:
                return False
        return True

    def _for_session(self, sid: str, peer: str, signal: Signal) -> None:
        match signal:
            case Admit():
                self._unit.session_event(sid, ev.Admitted(peer))
            case Reject():
                self._unit.session_event(sid, ev.Rejected(peer))
            case Hold(on=on):
                self._unit.session_event(sid, ev.Held(peer, on))
            case Bye(reason=reason, end=end):
                self._unit.session_event(sid, ev.PartyLeft(peer, reason, end))
            case _:
                log.info("signal refused: type does not fit the party")
