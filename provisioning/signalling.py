"""Relays signalling between open meeting pages and the units, and tells each side when the other is gone."""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Protocol

from pydantic import ValidationError

from agent.contract import Topic, encode
from agent.contract.schedule import PartyRole
from agent.contract.signalling import (
    SIGNAL_EXPIRY_S,
    UNIT_PEER,
    Admit,
    Answer,
    Bye,
    Candidate,
    IceServer,
    IceServers,
    Join,
    Offer,
    Reject,
    RemoteCheckIn,
    Signal,
)
from provisioning.feeds import PageFeed
from provisioning.ice import IceConfiguration
from provisioning.identifiers import new_id, peer_id
from provisioning.meetings import Meeting, Meetings, OpenParty
from web.clinic.services import Account, NotAllowed, Refused

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=20)
"""How long a page may be gone (a reload, a lost line) before the unit is told that the party is lost."""
MOST_UNSENT = 500
MOST_CANDIDATES = 64
REPLACED: Mapping[str, Any] = {"type": "replaced"}
_INSTANCE = re.compile(r"[A-Za-z0-9-]{4,64}")
_FINAL = frozenset({"left", "ended", "rejected", "refused"})
"""Reasons of a bye after which the unit expects the party no more."""

Publish = Callable[[Topic, bytes], bool]
Note = Callable[[str, str, Mapping[str, str]], None]
"""Writes an entry of the meeting log: kind, sid, fields."""


class SessionFacts(Protocol):
    """What signalling asks about a session."""

    def unit_of(self, sid: str) -> str | None:
        """The unit in the session's room now."""

    def is_over(self, sid: str) -> bool:
        """Whether it is cancelled or ended."""

    def may_resume(self, sid: str) -> str:
        """Empty if a unit that was away may go on with it now, otherwise why not."""


@dataclass(frozen=True, slots=True)
class _Unsent:
    until: datetime
    topic: Topic
    payload: bytes


