"""What the one who leads a meeting may do, and who leads it: changes of its standing, checked first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from agent.contract.signalling import UNIT_PEER
from provisioning.identifiers import looks_personal
from provisioning.meetings import GRACE, Meeting, OpenParty
from provisioning.telling import REPLACED, Telling, tell_lobby
from web.clinic.services import Refused

Note = Callable[[str, str, Mapping[str, str]], None]
"""Writes an entry of the meeting log: kind, sid, fields."""

FOR_CHAIR = frozenset(
    {
        "admit",
        "reject",
        "hold",
        "end",
        "admit_party",
        "reject_party",
        "remove_party",
        "chair",
        "sees",
        "sharing",
    }
)


class Chairing:
    """Used with signalling's lock held; every method may raise Refused. Who settles is the caller."""

    def __init__(
        self, telling: Telling, note: Note, clock: Callable[[], datetime], close_seat: Callable[[str], None]
    ) -> None:
        self._telling = telling
        self._note = note
        self._clock = clock
        self._close_seat = close_seat

    def check(self, meeting: Meeting, party: OpenParty, kind: object, message: Mapping[str, Any]) -> None:
        """Whether this party may do this now; raises Refused."""
        if kind not in FOR_CHAIR or meeting.standing.chair == party.peer:
            return
        # Staff may have left the room with the chair in their hands: the clinic's own can take it back.
        takes_back = kind == "chair" and meeting.standing.chair == UNIT_PEER
        takes_back = takes_back and message.get("holder") == party.peer
        if takes_back and party.attendee.may_chair and party.role == "clinician":
            return
        raise Refused("type", "is for the chair of the meeting")

    def do(self, meeting: Meeting, party: OpenParty, kind: object, message: Mapping[str, Any]) -> bool:
        """Do what the chair's page asks for; False if it is none of these."""
        by = who(party)
        match kind:
            case "admit_party":
                self.admit_party(meeting, message["peer"], by)
            case "reject_party":
                self.reject_party(meeting, message["peer"], by)
            case "remove_party":
                self._remove_party(meeting, party, message["peer"])
            case "chair":
                self.give(meeting, message["holder"], by)
            case "sees":
                self._sees(meeting, message["peer"], message["on"])
            case "sharing":
                self._sharing(meeting, message["on"], tuple(message["organisations"]), by)
            case "hold":
                meeting.standing.held = message["on"]
                self._telling.hold(meeting, party)
            case _:
                return False
        return True

    def admit_party(self, meeting: Meeting, peer: str, by: Mapping[str, str]) -> None:
        """Let in one who waits outside. Whoever else has the same seat gives it up."""
        party = _waiting(meeting, peer)
        if not meeting.has_place_for(party.attendee):
            raise Refused("peer", "finds no place: four take part already")
        sitting = meeting.sitting(party.attendee)
        if sitting is not None:
            self._give_up(meeting, sitting)
        self._note("party_admitted", meeting.sid, {**who(party), "admitted_by": by["by"]})
        meeting.standing.admitted.add(peer)
        meeting.standing.removed.discard(peer)
        del meeting.outside[peer]
        self._telling.tell_lobby(meeting, party, "admitted")
        self.enter(meeting, party)

    def reject_party(self, meeting: Meeting, peer: str, by: Mapping[str, str]) -> None:
        """Turn away one who waits outside; they may knock again after a minute."""
        party = _waiting(meeting, peer)
        self._note("party_rejected", meeting.sid, {**who(party), "rejected_by": by["by"]})
        meeting.rejected[peer] = self._clock()
        del meeting.outside[peer]
        tell_lobby(party.feed, "rejected")
        party.feed.end()

    def enter(self, meeting: Meeting, party: OpenParty) -> None:
        """Let the unit know of one more party."""
        party.outside = None
        meeting.parties[party.peer] = party
        standing = meeting.standing
        if standing.sharing and party.peer not in standing.present:
            # Consent was noted for those who were there.
            self._end_sharing(meeting, {"reason": "new_party"})
        self.choose(meeting)
        self._telling.join(meeting, party)
        if standing.held and standing.chair == party.peer:
            # A unit that was started anew while nobody led knows nothing of the hold that the pages show.
            self._telling.hold(meeting, party)

    def give(self, meeting: Meeting, holder: str, by: Mapping[str, str]) -> None:
        """Give the chair to another who may have it: a clinician, staff, or staff beside the patient."""
        party = meeting.parties.get(holder)
        if holder != UNIT_PEER and (party is None or not party.here or not party.attendee.may_chair):
            raise Refused("holder", "is not here, or may not lead the meeting")
        to = (
            {"to": party.attendee.id, "to_role": party.role}
            if party
            else {"to": UNIT_PEER, "to_role": "staff"}
        )
        self._note("chair_given", meeting.sid, {**by, **to})
        meeting.standing.chair = holder
        self._end_shares(meeting)
        if holder == UNIT_PEER:
            # There the hold ends: no page is to say that the room hears nothing when it does.
            meeting.standing.held = False

    def choose(self, meeting: Meeting) -> None:
        """Someone leads: the first clinician to come, and when their page is gone for good another who is here."""
        leader = meeting.standing.chair
        sitting = meeting.parties.get(leader)
        if meeting.ended or leader == UNIT_PEER or (sitting is not None and not sitting.over):
            return
        if leader and sitting is None and self._clock() - meeting.since < GRACE:
            return  # after a restart of the region pages come back one by one
        others = [p for p in meeting.open_parties() if p.role == "clinician" and p.attendee.may_chair]
        if not others:
            return
        if leader:
            to = {"to": others[0].attendee.id, "to_role": others[0].role}
            self._note("chair_given", meeting.sid, {**to, "reason": "lost"})
        meeting.standing.chair = others[0].peer
        self._end_shares(meeting)

    def handed_back(self, meeting: Meeting, holder: str) -> None:
        """Staff in the room give the chair away."""
        if meeting.standing.chair != UNIT_PEER:
            return
        party = meeting.parties.get(holder)
        if party is None or not party.attendee.may_chair or not party.here:
            clinicians = [p for p in meeting.open_parties() if p.role == "clinician" and p.attendee.may_chair]
            if not clinicians:
                return
            holder = clinicians[0].peer
        self.give(meeting, holder, BY_UNIT)

    def _remove_party(self, meeting: Meeting, chair: OpenParty, peer: str) -> None:
        party = meeting.parties.get(peer)
        if party is None or party.over:
            raise Refused("peer", "is not in the meeting")
        if party is chair:
            raise Refused("peer", "is the chair's own; leave instead")
        self._note("party_removed", meeting.sid, {**who(party), "removed_by": chair.attendee.id})
        meeting.standing.admitted.discard(peer)
        meeting.standing.removed.add(peer)
        if party.attendee.seat:
            self._close_seat(party.attendee.seat)
            for other in [p for p in meeting.outside.values() if p.attendee.seat == party.attendee.seat]:
                # Their link is good for nothing any more: let in, they could neither answer nor be heard.
                del meeting.outside[other.peer]
                tell_lobby(other.feed, "closed")
                other.feed.end()
        del meeting.parties[peer]
        party.feed.put({"type": "bye", "reason": "rejected"})
        party.feed.end()
        self._telling.bye_of(meeting, party, "rejected")

    def _give_up(self, meeting: Meeting, party: OpenParty) -> None:
        meeting.standing.admitted.discard(party.peer)
        del meeting.parties[party.peer]
        party.feed.put(REPLACED)
        party.feed.end()
        self._telling.bye_of(meeting, party, "replaced")

    def _sees(self, meeting: Meeting, peer: str, on: bool) -> None:
        party = meeting.parties.get(peer)
        if party is None or party.role != "interpreter":
            raise Refused("peer", "is not an interpreter in the meeting")
        (meeting.standing.unseeing.discard if on else meeting.standing.unseeing.add)(peer)

    def _sharing(
        self, meeting: Meeting, on: bool, organisations: tuple[str, ...], by: Mapping[str, str]
    ) -> None:
        names = tuple(dict.fromkeys(name.strip() for name in organisations if name.strip()))
        if not on:
            self._end_sharing(meeting, by)
            return
        if not names:
            raise Refused("organisations", "needs at least one: for whom consent was given")
        if any(map(looks_personal, names)):
            raise Refused("organisations", "looks like a personal number; the log keeps it for good")
        standing = meeting.standing
        standing.sharing, standing.organisations = True, names
        standing.present = {party.peer for party in meeting.parties.values() if not party.over}
        self._note("sharing_noted", meeting.sid, {**by, "sharing": "on", "organisations": "; ".join(names)})

    def _end_sharing(self, meeting: Meeting, why: Mapping[str, str]) -> None:
        standing = meeting.standing
        if not standing.sharing:
            return
        standing.sharing, standing.organisations, standing.present = False, (), set()
        self._end_shares(meeting)
        self._note("sharing_noted", meeting.sid, {**why, "sharing": "off"})

    def _end_shares(self, meeting: Meeting) -> None:
        """Of those who may show nothing any more: sharing is off, or they lead no longer."""
        for party in meeting.parties.values():
            if party.share is not None and not may_show(meeting, party):
                self._telling.end_share(meeting, party, "rejected")
                party.feed.put({"type": "bye", "reason": "rejected", "share": True})


BY_UNIT: Mapping[str, str] = {"by": UNIT_PEER, "role": "staff", "identified": "unit"}


def may_show(meeting: Meeting, party: OpenParty) -> bool:
    """Those for whom sharing was turned on, and always the clinician who leads."""
    standing = meeting.standing
    if standing.chair == party.peer and party.role == "clinician":
        return True
    return standing.sharing and party.peer in standing.present


def who(party: OpenParty) -> dict[str, str]:
    """A party in the log: an id that tells nothing by itself, a role, and how they are known."""
    attendee = party.attendee
    return {"by": attendee.id, "role": attendee.role, "identified": attendee.identified}


def _waiting(meeting: Meeting, peer: str) -> OpenParty:
    party = meeting.outside.get(peer)
    if party is None or party.outside != "waiting" or not party.here:
        raise Refused("peer", "does not wait outside any more")
    return party
