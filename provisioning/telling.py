"""Brings what the unit and the pages have been told in line with what a meeting is now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from agent.contract.signalling import (
    UNIT_PEER,
    Bye,
    ByeReason,
    Chair,
    Hold,
    IceServer,
    IceServers,
    Join,
    Knock,
    Lobby,
    Sharing,
)
from provisioning.feeds import PageFeed
from provisioning.ice import IceConfiguration
from provisioning.meetings import GRACE, Line, Meeting, OpenParty, servers_json
from provisioning.unit_wire import UnitWire

REPLACED: Mapping[str, Any] = {"type": "replaced"}


class Telling:
    """Used with signalling's lock held. `instance` names this start of the region to the units."""

    def __init__(
        self,
        wire: UnitWire,
        clock: Callable[[], datetime],
        ice: IceConfiguration,
        ice_transport_policy: str,
        instance: str,
    ) -> None:
        self.wire = wire
        self._clock = clock
        self._ice = ice
        self.ice_transport_policy = ice_transport_policy
        self._instance = instance

    # To the unit

    def own(self, meeting: Meeting) -> dict[str, Any]:
        """Instance and number of the region's own next signal about a session."""
        return {"instance": self._instance, "seq": meeting.to_unit.next(self._clock())}

    def join(self, meeting: Meeting, party: OpenParty) -> None:
        """Bring the party, and what they show, or say how they are there now."""
        self._join(meeting, party, party.line)
        self.join_share(meeting, party)

    def join_share(self, meeting: Meeting, party: OpenParty) -> None:
        """Bring the connection that carries what the party shows, if there is one."""
        if party.share is not None:
            self._join(meeting, party, party.share)

    def ask_again(self, meeting: Meeting, party: OpenParty, line: Line) -> None:
        """Let the unit make another offer: to it, this is a new page load."""
        line.asked = line.numbers.next(self._clock())
        self._join(meeting, party, line)

    def bye(self, meeting: Meeting, line: Line, reason: ByeReason, *, end: bool = False) -> None:
        """The party, or what they show, is gone."""
        self.wire.send(meeting.sid, line.peer, Bye(**line.numbered(self._clock()), reason=reason, end=end))

    def bye_of(self, meeting: Meeting, party: OpenParty, reason: ByeReason, *, end: bool = False) -> None:
        """The party is gone, and with them what they show."""
        self.end_share(meeting, party, reason)
        self.bye(meeting, party.line, reason, end=end)

    def end_share(self, meeting: Meeting, party: OpenParty, reason: ByeReason) -> None:
        """They show nothing any more."""
        meeting.standing.shares.pop(party.peer, None)
        if party.share is not None:
            self.bye(meeting, party.share, reason)
            party.share = None

    def hold(self, meeting: Meeting, party: OpenParty) -> None:
        """On the chair's topic: the patient waits alone, or no longer."""
        numbers = party.line.numbered(self._clock())
        self.wire.send(meeting.sid, party.peer, Hold(**numbers, on=meeting.standing.held))

    def everything(self, meeting: Meeting) -> None:
        """The unit may know nothing: tell it who is there, who leads, and what is allowed."""
        for party in meeting.open_parties():
            self.join(meeting, party)
        standing = meeting.standing
        if standing.chair == UNIT_PEER:
            meeting.told.chair, meeting.told.lobby = "", ()
        if standing.sharing:
            meeting.told.sharing = (False, ())
        self._to_unit(meeting)
        leader = meeting.parties.get(standing.chair)
        if standing.held and leader is not None:
            self.hold(meeting, leader)

    def renew(self, meeting: Meeting) -> None:
        """The unit may build a connection anew at any time, with what it was given last."""
        now, after = self._clock(), self._ice.renew_after
        if after is None:
            return
        for party in meeting.open_parties():
            for line in party.lines():
                if line.servers_given_at is not None and now - line.servers_given_at >= after:
                    servers = self._servers_for(line)
                    renewed = IceServers(**line.numbered(now), ice_servers=servers)
                    self.wire.send(meeting.sid, line.peer, renewed)

    # To the pages

    def servers(self) -> list[dict[str, Any]]:
        """Servers with fresh credentials, for a page."""
        return servers_json(self._ice.servers(self._clock()))

    def settle(self, meeting: Meeting) -> None:
        """Whatever has changed, everyone who is to know of it hears of it, and nobody else."""
        for party in meeting.open_parties():
            line = party.line
            if line.joined is not None and line.joined != self._flags(meeting, party):
                if line.joined[1] != self._flags(meeting, party)[1]:
                    line.asked = line.numbers.next(self._clock())
                self._join(meeting, party, line)
        self._to_unit(meeting)
        inside = {party.peer for party in meeting.parties.values() if not party.over}
        if meeting.known - inside or self._clock() - meeting.since >= GRACE:
            meeting.restored = False  # whoever has gone is to be let go of
        meeting.known = inside
        for party in meeting.open_parties():
            message = self._parties(meeting, party)
            if message != party.told:
                party.told = message
                party.feed.put(message)

    def tell_lobby(self, meeting: Meeting, party: OpenParty, state: str) -> None:
        """How it stands for one who waits outside."""
        tell_lobby(party.feed, state, second=meeting.sitting(party.attendee) is not None)

    def _join(self, meeting: Meeting, party: OpenParty, line: Line) -> None:
        chair, sees = self._flags(meeting, party)
        own = line is party.line
        if own:
            line.joined = (chair, sees)
        join = Join(
            **line.numbered(self._clock()),
            role=party.role,
            identified=party.attendee.identified,
            chair=chair and own,
            sees=sees,
            share_of=None if own else party.peer,
            ice_servers=self._servers_for(line),
        )
        self.wire.send(meeting.sid, line.peer, join)

    def _servers_for(self, line: Line) -> tuple[IceServer, ...]:
        line.servers_given_at = self._clock()
        return self._ice.servers(line.servers_given_at)

    def _flags(self, meeting: Meeting, party: OpenParty) -> tuple[bool, bool]:
        return meeting.standing.chair == party.peer, party.peer not in meeting.standing.unseeing

    def _to_unit(self, meeting: Meeting) -> None:
        told, standing, sid = meeting.told, meeting.standing, meeting.sid
        if standing.chair != told.chair:
            # The first to have the chair is told by their join; later everyone is to know of the change.
            if standing.chair and (told.chair or standing.chair == UNIT_PEER):
                self.wire.send(sid, UNIT_PEER, Chair(**self.own(meeting), holder=standing.chair))
            told.chair = standing.chair
        lobby = _knocks(meeting) if standing.chair == UNIT_PEER else ()
        if lobby != told.lobby:
            self.wire.send(sid, UNIT_PEER, Lobby(**self.own(meeting), waiting=lobby))
            told.lobby = lobby
        sharing = (standing.sharing, standing.organisations)
        if sharing != told.sharing:
            signal = Sharing(**self.own(meeting), on=sharing[0], organisations=sharing[1])
            self.wire.send(sid, UNIT_PEER, signal)
            told.sharing = sharing

    def _parties(self, meeting: Meeting, party: OpenParty) -> dict[str, Any]:
        standing = meeting.standing
        decides = party.peer == standing.chair or (party.attendee.may_chair and party.role == "clinician")
        return {
            "type": "parties",
            "you": party.peer,
            "chair": standing.chair,
            "whole": not meeting.restored,
            "parties": [self._line_of(meeting, each) for each in meeting.parties.values() if not each.over],
            "lobby": _waiting(meeting) if decides else [],
            "sharing": {"on": standing.sharing, "organisations": list(standing.organisations)},
            "held": standing.held,
            "ice_servers": self._page_servers(party),
            "ice_transport_policy": self.ice_transport_policy,
        }

    def _line_of(self, meeting: Meeting, party: OpenParty) -> dict[str, Any]:
        chair, sees = self._flags(meeting, party)
        return {
            "peer": party.peer,
            "page": party.line.page,
            "role": party.role,
            "identified": party.attendee.identified,
            "chair": chair,
            "sees": sees,
            "here": party.here,
            "share": party.share is not None,
        }

    def _page_servers(self, party: OpenParty) -> list[dict[str, Any]]:
        """For its connections with other pages; the same until half of their time is over."""
        now, after = self._clock(), self._ice.renew_after
        kept = party.page_servers
        if kept is None or (after is not None and now - kept[0] >= min(after, timedelta(hours=1))):
            kept = party.page_servers = (now, self.servers())
        return kept[1]


def tell_lobby(feed: PageFeed, state: str, *, second: bool = False) -> None:
    """waiting, admitted, rejected, full or ended."""
    message: dict[str, Any] = {"type": "lobby", "state": state}
    feed.put({**message, "second": True} if second else message)


def _knocks(meeting: Meeting) -> tuple[Knock, ...]:
    return tuple(
        Knock(peer=party.peer, role=party.role, identified=party.attendee.identified)
        for party in meeting.outside.values()
        if party.outside == "waiting" and party.here
    )


def _waiting(meeting: Meeting) -> list[dict[str, Any]]:
    return [
        {
            "peer": party.peer,
            "role": party.role,
            "identified": party.attendee.identified,
            "label": party.attendee.label,
            "since": party.since.isoformat(),
            "second": meeting.sitting(party.attendee) is not None,
        }
        for party in meeting.outside.values()
        if party.outside == "waiting" and party.here
    ]
