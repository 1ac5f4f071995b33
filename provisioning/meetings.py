"""Who has which meeting open, inside or waiting outside, and the numbers that keep signalling in order: no I/O."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from agent.contract.schedule import PartyRole
from agent.contract.signalling import IceServer, Identified, Knock, Signal
from provisioning.bucket import Bucket
from provisioning.feeds import PageFeed
from provisioning.standing import Standing

MOST_MEETINGS = 5000
MOST_INSTANCES = 50
MOST_PARTIES = 4
"""Remote parties in one meeting: each has a connection with each other one and with the unit."""
MOST_WAITING = 8
GRACE = timedelta(seconds=20)
"""How long a page may be gone (a reload, a lost line) before the unit is told that the party is lost."""
KNOCK_AGAIN_AFTER = timedelta(minutes=1)
SIGNALS_AT_ONCE, SIGNALS_PER_S = 200, 20
"""Of one page: a connection with each of four others takes some thirty, and may have to be built anew."""

Outside = Literal["waiting", "full"]


@dataclass(frozen=True, slots=True)
class Attendee:
    """Someone who may come to one meeting, as the door has found them to be."""

    id: str
    """The account's, or the seat's: what the log names."""
    role: PartyRole
    identified: Identified = "account"
    knocks: bool = False
    """Waits outside until the chair lets them in: everyone but the session's own clinic."""
    seat: str = ""
    """The seat they take, if it is not their clinic's meeting."""
    place: str = ""
    """Which browser has taken the seat; another one is somebody else until the chair has looked."""
    label: str = ""
    """What the seat was called when it was made; told to those who decide, and written nowhere else."""

    @property
    def key(self) -> str:
        """What the peer id is made from."""
        return f"{self.id}:{self.place}" if self.place else self.id

    @property
    def may_chair(self) -> bool:
        """Whether the chair may be given to them."""
        return not self.knocks and self.role in {"clinician", "staff"}


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
class Line:
    """The signalling of one connection between a page and the unit."""

    peer: str
    instance: str
    numbers: Numbers = field(default_factory=Numbers)
    asked: int = 0
    """The number of its newest ask for another offer, or 0."""
    servers_given_at: datetime | None = None
    """When the unit last got STUN and TURN servers for it."""
    unanswered: list[tuple[datetime, Mapping[str, Any]]] = field(default_factory=list)
    """The unit's newest offer and its candidates, as told to a page whose line may have been dead by then."""
    joined: tuple[bool, bool] | None = None
    """Whether the unit was last told that they have the chair, and that they see."""

    @property
    def page(self) -> str:
        """A mark of the page load for the other pages, the same after a restart of the region."""
        return hashlib.sha256(f"{self.peer}:{self.instance}".encode()).hexdigest()[:12]

    @property
    def wire_instance(self) -> str:
        """The instance as the unit knows it: one that asks for a new offer is a new one to the unit."""
        return f"{self.instance}-{self.asked}" if self.asked else self.instance

    def begin(self, instance: str) -> None:
        """Another page load has it from here on."""
        self.instance, self.asked, self.unanswered, self.joined = instance, 0, [], None

    def numbered(self, now: datetime) -> dict[str, Any]:
        """Instance and number of the next signal."""
        return {"instance": self.wire_instance, "seq": self.numbers.next(now)}


@dataclass(slots=True)
class OpenParty:
    """Someone whose page is open, or was until a moment ago."""

    attendee: Attendee
    line: Line
    feed: PageFeed
    since: datetime
    share: Line | None = None
    """The connection that carries what they show."""
    outside: Outside | None = None
    closed_at: datetime | None = None
    over: bool = False
    retired: set[str] = field(default_factory=set)
    told: Mapping[str, Any] | None = None
    """The `parties` message that this feed has had last."""
    page_servers: tuple[datetime, list[dict[str, Any]]] | None = None
    """The servers for connections with other pages, and since when they are good."""
    signals: Bucket = field(default_factory=lambda: Bucket(SIGNALS_AT_ONCE, SIGNALS_PER_S))
    to_pages: dict[str, Bucket] = field(default_factory=dict)

    @property
    def peer(self) -> str:
        """The party's name in this meeting."""
        return self.line.peer

    @property
    def role(self) -> PartyRole:
        """What they are in this meeting."""
        return self.attendee.role

    @property
    def here(self) -> bool:
        """Whether the page is there and they have not left."""
        return self.closed_at is None and not self.over

    def lines(self) -> list[Line]:
        """Its connections with the unit."""
        return [self.line, self.share] if self.share is not None else [self.line]


