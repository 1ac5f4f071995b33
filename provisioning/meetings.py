"""Who has which meeting open, and the numbers that keep signalling in order: state, no I/O."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.contract.schedule import PartyRole
from agent.contract.signalling import Signal
from provisioning.feeds import PageFeed

MOST_MEETINGS = 5000
MOST_INSTANCES = 50


@dataclass(slots=True)
class Numbers:
    """Sequence numbers of what we send for one instance.

    They begin at the clock's milliseconds: a page that is still open when the region starts again goes on
    with its instance, and the unit drops numbers that do not grow.
    """

    last: int = 0

    def next(self, now: datetime) -> int:
        """A number higher than any before, also before a restart."""
        self.last = max(self.last + 1, int(now.timestamp() * 1000))
        return self.last


@dataclass(slots=True)
class OpenParty:
    """Someone whose meeting page is open, or was until a moment ago."""

    peer: str
    account_id: str
    role: PartyRole
    chair: bool
    instance: str
    feed: PageFeed
    numbers: Numbers = field(default_factory=Numbers)
    asked: int = 0
    """The number of its newest ask for another offer, or 0."""
    servers_given_at: datetime | None = None
    """When the unit last got STUN and TURN servers for this party."""
    unanswered: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    """The unit's newest offer and its candidates, as told to a page whose line may have been dead by then."""
    closed_at: datetime | None = None
    over: bool = False
    retired: set[str] = field(default_factory=set)

    @property
    def wire_instance(self) -> str:
        """The instance as the unit knows it: one that asks for a new offer is a new one to the unit."""
        return f"{self.instance}-{self.asked}" if self.asked else self.instance


@dataclass(slots=True)
class Meeting:
    """One session's open pages, and what the unit has sent."""

    sid: str
    parties: dict[str, OpenParty] = field(default_factory=dict)
    to_unit: Numbers = field(default_factory=Numbers)
    _seen: OrderedDict[tuple[str, str], int] = field(default_factory=OrderedDict)

    def is_new(self, peer: str, signal: Signal) -> bool:
        """Whether this was not here before: QoS 1 may deliver twice."""
        key = (peer, signal.instance)
        if signal.seq <= self._seen.get(key, -1):
            return False
        self._seen[key] = signal.seq
        while len(self._seen) > MOST_INSTANCES:
            self._seen.popitem(last=False)
        return True

    def open_parties(self) -> list[OpenParty]:
        """Those whose page is there and who have not left."""
        return [party for party in self.parties.values() if party.closed_at is None and not party.over]


class Meetings:
    """All of them; the oldest without an open page go first when there are too many."""

    def __init__(self) -> None:
        self._meetings: OrderedDict[str, Meeting] = OrderedDict()

    def __iter__(self) -> Iterator[Meeting]:
        return iter(list(self._meetings.values()))

    def find(self, sid: str) -> Meeting | None:
        """The meeting of that session, if anyone has it open or the unit spoke of it."""
        return self._meetings.get(sid)

    def of(self, sid: str) -> Meeting:
        """The meeting of that session."""
        meeting = self._meetings.setdefault(sid, Meeting(sid))
        self._meetings.move_to_end(sid)
        for old in list(self._meetings):
            if len(self._meetings) <= MOST_MEETINGS:
                break
            if not self._meetings[old].parties:
                del self._meetings[old]
        return meeting