class Signalling:
    """Every method may be called on any thread. Nothing of it is kept: after a restart pages join again."""

    def __init__(
        self,
        publish: Publish,
        clock: Callable[[], datetime],
        facts: SessionFacts,
        note: Note,
        *,
        secret: str,
        ice: IceConfiguration | None = None,
        ice_transport_policy: str = "all",
    ) -> None:
        self._publish = publish
        self._clock = clock
        self._facts = facts
        self._note = note
        self._secret = secret
        self._ice = ice or IceConfiguration()
        self._ice_transport_policy = ice_transport_policy
        self._instance = new_id()
        self._meetings = Meetings()
        self._unsent: deque[_Unsent] = deque(maxlen=MOST_UNSENT)
        self._lock = RLock()

    # From the pages

    def open(self, account: Account, sid: str, instance: str) -> PageFeed:
        """A party's page is open: join, or join again. Raises Refused or NotAllowed."""
        if account.role == "it":
            raise NotAllowed("meetings are for clinicians and staff")
        if not _INSTANCE.fullmatch(instance):
            raise Refused("instance", "is 4 to 64 letters, digits and hyphens")
        with self._lock:
            meeting = self._meetings.of(sid)
            peer = peer_id(self._secret, account.id, sid)
            known = meeting.parties.get(peer)
            feed = PageFeed(lambda closed: self._closed(sid, peer, closed))
            if known is not None and instance in known.retired:
                feed.put(REPLACED)
                feed.end()
                return feed
            again = known is not None and known.instance == instance
            party = self._seat(meeting, peer, account, instance, feed)
            party.over = self._facts.is_over(sid)
        # First the log, then the unit: what it answers is to stand after what it answers to.
        self._note("party_reconnected" if again else "party_opened", sid, _who(party))
        with self._lock:
            if party.over:
                feed.put({"type": "bye", "reason": "ended"})
            else:
                self._tell_again(party)
                self._join(meeting, party)
        return feed

    def signal(self, account: Account, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        """Pass on what a page says; raises Refused."""
        kind = message.get("type")
        with self._lock:
            meeting, party = self._party(account, sid, instance)
            if kind in {"admit", "end"} and not party.chair:
                raise Refused("type", "is for the chair of the meeting")
        noted = {"admit": "admit_asked", "end": "end_asked", "leave": "party_left"}.get(str(kind))
        if noted:
            self._note(noted, sid, _who(party))
        with self._lock:
            if kind == "resync":
                party.asked = party.numbers.next(self._clock())
                self._join(meeting, party)
            else:
                self._send(sid, party.peer, self._from_page(party, kind, message))
            party.over = party.over or kind in {"leave", "end"}

    def party(self, account: Account, sid: str, instance: str) -> tuple[str, PartyRole]:
        """The peer id and role of a page that has joined; raises Refused."""
        with self._lock:
            party = self._party(account, sid, instance)[1]
            return party.peer, party.role

    def check_in(self, sid: str) -> None:
        """Staff have identified the patient in the room."""
        with self._lock:
            self._send_to_unit(sid, RemoteCheckIn(**self._own(sid)))

    def parties(self, sid: str) -> tuple[str, ...]:
        """The roles of those who have the meeting open."""
        with self._lock:
            meeting = self._meetings.find(sid)
            return tuple(sorted(p.role for p in meeting.open_parties())) if meeting else ()

    # From the units

    def from_unit(self, unit: str, sid: str, peer: str, signal: Signal) -> None:
        """What a unit says to one party, or, as peer `unit`, of the whole session."""
        if self._facts.unit_of(sid) != unit:
            log.warning("up/call of unit %s dropped: the session is not in its room", unit)
            return
        with self._lock:
            meeting = self._meetings.of(sid)
            if not meeting.is_new(peer, signal):
                return
            if peer == UNIT_PEER:
                self._from_session(meeting, signal)
                return
            party = meeting.parties.get(peer)
            if party is None:
                log.info("up/call of unit %s dropped: the party is not here", unit)
                return
            self._to_page(party, signal)

    def unit_is_back(self, unit: str) -> None:
        """A unit has started or was lost: it may know nothing of who has a meeting open."""
        with self._lock:
            for meeting in self._meetings:
                if meeting.open_parties() and self._facts.unit_of(meeting.sid) == unit:
                    self._join_all(meeting)

    def link_is_up(self) -> None:
        """The broker is back: what could not be sent and is not too old, then every open page."""
        with self._lock:
            unsent, now = list(self._unsent), self._clock()
            self._unsent.clear()
            for item in unsent:
                if now < item.until and not self._publish(item.topic, item.payload):
                    self._unsent.append(item)
            for meeting in self._meetings:
                self._join_all(meeting)

    def tell(self, sid: str, message: Mapping[str, Any]) -> None:
        """Tell every open page of a session."""
        with self._lock:
            meeting = self._meetings.find(sid)
            for party in meeting.parties.values() if meeting else ():
                party.feed.put(message)

    def open_sids(self) -> list[str]:
        """Sessions that someone has open."""
        with self._lock:
            return [meeting.sid for meeting in self._meetings if meeting.parties]

    def tick(self) -> None:
        """Say good-bye for pages that did not come back; renew credentials of those that are here."""
        now = self._clock()
        lost: list[tuple[str, OpenParty]] = []
        with self._lock:
            self._renew(now)
            for meeting in self._meetings:
                for party in list(meeting.parties.values()):
                    if party.closed_at is None or now - party.closed_at < GRACE:
                        continue
                    del meeting.parties[party.peer]
                    if not party.over:
                        self._send(meeting.sid, party.peer, Bye(**self._numbered(party), reason="lost"))
                        lost.append((meeting.sid, party))
        for sid, party in lost:
            self._note("party_left", sid, {**_who(party), "reason": "lost"})

    def end(self) -> None:
        """The region stops: the pages open their feeds anew when it is back."""
        with self._lock:
            for meeting in self._meetings:
                for party in meeting.parties.values():
                    party.feed.end()

    # How it is done; called with the lock held

    def _party(self, account: Account, sid: str, instance: str) -> tuple[Meeting, OpenParty]:
        meeting = self._meetings.find(sid)
        party = meeting.parties.get(peer_id(self._secret, account.id, sid)) if meeting else None
        if meeting is None or party is None:
            raise Refused("instance", "has not opened this meeting; reload the page")
        if party.instance != instance:
            raise Refused("instance", "was replaced by another window")
        return meeting, party

    def _seat(
        self, meeting: Meeting, peer: str, account: Account, instance: str, feed: PageFeed
    ) -> OpenParty:
        party = meeting.parties.get(peer)
        if party is None:
            role: PartyRole = "clinician" if account.role == "clinician" else "staff"
            party = OpenParty(peer, account.id, role, role == "clinician", instance, feed)
            meeting.parties[peer] = party
            return party
        if party.instance != instance:
            party.retired.add(party.instance)
            party.instance, party.asked, party.unanswered = instance, 0, []
            party.feed.put(REPLACED)
        party.feed.end()
        party.feed, party.closed_at, party.over = feed, None, False
        return party

    def _closed(self, sid: str, peer: str, feed: PageFeed) -> None:
        with self._lock:
            meeting = self._meetings.find(sid)
            party = meeting.parties.get(peer) if meeting else None
            if party is not None and party.feed is feed:
                party.closed_at = self._clock()

    def _from_session(self, meeting: Meeting, signal: Signal) -> None:
        if isinstance(signal, Bye):
            for party in meeting.parties.values():
                self._to_page(party, signal)
        elif isinstance(signal, Join) and signal.resume:
            reason = self._facts.may_resume(meeting.sid)
            numbers = self._own(meeting.sid)
            self._send_to_unit(meeting.sid, Reject(**numbers, reason=reason) if reason else Admit(**numbers))
            self._note("resume_refused" if reason else "resume_confirmed", meeting.sid, {"reason": reason})
            if not reason:
                self._join_all(meeting)

    def _to_page(self, party: OpenParty, signal: Signal) -> None:
        if isinstance(signal, Offer):
            servers = [server.model_dump(mode="json") for server in self._ice.servers(self._clock())]
            message = {"attempt": signal.attempt, "sdp": signal.sdp, "ice_servers": servers}
            offer = {"type": "offer", **message, "ice_transport_policy": self._ice_transport_policy}
            party.unanswered = [(self._clock(), offer)]
            party.feed.put(offer)
        elif isinstance(signal, Candidate):
            candidate = signal.model_dump(mode="json", exclude={"instance", "seq"})
            if 0 < len(party.unanswered) < MOST_CANDIDATES:
                party.unanswered.append((self._clock(), candidate))
            party.feed.put(candidate)
        elif isinstance(signal, Bye):
            party.over = party.over or signal.reason in _FINAL
            party.feed.put({"type": "bye", "reason": signal.reason})

    def _tell_again(self, party: OpenParty) -> None:
        """An offer may have gone into a feed that was dead already; the page takes none twice."""
        oldest = self._clock() - timedelta(seconds=SIGNAL_EXPIRY_S)
        for told_at, message in party.unanswered:
            if told_at > oldest:
                party.feed.put(message)

    def _from_page(self, party: OpenParty, kind: object, message: Mapping[str, Any]) -> Signal:
        numbers = self._numbered(party)
        try:
            match kind:
                case "answer":
                    party.unanswered = []
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
                case "leave":
                    return Bye(**numbers, reason="left")
                case "end":
                    return Bye(**numbers, reason="ended", end=True)
        except (KeyError, ValidationError):
            raise Refused("message", "has a field that is missing or wrong") from None
        raise Refused("type", "is not a signal of a page")

    def _join_all(self, meeting: Meeting) -> None:
        for party in meeting.open_parties():
            self._join(meeting, party)

    def _join(self, meeting: Meeting, party: OpenParty) -> None:
        numbers = self._numbered(party)
        servers = self._servers_for(party)
        join = Join(**numbers, role=party.role, chair=party.chair, ice_servers=servers)
        self._send(meeting.sid, party.peer, join)

    def _servers_for(self, party: OpenParty) -> tuple[IceServer, ...]:
        party.servers_given_at = self._clock()
        return self._ice.servers(party.servers_given_at)

    def _renew(self, now: datetime) -> None:
        """The unit may build a connection anew at any time, with what it was given last."""
        after = self._ice.renew_after
        for meeting in self._meetings if after is not None else ():
            for party in meeting.open_parties():
                given = party.servers_given_at
                if given is not None and after is not None and now - given >= after:
                    numbers = self._numbered(party)
                    renewed = IceServers(**numbers, ice_servers=self._servers_for(party))
                    self._send(meeting.sid, party.peer, renewed)

    def _numbered(self, party: OpenParty) -> dict[str, Any]:
        return {"instance": party.wire_instance, "seq": party.numbers.next(self._clock())}

    def _own(self, sid: str) -> dict[str, Any]:
        return {"instance": self._instance, "seq": self._meetings.of(sid).to_unit.next(self._clock())}

    def _send_to_unit(self, sid: str, signal: Signal) -> None:
        self._send(sid, UNIT_PEER, signal)

    def _send(self, sid: str, peer: str, signal: Signal) -> None:
        unit = self._facts.unit_of(sid)
        if unit is None:
            log.info("signal of session %s dropped: no unit stands in its room", sid)
            return
        now = self._clock()
        topic, payload = Topic(unit, "dn/call", (sid, peer)), encode(signal, now=now)
        if not self._publish(topic, payload) and not isinstance(signal, Join):
            self._unsent.append(_Unsent(now + timedelta(seconds=SIGNAL_EXPIRY_S), topic, payload))


def _who(party: OpenParty) -> dict[str, str]:
    return {"by": party.account_id, "role": party.role, "identified": "account"}