@dataclass(slots=True)
class Told:
    """What the unit was last told of the meeting."""

    chair: str = ""
    lobby: tuple[Knock, ...] = ()
    sharing: tuple[bool, tuple[str, ...]] = (False, ())


@dataclass(slots=True)
class Meeting:
    """One session's open pages, and what the unit has sent."""

    sid: str
    since: datetime
    """Since when this process knows of it."""
    standing: Standing = field(default_factory=Standing)
    parties: dict[str, OpenParty] = field(default_factory=dict)
    """Those inside."""
    outside: dict[str, OpenParty] = field(default_factory=dict)
    """Those who wait to be let in, or for a free place."""
    rejected: dict[str, datetime] = field(default_factory=dict)
    ended: bool = False
    """The chair has ended it: nobody leads it any more."""
    restored: bool = False
    """The region has started again in it, and pages come back one by one: not all are known yet."""
    known: set[str] = field(default_factory=set)
    """Those inside when everyone was last told."""
    to_unit: Numbers = field(default_factory=Numbers)
    told: Told = field(default_factory=Told)
    saved: Standing = field(default_factory=Standing)
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
        """Those inside whose page is there and who have not left."""
        return [party for party in self.parties.values() if party.here]

    def everyone(self) -> list[OpenParty]:
        """Inside and outside."""
        return [*self.parties.values(), *self.outside.values()]

    def find(self, peer: str) -> OpenParty | None:
        """Inside or outside."""
        return self.parties.get(peer) or self.outside.get(peer)

    def line(self, peer: str) -> tuple[OpenParty, Line] | None:
        """Whose connection with the unit has this name."""
        for party in self.parties.values():
            for line in party.lines():
                if line.peer == peer:
                    return party, line
        return None

    def has_place_for(self, attendee: Attendee) -> bool:
        """Whether one more may come in; who takes another's seat needs no place more."""
        taken = [party for party in self.parties.values() if not party.over]
        return len(taken) < MOST_PARTIES or self.sitting(attendee) is not None

    def sitting(self, attendee: Attendee) -> OpenParty | None:
        """Who else has this attendee's seat now."""
        for party in self.parties.values():
            same = attendee.seat and party.attendee.seat == attendee.seat and not party.over
            if same and party.attendee.key != attendee.key:
                return party
        return None

    def admits(self, attendee: Attendee, peer: str) -> bool:
        """Whether they come in without being asked about."""
        if peer in self.standing.admitted:
            return True
        return not attendee.knocks and peer not in self.standing.removed


class Meetings:
    """All of them; the oldest without an open page go first when there are too many."""

    def __init__(self, load: Callable[[str], Standing], clock: Callable[[], datetime]) -> None:
        self._load = load
        self._clock = clock
        self._meetings: OrderedDict[str, Meeting] = OrderedDict()

    def __iter__(self) -> Iterator[Meeting]:
        return iter(list(self._meetings.values()))

    def find(self, sid: str) -> Meeting | None:
        """The meeting of that session, if anyone has it open or the unit spoke of it."""
        return self._meetings.get(sid)

    def of(self, sid: str) -> Meeting:
        """The meeting of that session, as it stood before a restart."""
        meeting = self._meetings.get(sid)
        if meeting is None:
            standing = self._load(sid)
            meeting = self._meetings[sid] = Meeting(
                sid, self._clock(), standing, saved=standing.model_copy(deep=True)
            )
            meeting.restored = bool(standing.chair)
            meeting.told.chair = standing.chair
        self._meetings.move_to_end(sid)
        for old in list(self._meetings):
            if len(self._meetings) <= MOST_MEETINGS:
                break
            if not self._meetings[old].everyone():
                del self._meetings[old]
        return meeting

    def forget(self, sid: str) -> None:
        """The session is over and wiped: keep nothing of it but open pages, which hear of it."""
        meeting = self._meetings.get(sid)
        if meeting is not None:
            meeting.standing, meeting.saved = Standing(), Standing()
            meeting.told, meeting.ended = Told(), True
            meeting.rejected.clear()


def servers_json(servers: tuple[IceServer, ...]) -> list[dict[str, Any]]:
    """As a page takes them (W3C RTCIceServer)."""
    return [server.model_dump(mode="json") for server in servers]
