"""What a line could carry, seen from how far apart the packets of one picture arrive. Pure.

A picture's packets leave at once and come at the pace of the narrowest hop, which is so measured many times a
second, and without a single byte sent for it. One train says little, since others' packets and late
processors come in between; the lower quartile of many says when there is room for much more.
"""

from __future__ import annotations

from collections import deque

from agent.media.transport_feedback import PacketResult

TRAIN_S = 0.004  # packets that left within this are one train
TRAIN_BYTES_MIN = 500  # beyond the first packet
SPREAD_MIN_S = 0.0005  # arrival times are told in quarters of a millisecond
WINDOW_S = 2.5
LEAST_TRAINS = 5


class PacketTrains:
    """Takes packets in the order in which they left."""

    def __init__(self) -> None:
        self._train: tuple[float, float, float, int] | None = None  # left, first came, last came, bytes after
        self._rates: deque[tuple[float, float]] = deque()

    def add(self, result: PacketResult) -> None:
        """Note a packet; a lost one breaks its train."""
        came, train = result.arrived_at, self._train
        if came is None:
            self._train = None
            return
        if train is not None and 0 <= result.sent_at - train[0] <= TRAIN_S and came >= train[2]:
            self._train = (train[0], train[1], came, train[3] + result.size)
            return
        if train is not None and train[3] >= TRAIN_BYTES_MIN:
            self._rates.append((train[2], train[3] * 8 / max(SPREAD_MIN_S, train[2] - train[1])))
        while self._rates and abs(came - self._rates[0][0]) > WINDOW_S:
            self._rates.popleft()
        self._train = (result.sent_at, came, came, 0)

    @property
    def bit_rate(self) -> float | None:
        """What most trains of the last seconds came at or above, bit/s; None if there were too few."""
        if len(self._rates) < LEAST_TRAINS:
            return None
        return sorted(rate for _, rate in self._rates)[len(self._rates) // 4]
