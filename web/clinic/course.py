"""A call's course as the region keeps it: values for the pages, and what they come to in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agent.contract.quality import Encoding, Machine, Received, Sent

Verdict = Literal["good", "uneven", "bad"]
UNEVEN_SHARE = 0.01
BAD_SHARE = 0.05
GAP_INTERVALS = 2.5
"""Nothing for this many intervals is a gap: a report that is a little late is none."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One interval as one end of a direction saw it; `at` is its end."""

    at: datetime
    interval_s: float
    connected: bool
    sent: Sent | None = None
    received: Received | None = None


@dataclass(frozen=True, slots=True)
class Direction:
    """Picture and sound one way between the room and a party, as the sender and as the receiver told it."""

    peer: str
    role: str
    to_room: bool
    sender: tuple[Reading, ...]
    receiver: tuple[Reading, ...]

    @property
    def gaps(self) -> list[Gap]:
        """When the receiver had no connection, from this party's coming to its going."""
        told = (*self.sender, *self.receiver)
        if not told:
            return []
        began = min(reading.at - timedelta(seconds=reading.interval_s) for reading in told)
        return gaps(self.receiver or self.sender, began, max(reading.at for reading in told))


@dataclass(frozen=True, slots=True)
class UnitReading:
    """The unit's computer and encoders in one interval."""

    at: datetime
    interval_s: float
    machine: Machine | None
    encodings: tuple[Encoding, ...]


@dataclass(frozen=True, slots=True)
class CallLine:
    """A held call in a list. Seconds in which the picture stood still in the room and at the others, and in
    which nobody was connected."""

    sid: str
    ref: str
    room: str
    clinic: str
    began: datetime
    ended: datetime
    room_frozen_s: float
    page_frozen_s: float
    away_s: float

    @property
    def seconds(self) -> float:
        """From the first report to the last."""
        return max(0.0, (self.ended - self.began).total_seconds())

    @property
    def verdict(self) -> Verdict:
        """By the share of the time in which there was no moving picture, the worse of the two directions."""
        still = max(self.room_frozen_s, self.page_frozen_s) + self.away_s
        share = still / self.seconds if self.seconds else 0.0
        return "good" if share < UNEVEN_SHARE else "uneven" if share < BAD_SHARE else "bad"


@dataclass(frozen=True, slots=True)
class Course:
    """All that is kept of one call's quality."""

    line: CallLine
    directions: tuple[Direction, ...]
    unit: tuple[UnitReading, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without connection, or without any word of it."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """A direction in figures; None where nobody measured it. Shares are 0 to 1."""

    freezes: int
    frozen_s: float
    frame_rate: float | None
    size: tuple[int, int] | None
    bit_rate: int | None
    lost: float | None
    worst_lost: float | None
    round_trip_ms: float | None
    concealed: float | None
    away_s: float


def gaps(readings: Sequence[Reading], began: datetime, ended: datetime) -> list[Gap]:
    """When there was no connection: told so, or nothing told at all, between two moments."""
    found: list[Gap] = []
    known_until = began
    for reading in readings:
        begin = max(began, reading.at - timedelta(seconds=reading.interval_s))
        if (begin - known_until).total_seconds() > reading.interval_s * GAP_INTERVALS:
            _add(found, known_until, begin)
        if not reading.connected:
            _add(found, max(begin, known_until), reading.at)
        known_until = max(known_until, reading.at)
    usual_s = readings[-1].interval_s if readings else 0.0
    if (ended - known_until).total_seconds() > usual_s * GAP_INTERVALS:
        _add(found, known_until, ended)
    return found


def _add(found: list[Gap], begin: datetime, end: datetime) -> None:
    if found and found[-1].end >= begin:
        found[-1] = Gap(found[-1].begin, max(end, found[-1].end))
    elif end > begin:
        found.append(Gap(begin, end))


def summary(direction: Direction) -> Summary:
    """One direction over the whole call. Loss is the receiver's word where there is one."""
    seen = [r.received for r in direction.receiver if r.connected and r.received]
    sent = [r.sent for r in direction.sender if r.connected and r.sent]
    lost = [r.lost for r in seen if r.lost is not None] or [s.lost for s in sent if s.lost is not None]
    sizes = [(r.width, r.height) for r in seen if r.width and r.height]
    return Summary(
        freezes=sum(r.freezes or 0 for r in seen),
        frozen_s=sum(r.frozen_s or 0.0 for r in seen),
        frame_rate=_mean(r.frame_rate for r in seen),
        size=max(sizes, key=sizes.count) if sizes else None,
        bit_rate=_whole(_mean(s.bit_rate for s in sent) or _mean(r.bit_rate for r in seen)),
        lost=_mean(lost),
        worst_lost=max(lost, default=None),
        round_trip_ms=_mean(s.round_trip_ms for s in sent),
        concealed=_mean(r.concealed for r in seen),
        away_s=sum((gap.end - gap.begin).total_seconds() for gap in direction.gaps),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
