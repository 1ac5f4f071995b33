"""What a meeting page may say, who may say it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from agent.contract.signalling import Admit, Answer, Candidate, Reject, Signal
from provisioning import mesh
from provisioning.chairing import Chairing, Note, may_show, who
from provisioning.meetings import Line, Meeting, OpenParty
from provisioning.telling import Telling
from web.clinic.services import Refused

_MAY_TAKE_STILLS = frozenset({"clinician", "specialist"})
_OF_THOSE_HERE = frozenset({"mesh", "share", "resync"})
"""After leaving, a page reaches nobody else's; to be here again it opens its feed anew."""


class PageSignals:
    """Used with signalling's lock held. First `check`, which changes nothing, then `take`; both raise Refused."""

    def __init__(
        self,
        telling: Telling,
        chairing: Chairing,
        note: Note,
        clock: Callable[[], datetime],
        share_peer: Callable[[str, OpenParty], str],
    ) -> None:
        self._telling = telling
        self._chairing = chairing
        self._note = note
        self._clock = clock
        self._share_peer = share_peer

    def check(self, meeting: Meeting, party: OpenParty, message: Mapping[str, Any]) -> None:
        """Whether this page may say this now."""
        kind = message.get("type")
        if not party.signals.takes(self._clock()):
            raise Refused("message", "comes too often")
        if party.outside is not None and kind != "leave":
            raise Refused("type", "is for those inside; wait until the chair lets you in")
        if party.over and kind in _OF_THOSE_HERE:
            raise Refused("instance", "has left this meeting; reload the page")
        self._chairing.check(meeting, party, kind, message)
        if kind == "share" and message.get("on") and not may_show(meeting, party):
            raise Refused("share", "is off; the chair turns it on for those present")
        allowed = party.role in _MAY_TAKE_STILLS or meeting.standing.chair == party.peer
        if kind == "still_saved" and not allowed:
            raise Refused("type", "is for a clinician or a specialist")

    def take(self, meeting: Meeting, party: OpenParty, message: Mapping[str, Any]) -> None:
        """Do it, or pass it on to the unit or to another page."""
        kind = message.get("type")
        try:
            if not self._chairing.do(meeting, party, kind, message):
                self._take(meeting, party, str(kind), message)
        except (KeyError, ValidationError):
            raise Refused("message", "has a field that is missing or wrong") from None

    def take_up_share(self, meeting: Meeting, party: OpenParty) -> None:
        """After a restart of the region: this page shows something still, or no longer."""
        instance = meeting.standing.shares.get(party.peer)
        if instance is None or party.share is not None:
            return
        party.share = Line(self._share_peer(meeting.sid, party), instance)
        if instance != party.line.instance or not may_show(meeting, party):
            self._telling.end_share(meeting, party, "left")

    def _take(self, meeting: Meeting, party: OpenParty, kind: str, message: Mapping[str, Any]) -> None:
        match kind:
            case "mesh":
                mesh.pass_on(meeting, party, message, self._clock(), self._telling)
            case "share":
                self._share(meeting, party, message["on"])
            case "resync":
                self._telling.ask_again(meeting, party, _line(party, message))
            case "leave" | "end":
                self._leave(meeting, party, ended=kind == "end")
            case "still_saved":
                self._note("still_saved", meeting.sid, who(party))
            case _:
                line = _line(party, message)
                self._telling.wire.send(meeting.sid, line.peer, self._signal(meeting, line, kind, message))

    def _signal(self, meeting: Meeting, line: Line, kind: str, message: Mapping[str, Any]) -> Signal:
        numbers = line.numbered(self._clock())
        match kind:
            case "answer":
                line.unanswered = []
                return Answer(**numbers, attempt=message["attempt"], sdp=message["sdp"])
            case "candidate":
                return Candidate(
                    **numbers,
                    attempt=message["attempt"],
                    candidate=message["candidate"],
                    sdp_mid=message.get("sdp_mid"),
                    sdp_m_line_index=message.get("sdp_m_line_index"),
                )
            case "admit":
                return Admit(**numbers)
            case "reject":
                meeting.standing.held = False
                return Reject(**numbers)
        raise Refused("type", "is not a signal of a page")

    def _leave(self, meeting: Meeting, party: OpenParty, *, ended: bool) -> None:
        party.over, meeting.ended = True, meeting.ended or ended
        if party.outside is not None:
            del meeting.outside[party.peer]
            return
        # The next to lead is there before the one who led goes.
        self._chairing.choose(meeting)
        self._telling.settle(meeting)
        self._telling.bye_of(meeting, party, "ended" if ended else "left", end=ended)

    def _share(self, meeting: Meeting, party: OpenParty, on: bool) -> None:
        if not on:
            self._telling.end_share(meeting, party, "left")
        elif party.share is None:
            instance = party.line.instance
            party.share = Line(self._share_peer(meeting.sid, party), instance)
            meeting.standing.shares[party.peer] = instance
            self._telling.join_share(meeting, party)


def _line(party: OpenParty, message: Mapping[str, Any]) -> Line:
    if not message.get("share"):
        return party.line
    if party.share is None:
        raise Refused("share", "is not on")
    return party.share
