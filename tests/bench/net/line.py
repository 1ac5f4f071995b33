"""A line between two towns as arithmetic: what rate, queue, loss and delay make of each datagram. Pure.

A Line is one direction. It is told when a datagram of which size enters, and answers when that comes out, or that
it is lost. It reads no clock, and with the same seed and the same datagrams it always answers the same.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

IP_UDP_HEADER_BYTES = 28  # IPv4 and UDP without options; a line carries them too
APART_S = 1e-6  # no two come out at one moment, or a caller's timers could change their order
QUEUE_S = 0.3
"""How much a bottleneck holds before it drops what comes (drop-tail), in seconds at the rate of the moment.

Routers of thin lines hold some hundred milliseconds to several seconds. 300 ms is a merciful one, and long enough
that a sender which fills it is punished in latency before it is in loss.
"""


@dataclass(frozen=True, slots=True)
class RandomLoss:
    """Each datagram is lost with this probability, whatever happened to the others."""

    share: float


@dataclass(frozen=True, slots=True)
class BurstLoss:
    """Gilbert-Elliott with two states: all is lost in the bad one, nothing in the good one.

    share: of all datagrams, in the long run. burst: mean number of datagrams lost in a row.
    """

    share: float
    burst: float

    @property
    def to_good(self) -> float:
        """Probability of leaving the bad state after a datagram."""
        return 1 / self.burst

    @property
    def to_bad(self) -> float:
        """Probability of leaving the good state after a datagram."""
        return self.share * self.to_good / (1 - self.share)


Loss = RandomLoss | BurstLoss


@dataclass(frozen=True, slots=True)
class Shape:
    """How a line is for a while: rates in bit/s (None: no limit), times in seconds, one way.

    Each datagram takes delay_s, and up to jitter_s more or less, evenly spread. in_order: a datagram never
    overtakes another, as on a radio link that repeats; without, jitter changes the order as Linux's netem does.
    """

    bit_rate: int | None = None
    loss: Loss | None = None
    delay_s: float = 0.0
    jitter_s: float = 0.0
    in_order: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """From at_s on, in seconds on the caller's clock, the line has this rate."""

    at_s: float
    bit_rate: int | None


Fate = Literal["passed", "lost", "queue_full"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a datagram: when it comes out (None: never), and how long it stood in the queue."""

    fate: Fate
    arrives_at: float | None
    queued_s: float


class Line:
    """One direction of a line. Times must not go back. `loss` may be set at any time; None loses nothing."""

    def __init__(self, shape: Shape, seed: int, changes: Sequence[Change] = ()) -> None:
        self.loss = shape.loss
        self._shape = shape
        self._changes = [Change(-math.inf, shape.bit_rate)]
        self.follow(changes)
        self._random = random.Random(seed)
        self._bad = False
        self._free_at = -math.inf
        self._last_arrival = -math.inf

    def follow(self, changes: Sequence[Change]) -> None:
        """Let these changes of rate come, after the shape's own."""
        self._changes[1:] = sorted(changes, key=lambda each: each.at_s)

    def bit_rate(self, now: float) -> int | None:
        """The rate at `now` in bit/s; None if it has no limit."""
        return self._changes[self._index(now)].bit_rate

    def send(self, now: float, size: int) -> Outcome:
        """A datagram with `size` bytes of payload enters at `now`."""
        begins = max(now, self._free_at)
        queued_s = begins - now
        if queued_s > QUEUE_S:
            return Outcome("queue_full", None, queued_s)
        ends = self._served(begins, (size + IP_UDP_HEADER_BYTES) * 8)
        self._free_at = ends
        if self._is_lost():
            return Outcome("lost", None, queued_s)
        jitter_s = self._random.uniform(-1, 1) * self._shape.jitter_s if self._shape.jitter_s else 0.0
        arrives_at = ends + max(0.0, self._shape.delay_s + jitter_s)
        if self._shape.in_order:
            arrives_at = self._last_arrival = max(arrives_at, self._last_arrival + APART_S)
        return Outcome("passed", arrives_at, queued_s)

    def _index(self, now: float) -> int:
        return max(index for index, change in enumerate(self._changes) if change.at_s <= now)

    def _served(self, begins: float, bits: float) -> float:
        """When `bits` have gone out that begin at `begins`, the rate perhaps changing underway."""
        index = self._index(begins)
        while True:
            rate = self._changes[index].bit_rate
            if rate is None:
                return begins
            until = self._changes[index + 1].at_s if index + 1 < len(self._changes) else math.inf
            if begins + bits / rate <= until:
                return begins + bits / rate
            bits -= (until - begins) * rate
            begins, index = until, index + 1

    def _is_lost(self) -> bool:
        if self.loss is None:
            return False
        if isinstance(self.loss, RandomLoss):
            return self._random.random() < self.loss.share
        if self._bad:
            self._bad = self._random.random() >= self.loss.to_good
        else:
            self._bad = self._random.random() < self.loss.to_bad
        return self._bad
