"""Relays signalling between open meeting pages and the units, and tells each side when the other is gone."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Protocol

from agent.contract.schedule import PartyRole
from agent.contract.signalling import (
    SIGNAL_EXPIRY_S,
    UNIT_PEER,
    Admit,
    Reject,
    RemoteCheckIn,
    Signal,
)
from provisioning import doors
from provisioning.chairing import Chairing, Note, who
from provisioning.feeds import PageFeed
from provisioning.from_unit import FromUnit
from provisioning.ice import IceConfiguration
from provisioning.identifiers import new_id, peer_id
from provisioning.meetings import GRACE, Attendee, Line, Meeting, Meetings, OpenParty
from provisioning.page_signals import PageSignals
from provisioning.standing import BriefStandings, Standings
from provisioning.telling import REPLACED, Telling, tell_lobby
from provisioning.unit_wire import Publish, UnitWire
from web.clinic.services import Refused

log = logging.getLogger(__name__)

_INSTANCE = re.compile(r"[A-Za-z0-9-]{4,64}")


class SessionFacts(Protocol):
    """What signalling asks about a session."""

    def unit_of(self, sid: str) -> str | None:
        """The unit in the session's room now."""

    def is_over(self, sid: str) -> bool:
        """Whether it is cancelled or ended."""

    def may_resume(self, sid: str) -> str:
        """Empty if a unit that was away may go on with it now, otherwise why not."""


