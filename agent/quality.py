"""Figures of a call for every interval: the difference of two moments' counters. Pure, no clock, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from agent.contract.quality import (
    MAX_INTERVAL_S,
    MAX_PARTIES,
    Encoding,
    Machine,
    PartyQuality,
    QualityReport,
    Received,
    Sent,
)
from agent.contract.schedule import PartyRole
from agent.machine import MachineTotals
from agent.session_state import Party

if TYPE_CHECKING:  # the media modules take most of a start
    from agent.media.capture import CaptureStats
    from agent.media.facts import CallStats, PeerStats

_MOST_BIT_RATE = 100_000_000
_MOST_FRAME_RATE = 240.0
_MOST_COUNT = 1_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """All counters at one moment; `at_s` is of a clock that never steps."""

    at_s: float
    call: CallStats
    capture: CaptureStats
    machine: MachineTotals


@dataclass(frozen=True, slots=True)
class Interval:
    """Between two moments of one call."""

    before: Moment
    after: Moment

    @property
    def seconds(self) -> float:
        """How long."""
        return self.after.at_s - self.before.at_s

    def bit_rate(self, octets: int) -> int:
        """bit/s of so many bytes."""
        return min(_MOST_BIT_RATE, max(0, round(octets * 8 / self.seconds)))

    def report(
        self, sid: str, at: datetime, parties: Sequence[Party], shown: Mapping[str, Received]
    ) -> QualityReport:
        """The report of this interval; `shown` is what the touchscreen said of each party in it."""
        encodings = self.encodings()
        return QualityReport(
            sid=sid,
            at=at,
            interval_s=round(min(MAX_INTERVAL_S, self.seconds), 2),
            machine=self.machine(),
            encodings=encodings,
            parties=tuple(
                self.party(party, encodings, shown.get(party.peer)) for party in parties[:MAX_PARTIES]
            ),
        )

    def machine(self) -> Machine:
        """Processor, memory, heat."""
        old, new = self.before.machine, self.after.machine
        ticks = new.total - old.total
        return Machine(
            agent_cpu=round(min(256.0, max(0.0, (new.agent_s - old.agent_s) / self.seconds)), 3),
            machine_cpu=_share(new.busy - old.busy, ticks),
            memory_mib=round(new.memory_mib, 1),
            temperature_c=new.temperature_c,
        )

    def encodings(self) -> tuple[Encoding, ...]:
        """What the unit's encoders made; one that made nothing is left out."""
        made = []
        for name, new in self.after.capture.encoders.items():
            old = self.before.capture.encoders.get(name)
            frames = new.frames_encoded - (old.frames_encoded if old else 0)
            if frames <= 0:
                continue
            spent_ms = new.encode_ms * new.frames_encoded - (
                old.encode_ms * old.frames_encoded if old else 0.0
            )
            encoding = Encoding(
                name=name,
                encoder=new.encoder,
                bit_rate=self.bit_rate(new.bytes_encoded - (old.bytes_encoded if old else 0)),
                frame_rate=round(min(_MOST_FRAME_RATE, frames / self.seconds), 1),
                width=new.width,
                height=new.height,
                encode_ms=_milliseconds(spent_ms / frames / 1000),
            )
            made.append(encoding)
        return tuple(made)

    def party(self, party: Party, encodings: Sequence[Encoding], shown: Received | None) -> PartyQuality:
        """One party, both directions."""
        role = cast("PartyRole", party.role)  # it came in a `join`, whose model knows the roles
        old, new = self.before.call.peers.get(party.peer), self.after.call.peers.get(party.peer)
        if new is None or not new.connected:
            return PartyQuality(peer=party.peer, role=role, connected=False, shown=shown)
        if old is not None and old.attempt != new.attempt:
            old = None  # a rebuilt connection counts from nought
        return PartyQuality(
            peer=party.peer,
            role=role,
            connected=True,
            sent=self._sent(old, new, encodings),
            received=self._received(old, new),
            shown=shown,
        )

    def _sent(self, old: PeerStats | None, new: PeerStats, encodings: Sequence[Encoding]) -> Sent:
        given = next((encoding for encoding in encodings if encoding.name == new.encoding), None)
        return Sent(
            bit_rate=self.bit_rate(new.bytes_sent - (old.bytes_sent if old else 0)),
            estimate=min(_MOST_BIT_RATE, max(0, new.bit_rate)),
            lost=round(min(1.0, new.fraction_lost), 4),
            round_trip_ms=_milliseconds(new.round_trip_s),
            frame_rate=given.frame_rate if given else 0.0,
            width=given.width if given else None,
            height=given.height if given else None,
            encoding=new.encoding,
            encoder=given.encoder if given else None,
            encode_ms=given.encode_ms if given else None,
            queue_ms=_milliseconds(new.queue_ms / 1000),
            resent=_count(new.packets_resent - (old.packets_resent if old else 0)),
            keyframe_requests=_count(new.keyframe_requests - (old.keyframe_requests if old else 0)),
        )

    def _received(self, old: PeerStats | None, new: PeerStats) -> Received:
        octets = packets = lost = 0
        for kind, total in new.received.items():
            before = old.received.get(kind) if old else None
            octets += total.octets - (before.octets if before else 0)
            packets += total.packets - (before.packets if before else 0)
            lost += total.packets_lost - (before.packets_lost if before else 0)
        return Received(
            bit_rate=self.bit_rate(octets),
            lost=_share(lost, packets + lost),
            jitter_ms=_milliseconds(max((total.jitter_s for total in new.received.values()), default=0.0)),
        )


def _share(part: float, whole: float) -> float:
    return round(min(1.0, max(0.0, part / whole)), 4) if whole > 0 else 0.0


def _count(value: int) -> int:
    return min(_MOST_COUNT, max(0, value))


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(min(60_000.0, max(0.0, seconds * 1000)), 1)
