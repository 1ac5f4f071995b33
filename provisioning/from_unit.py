"""What a unit says of a session and its connections, and what becomes of it at the pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from agent.contract.signalling import UNIT_PEER, Admit, Bye, Candidate, Chair, Join, Offer, Reject, Signal
from provisioning.chairing import BY_UNIT, Chairing, Note
from provisioning.meetings import Line, Meeting, OpenParty
from provisioning.telling import Telling
from web.clinic.services import Refused

log = logging.getLogger(__name__)

MOST_CANDIDATES = 64
_FINAL = frozenset({"left", "ended", "rejected", "refused"})
"""Reasons of a bye after which the unit expects the party no more."""


class FromUnit:
    """Used with signalling's lock held. may_resume(sid): empty, or why a unit may not go on with it."""

    def __init__(
        self,
        telling: Telling,
        chairing: Chairing,
        note: Note,
        clock: Callable[[], datetime],
        may_resume: Callable[[str], str],
    ) -> None:
        self._telling = telling
        self._chairing = chairing
        self._note = note
        self._clock = clock
        self._may_resume = may_resume

    def session(self, meeting: Meeting, signal: Signal) -> None:
        """As peer `unit`: of the whole session."""
        if isinstance(signal, Bye):
            for party in meeting.parties.values():
                self.to_page(meeting, party, party.line, signal)
        elif isinstance(signal, Chair):
            self._chairing.handed_back(meeting, signal.holder)
        elif isinstance(signal, Join) and signal.resume:
            reason = self._may_resume(meeting.sid)
            numbers = self._telling.own(meeting)
            answer = Reject(**numbers, reason=reason) if reason else Admit(**numbers)
            self._telling.wire.send(meeting.sid, UNIT_PEER, answer)
            self._note("resume_refused" if reason else "resume_confirmed", meeting.sid, {"reason": reason})
            if not reason:
                self._telling.everything(meeting)

    def staff_in_room(self, meeting: Meeting, peer: str, signal: Admit | Reject) -> None:
        """Staff beside the patient, who lead, let in one who waits outside or turn them away."""
        if meeting.standing.chair != UNIT_PEER:
            log.info("up/call dropped: staff in the room do not have the chair")
            return
        act = self._chairing.admit_party if isinstance(signal, Admit) else self._chairing.reject_party
        try:
            act(meeting, peer, BY_UNIT)
        except Refused as refused:
            log.info("up/call dropped: %s", refused)

    def to_page(self, meeting: Meeting, party: OpenParty, line: Line, signal: Signal) -> None:
        """Of one connection, to the page that has it."""
        mark = {"share": True} if line is party.share else {}
        if isinstance(signal, Offer):
            message = {"attempt": signal.attempt, "sdp": signal.sdp, "ice_servers": self._telling.servers()}
            policy = self._telling.ice_transport_policy
            offer = {"type": "offer", **message, "ice_transport_policy": policy, **mark}
            line.unanswered = [(self._clock(), offer)]
            party.feed.put(offer)
        elif isinstance(signal, Candidate):
            candidate = signal.model_dump(mode="json", exclude={"instance", "seq"}) | mark
            if 0 < len(line.unanswered) < MOST_CANDIDATES:
                line.unanswered.append((self._clock(), candidate))
            party.feed.put(candidate)
        elif isinstance(signal, Bye):
            if line is party.line:
                party.over = party.over or signal.reason in _FINAL
            elif signal.reason in _FINAL:
                party.share = None
                meeting.standing.shares.pop(party.peer, None)
            party.feed.put({"type": "bye", "reason": signal.reason, **mark})
