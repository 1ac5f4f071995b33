"""Who comes in at once, who waits outside, and who is gone: changes of a meeting, no I/O."""

from __future__ import annotations

from datetime import datetime

from provisioning.meetings import KNOCK_AGAIN_AFTER, MOST_WAITING, Attendee, Meeting, OpenParty


def at_the_door(meeting: Meeting, attendee: Attendee, peer: str, now: datetime) -> str:
    """What one hears whose page goes no further: a state of the lobby, or empty for all others."""
    if meeting.admits(attendee, peer):
        return ""
    rejected_at = meeting.rejected.get(peer)
    if rejected_at is not None and now - rejected_at < KNOCK_AGAIN_AFTER:
        return "rejected"
    if peer not in meeting.outside and len(meeting.outside) >= MOST_WAITING:
        return "full"
    return ""


def place(meeting: Meeting, party: OpenParty) -> None:
    """Put a newcomer inside, or outside: to be let in by the chair, or until there is a free place."""
    if not meeting.admits(party.attendee, party.peer):
        party.outside = "waiting"
        meeting.rejected.pop(party.peer, None)
    elif not meeting.has_place_for(party.attendee):
        party.outside = "full"
    if party.outside is None:
        meeting.parties[party.peer] = party
    else:
        meeting.outside[party.peer] = party


def find_places(meeting: Meeting) -> list[OpenParty]:
    """Those who waited for nothing but a free place and have one now: they are to be entered."""
    found = []
    for party in list(meeting.outside.values()):
        if party.outside == "full" and party.here and meeting.has_place_for(party.attendee):
            del meeting.outside[party.peer]
            meeting.parties[party.peer] = party
            found.append(party)
    return found


def gone(meeting: Meeting, before: datetime) -> list[OpenParty]:
    """Take out those whose page closed by that moment and did not come back; of whom the unit is to hear."""
    closed = [p for p in meeting.everyone() if p.closed_at is not None and p.closed_at <= before]
    for party in closed:
        meeting.parties.pop(party.peer, None)
        meeting.outside.pop(party.peer, None)
    return [party for party in closed if not party.over and party.outside is None]
