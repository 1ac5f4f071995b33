"""How much of something one party may ask of us: so much a second, so much at once. Pure: times come in."""

from __future__ import annotations

FLOOD_S = 5.0  # of the allowance, beyond it: a bad minute of the line stays far below


class Allowance:
    """A token bucket. What it refuses is to be dropped; who keeps asking for far more floods us.

    per_s: how much a second on average; burst: how much at once. Times are seconds of any one steady clock.
    """

    __slots__ = ("_at", "_burst", "_excess", "_left", "_per_s", "refused")

    def __init__(self, per_s: float, burst: float) -> None:
        self._per_s = per_s
        self._burst = burst
        self._left = burst
        self._excess = 0.0
        self._at: float | None = None
        self.refused = 0

    def take(self, now: float, amount: float = 1.0) -> bool:
        """Whether so much may be done now."""
        if self._at is not None:
            earned = max(0.0, now - self._at) * self._per_s
            self._left = min(self._burst, self._left + earned)
            self._excess = max(0.0, self._excess - earned)
        self._at = now
        if amount > self._left:
            self.refused += 1
            self._excess += amount
            return False
        self._left -= amount
        return True

    @property
    def flooded(self) -> bool:
        """Whether so much was refused lately that it is no accident: at ten times the rate after 0.6 s."""
        return self._excess > FLOOD_S * self._per_s
