"""A region in memory whose meetings have many pages: who is here, who knocks, who leads, and what two pages say to
each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clinic_fakes import SID, FakeFeed, FakeRegion

from web.clinic.services import Account, Refused

CHAIR_ONLY = frozenset(
    {
        "admit",
        "reject",
        "hold",
        "admit_party",
        "reject_party",
        "remove_party",
        "chair",
        "sees",
        "sharing",
        "end",
    }
)


@dataclass
class FakeParty:
    """One page, or one that has been here."""

    peer: str
    role: str
    identified: str = "link"
    sees: bool = True
    share: bool = False
    feed: FakeFeed | None = None


@dataclass
class FakeMeeting:
    """What the region knows of one meeting."""

    chair: str = ""
    parties: dict[str, FakeParty] = field(default_factory=dict)
    lobby: list[dict[str, str]] = field(default_factory=list)
    sharing: dict[str, Any] = field(default_factory=lambda: {"on": False, "organisations": []})
    held: bool = False

    def told(self, you: str) -> dict[str, Any]:
        parties = [
            {
                "peer": party.peer,
                "role": party.role,
                "identified": party.identified,
                "chair": party.peer == self.chair,
                "sees": party.sees,
                "share": party.share,
                "here": party.feed is not None,
            }
            for party in self.parties.values()
        ]
        return {
            "type": "parties",
            "you": you,
            "chair": self.chair,
            "parties": parties,
            "lobby": self.lobby if you == self.chair else [],
            "sharing": self.sharing,
            "held": self.held,
        }


class MeetingRegion(FakeRegion):
    """Accounts stand for seats: `roles` tells which part each plays in the meeting."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.gathering = FakeMeeting()
        self.roles = {"a1": "clinician"}
        self.outside: dict[str, FakeParty] = {}

    def seat(self, username: str, role: str) -> str:
        """Another who may sign in; returns its peer id."""
        account_id = f"s{len(self.roles)}"
        self.accounts[username] = Account(account_id, "", "clinician", "Kusten")
        self.roles[account_id] = role
        return self.peer(account_id)

    def stranger(self, username: str, role: str) -> None:
        """One of another clinic, who holds a link: has to prepare and to knock."""
        account_id = f"s{len(self.roles)}"
        self.accounts[username] = Account(account_id, "", "clinician", "Fjället")
        self.roles[account_id] = role
        self.seats.claimed_as.append(account_id)

    def peer(self, account_id: str) -> str:
        return f"peer{account_id}"

    def tell_all(self) -> None:
        for party in self.gathering.parties.values():
            if party.feed:
                party.feed.messages.put(self.gathering.told(party.peer))

    def knock(self, peer: str, role: str) -> None:
        since = self.now.isoformat()
        self.gathering.lobby.append({"peer": peer, "role": role, "identified": "link", "since": since})
        self.tell_all()

    def open_meeting(
        self, account: Account, sid: str, instance: str, *, lobby_page: bool = False
    ) -> FakeFeed:
        self.meeting(account, sid)
        peer = self.peer(account.id)
        if not self.is_admitted(account, sid):
            return self._knocks(peer, self.roles[account.id])
        party = self.gathering.parties.setdefault(peer, FakeParty(peer, self.roles[account.id]))
        if party.role == "clinician":
            party.identified = "account"
            self.gathering.chair = self.gathering.chair or peer
        if party.feed:
            party.feed.messages.put({"type": "replaced"})
        party.feed = feed = FakeFeed()
        self.meetings[sid] = self.meetings.get(sid, feed) if party.role != "clinician" else feed
        feed.messages.put({"type": "session", "sid": sid})
        feed.close = lambda: self._closed(party, feed)  # type: ignore[method-assign]
        self.tell_all()
        return feed

    def _knocks(self, peer: str, role: str) -> FakeFeed:
        self.outside[peer] = FakeParty(peer, role, feed=FakeFeed())
        self.outside[peer].feed.messages.put({"type": "lobby", "state": "waiting"})
        self.knock(peer, role)
        return self.outside[peer].feed

    def _closed(self, party: FakeParty, feed: FakeFeed) -> None:
        feed.closed = True
        if party.feed is feed:
            party.feed = None
            self.tell_all()

    def signal(self, account: Account, sid: str, instance: str, message: Mapping[str, Any]) -> None:
        me, kind = self.peer(account.id), message["type"]
        if kind in CHAIR_ONLY and me != self.gathering.chair:
            raise Refused("type", f"is for the chair: {kind}")
        if kind == "mesh":
            self._relay(me, message)
            return
        super().signal(account, sid, instance, message)
        self._act(me, message)
        self.tell_all()

    def _relay(self, me: str, message: Mapping[str, Any]) -> None:
        other = self.gathering.parties.get(message["to"])
        if other is None or other.feed is None:
            raise Refused("to", "is not here")
        other.feed.messages.put({**message, "from": me, "ice_servers": []})

    def _act(self, me: str, message: Mapping[str, Any]) -> None:
        meeting, kind = self.gathering, message["type"]
        if kind == "chair":
            meeting.chair = message["holder"]
        elif kind in ("admit_party", "reject_party"):
            meeting.lobby = [one for one in meeting.lobby if one["peer"] != message["peer"]]
            if kind == "admit_party" and message["peer"] in self.outside:
                party = meeting.parties[message["peer"]] = self.outside.pop(message["peer"])
                party.feed.messages.put({"type": "lobby", "state": "admitted"})
                party.feed.messages.put({"type": "session", "sid": SID})
        elif kind == "sees":
            meeting.parties[message["peer"]].sees = message["on"]
        elif kind == "sharing":
            meeting.sharing = {"on": message["on"], "organisations": message["organisations"]}
        elif kind == "share":
            meeting.parties[me].share = message["on"]
        elif kind == "hold":
            meeting.held = message["on"]
        elif kind == "reject":
            self.change(SID, state="ready")
        elif kind == "remove_party":
            gone = meeting.parties.pop(message["peer"])
            if gone.feed:
                gone.feed.messages.put({"type": "bye", "reason": "rejected"})
