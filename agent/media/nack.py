"""Which packets to ask for again, and when (RFC 4585 section 6.2.1)."""

from __future__ import annotations

MAX_TRIES = 10
GIVE_UP_S = 1.0
MAX_MISSING = 500  # more is an outage, for which a keyframe is cheaper
MIN_INTERVAL_S = 0.02


class NackGenerator:
    """Finds holes in a stream's unwrapped sequence numbers, and asks until they come or are too old."""

    def __init__(self) -> None:
        self.given_up = 0
        self.overflowed = False  # too much is missing: ask for a keyframe and clear this
        self._highest: int | None = None
        self._missing: dict[int, tuple[float, float, int]] = {}  # noticed, last asked, tries

    @property
    def waiting(self) -> bool:
        return bool(self._missing)

    def add(self, sequence: int, now: float) -> list[int]:
        """Note a packet that came; returns what to ask for at once."""
        highest = self._highest
        if highest is None:
            self._highest = sequence
            return []
        if sequence <= highest:
            self._missing.pop(sequence, None)
            return []
        self._highest = sequence
        if sequence == highest + 1:
            return []
        if len(self._missing) + sequence - highest - 1 > MAX_MISSING:
            self._missing.clear()
            self.overflowed = True
            return []
        lost = list(range(highest + 1, sequence))
        for each in lost:
            self._missing[each] = (now, now, 1)
        return lost

    def due(self, now: float, round_trip_s: float) -> list[int]:
        """What to ask for again now, a round trip after the last time."""
        interval = max(MIN_INTERVAL_S, round_trip_s * 1.1)
        again = []
        for sequence, (noticed, asked, tries) in list(self._missing.items()):
            if tries >= MAX_TRIES or now - noticed > GIVE_UP_S:
                del self._missing[sequence]
                self.given_up += 1
            elif now - asked >= interval:
                self._missing[sequence] = (noticed, now, tries + 1)
                again.append(sequence)
        return again
