"""Signalling with everything around it played: wire, clock, what is known of the session, and the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.contract.signalling import Offer
from provisioning.feeds import FeedEnded, PageFeed
from provisioning.ice import IceConfiguration
from provisioning.meetings import Attendee
from provisioning.signalling import Signalling
from provisioning.standing import BriefStandings

SID = "k3v9q2m4x8t1"
DOCTOR = Attendee("acc1", "clinician")
NURSE = Attendee("acc2", "staff")


@dataclass
class Facts:
    unit: str | None = "unit-1"
    over: bool = False
    refusal: str = ""

    def unit_of(self, sid: str) -> str | None:
        return self.unit if sid == SID else None

    def is_over(self, sid: str) -> bool:
        return self.over

    def may_resume(self, sid: str) -> str:
        return self.refusal


@dataclass
class Table:
    """Signalling with everything around it played."""

    wire: Any
    clock: Any
    facts: Facts = field(default_factory=Facts)
    notes: list[tuple[str, str]] = field(default_factory=list)
    log: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What happens, once, while an entry of this kind is written."""
    closed_seats: list[str] = field(default_factory=list)
    standings: BriefStandings = field(default_factory=BriefStandings)
    ice: IceConfiguration | None = None
    ice_transport_policy: str = "all"

    def __post_init__(self) -> None:
        self.signalling = self.restarted()

    def restarted(self) -> Signalling:
        self.signalling = Signalling(
            self.wire.publish,
            self.clock,
            self.facts,
            self.note,
            secret="00" * 32,
            ice=self.ice,
            ice_transport_policy=self.ice_transport_policy,
            standings=self.standings,
            close_seat=self.closed_seats.append,
        )
        return self.signalling

    def note(self, kind: str, _sid: str, fields: Mapping[str, str]) -> None:
        self.notes.append((kind, fields.get("by", "")))
        self.log.append((kind, fields))
        self.meanwhile.pop(kind, lambda: None)()

    def said(self) -> list[Any]:
        return [message.data for message in self.wire.take("dn/call")]

    def peers(self) -> list[str]:
        return [message.topic.levels[1] for message in self.wire.take("dn/call")]

    def open(self, account: Attendee = DOCTOR, instance: str = "page-one") -> PageFeed:
        return self.signalling.open(account, SID, instance)

    def say(self, type_: str, account: Attendee = DOCTOR, instance: str = "page-one", **fields: Any) -> None:
        self.signalling.signal(account, SID, instance, {"type": type_, **fields})

    def peer(self, account: Attendee = DOCTOR, instance: str = "page-one") -> str:
        self.open(account, instance)
        return self.peers()[-1]


def following(feed: PageFeed) -> Any:
    """The next message that is not about who is there."""
    while (message := feed.get(0)) is not None and message["type"] == "parties":
        pass
    return message


def told(feed: PageFeed) -> list[str]:
    kinds = []
    try:
        while (message := feed.get(0)) is not None:
            if message["type"] != "parties":
                kinds.append(message["type"])
    except FeedEnded:
        kinds.append("END")
    return kinds


def offer(seq: int = 0, instance: str = "boot-1") -> Offer:
    return Offer(instance=instance, seq=seq, attempt=1, sdp="v=0")