class Signalling:
    """Every method may be called on any thread. Pages are not kept: after a restart they open their feeds again
    with the same instance; who leads, who was let in, sees, and may show something is kept in `standings`."""

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
        standings: Standings | None = None,
        close_seat: Callable[[str], None] = lambda seat: None,
    ) -> None:
        self._clock = clock
        self._facts = facts
        self._note = note
        self._secret = secret
        self._standings = standings or BriefStandings()
        self._meetings = Meetings(self._standings.load, clock)
        self._wire = UnitWire(publish, clock, facts.unit_of)
        self._telling = Telling(self._wire, clock, ice or IceConfiguration(), ice_transport_policy, new_id())
        self._chairing = Chairing(self._telling, note, clock, close_seat)
        self._units = FromUnit(self._telling, self._chairing, note, clock, facts.may_resume)
        self._pages = PageSignals(self._telling, self._chairing, note, clock, self._share_peer)
        self._entered: set[str] = set()
        self._lock = RLock()

    # From the pages

    def open(self, attendee: Attendee, sid: str, instance: str) -> PageFeed:
        """A party's page is open: join, or join again, or knock. Raises Refused."""
        if not _INSTANCE.fullmatch(instance):
            raise Refused("instance", "is 4 to 64 letters, digits and hyphens")
        with self._lock:
            meeting = self._meetings.of(sid)
            peer = peer_id(self._secret, attendee.key, sid)
            known = meeting.find(peer)
            feed = PageFeed(lambda closed: self._closed(sid, peer, closed))
            if known is not None and instance in known.retired:
                feed.put(REPLACED)
                feed.end()
                return feed
            over = self._facts.is_over(sid)
            if not over and (answer := doors.at_the_door(meeting, attendee, peer, self._clock())):
                tell_lobby(feed, answer)
                feed.end()
                return feed
            again = known is not None and known.line.instance == instance
            party = self._seat(meeting, peer, attendee, instance, feed)
            if over or party.attendee.may_chair:
                meeting.ended = over  # the clinic's own may begin it anew; one who only knocks does not
            party.over = over
            inside = party.outside is None
        # First the log, then the unit: what it answers is to stand after what it answers to.
        if inside:
            self._note("party_reconnected" if again else "party_opened", sid, who(party))
        elif known is None:
            self._note("knocked", sid, who(party))
        with self._lock:
            # They may have been shown out, or replaced, while the log was written.
            if meeting.find(peer) is party and party.feed is feed:
                self._opened(meeting, party)
        return feed

    def signal(self, attendee: Attendee, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        """Pass on what a page says; raises Refused."""
        with self._lock:
            meeting, party = self._party(attendee, sid, instance)
            self._pages.check(meeting, party, message)
        noted = {"admit": "admit_asked", "reject": "reject_asked", "end": "end_asked", "leave": "party_left"}
        if kind := noted.get(str(message.get("type"))) if party.outside is None else None:
            self._note(kind, sid, who(party))
        with self._lock:
            # Anew: the chair may have passed on, or this party gone, while the log was written.
            meeting, party = self._party(attendee, sid, instance)
            self._pages.check(meeting, party, message)
            self._pages.take(meeting, party, message)
            self._settle(meeting)

    def party(self, attendee: Attendee, sid: str, instance: str) -> tuple[str, PartyRole]:
        """The peer id and role of a page that has joined; raises Refused."""
        with self._lock:
            party = self._party(attendee, sid, instance)[1]
            if party.outside is not None:
                raise Refused("instance", "waits outside")
            return party.peer, party.role

    def admits(self, attendee: Attendee, sid: str) -> bool:
        """Whether they come in without knocking."""
        with self._lock:
            peer = peer_id(self._secret, attendee.key, sid)
            return self._meetings.of(sid).admits(attendee, peer)

    def check_in(self, sid: str, by: str = "") -> None:
        """Staff have identified the patient in the room."""
        with self._lock:
            meeting = self._meetings.of(sid)
            self._wire.send(sid, UNIT_PEER, RemoteCheckIn(**self._telling.own(meeting), by=by))

    def parties(self, sid: str) -> tuple[str, ...]:
        """The roles of those who have the meeting open."""
        with self._lock:
            meeting = self._meetings.find(sid)
            return tuple(sorted(p.role for p in meeting.open_parties())) if meeting else ()

    def seats_taken(self, sid: str) -> Mapping[str, str]:
        """The seats that someone sits on (`inside`) or knocks for (`waiting`)."""
        with self._lock:
            meeting = self._meetings.find(sid)
            here = [party for party in meeting.everyone() if party.here] if meeting else []
            outside = {p.attendee.seat: "waiting" for p in here if p.attendee.seat and p.outside}
            return outside | {p.attendee.seat: "inside" for p in here if p.attendee.seat and not p.outside}

    def close_seat(self, sid: str, seat: str) -> None:
        """A seat was withdrawn: whoever sits on it or waits for it goes."""
        with self._lock:
            meeting = self._meetings.find(sid)
            for party in meeting.everyone() if meeting else []:
                if party.attendee.seat == seat and meeting is not None:
                    meeting.outside.pop(party.peer, None)
                    if meeting.parties.pop(party.peer, None) is not None:
                        self._telling.bye_of(meeting, party, "rejected")
                    tell_lobby(party.feed, "closed")
                    party.feed.put({"type": "bye", "reason": "rejected"})
                    party.feed.end()
                    meeting.standing.admitted.discard(party.peer)
            if meeting is not None:
                self._settle(meeting)

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
                self._units.session(meeting, signal)
            elif isinstance(signal, Admit | Reject):
                self._units.staff_in_room(meeting, peer, signal)
            elif found := meeting.line(peer):
                self._units.to_page(meeting, *found, signal)
            else:
                log.info("up/call of unit %s dropped: the party is not here", unit)
                return
            self._settle(meeting)

    def unit_is_back(self, unit: str) -> None:
        """A unit has started or was lost: it may know nothing of who has a meeting open."""
        with self._lock:
            for meeting in self._meetings:
                if meeting.open_parties() and self._facts.unit_of(meeting.sid) == unit:
                    self._telling.everything(meeting)

    def link_is_up(self) -> None:
        """The broker is back: what could not be sent and is not too old, then every open page."""
        with self._lock:
            self._wire.link_is_up()
            for meeting in self._meetings:
                if meeting.open_parties():
                    self._telling.everything(meeting)

    def tell(self, sid: str, message: Mapping[str, Any], *, to_guests: bool = True) -> None:
        """Tell every open page of a session; those who wait outside hear nothing of it."""
        with self._lock:
            meeting = self._meetings.find(sid)
            for party in meeting.parties.values() if meeting else ():
                if to_guests or not party.attendee.knocks:
                    party.feed.put(message)

    def over(self, sid: str) -> None:
        """The session is over: those outside hear it, and nothing of the meeting is kept."""
        with self._lock:
            meeting = self._meetings.find(sid)
            if meeting is None:
                return
            for party in meeting.everyone():
                if party.outside is not None:
                    tell_lobby(party.feed, "ended")
                elif party.attendee.knocks and not party.over:
                    party.feed.put({"type": "bye", "reason": "ended"})
                if party.attendee.knocks:
                    party.feed.end()
            meeting.outside.clear()
            self._meetings.forget(sid)

    def take_entered(self) -> list[str]:
        """Sessions that someone has come into who has not been told how they stand; each is given once."""
        with self._lock:
            entered, self._entered = self._entered, set()
            return sorted(entered)

    def open_sids(self) -> list[str]:
        """Sessions that someone has open."""
        with self._lock:
            return [meeting.sid for meeting in self._meetings if meeting.everyone()]

    def tick(self) -> None:
        """Say good-bye for pages that did not come back; renew credentials of those that are here."""
        lost: list[tuple[str, OpenParty]] = []
        with self._lock:
            for meeting in self._meetings:
                if not meeting.everyone():
                    continue
                self._telling.renew(meeting)
                gone = doors.gone(meeting, self._clock() - GRACE)
                self._chairing.choose(meeting)
                for party in gone:
                    self._telling.bye_of(meeting, party, "lost")
                lost += [(meeting.sid, party) for party in gone]
                self._settle(meeting)
        for sid, party in lost:
            self._note("party_left", sid, {**who(party), "reason": "lost"})

    def end(self) -> None:
        """The region stops: the pages open their feeds anew when it is back."""
        with self._lock:
            for meeting in self._meetings:
                for party in meeting.everyone():
                    party.feed.end()

    # How it is done; called with the lock held

    def _share_peer(self, sid: str, party: OpenParty) -> str:
        return peer_id(self._secret, party.attendee.key, sid + "share")

    def _party(self, attendee: Attendee, sid: str, instance: str) -> tuple[Meeting, OpenParty]:
        meeting = self._meetings.find(sid)
        party = meeting.find(peer_id(self._secret, attendee.key, sid)) if meeting else None
        if meeting is None or party is None:
            raise Refused("instance", "has not opened this meeting; reload the page")
        if party.line.instance != instance:
            raise Refused("instance", "was replaced by another window")
        return meeting, party

    def _seat(
        self, meeting: Meeting, peer: str, attendee: Attendee, instance: str, feed: PageFeed
    ) -> OpenParty:
        party = meeting.find(peer)
        if party is None:
            party = OpenParty(attendee, Line(peer, instance), feed, self._clock())
            doors.place(meeting, party)
            return party
        party.attendee = attendee
        if party.line.instance != instance:
            party.retired.add(party.line.instance)
            self._telling.end_share(meeting, party, "replaced")
            party.line.begin(instance)
            party.feed.put(REPLACED)
        party.feed.end()
        party.feed, party.closed_at, party.over, party.told = feed, None, False, None
        return party

    def _opened(self, meeting: Meeting, party: OpenParty) -> None:
        if party.over:
            if party.outside is not None:
                tell_lobby(party.feed, "ended")
            party.feed.put({"type": "bye", "reason": "ended"})
        elif party.outside is not None:
            self._telling.tell_lobby(meeting, party, party.outside)
        else:
            self._tell_again(party)
            self._pages.take_up_share(meeting, party)
            self._chairing.enter(meeting, party)
        self._settle(meeting)

    def _settle(self, meeting: Meeting) -> None:
        """After every change: who waited for a place, who leads, what is kept, who is told."""
        for party in doors.find_places(meeting):
            self._telling.tell_lobby(meeting, party, "admitted")
            self._chairing.enter(meeting, party)
        if any(party.told is None for party in meeting.open_parties()):
            self._entered.add(meeting.sid)
        self._chairing.choose(meeting)
        self._telling.settle(meeting)
        if meeting.standing != meeting.saved and not self._facts.is_over(meeting.sid):
            self._standings.save(meeting.sid, meeting.standing)
            meeting.saved = meeting.standing.model_copy(deep=True)

    def _closed(self, sid: str, peer: str, feed: PageFeed) -> None:
        with self._lock:
            meeting = self._meetings.find(sid)
            party = meeting.find(peer) if meeting else None
            if meeting is not None and party is not None and party.feed is feed:
                party.closed_at = self._clock()
                self._settle(meeting)

    def _tell_again(self, party: OpenParty) -> None:
        """An offer may have gone into a feed that was dead already; the page takes none twice."""
        oldest = self._clock() - timedelta(seconds=SIGNAL_EXPIRY_S)
        for line in party.lines():
            for told_at, message in line.unanswered:
                if told_at > oldest:
                    party.feed.put(message)
