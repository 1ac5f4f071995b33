"""How much loss is too much: a radio loses whatever we send, a full queue loses what is too much. Pure.

The question is put to the line: after a cut, loss that stays was not of our making, and is then tolerated.
"""

from __future__ import annotations

import math
from collections import deque

WINDOW_S = 2.0
LEAST_PACKETS = 25
TOLERANCE = 0.04  # over what the line is known to lose by itself,
SPREAD = 0.8  # and this over the root of the packets counted, since losses come in bursts and few tell little
REPORTED_PACKETS = 200  # what a receiver's report of loss is taken to stand for
INHERENT_MAX = 0.10  # a line that loses more is better off with less to lose
STAYED = 0.7  # of the loss before a cut: that much or more is still there, so the cut was in vain
CUT_SHARE = 0.5  # of the loss is taken off the rate
TRIAL_S = 1.5
FORGET_PER_S = 0.98


class LossControl:
    """Says when and to what the rate must fall for loss. Loss is a fraction, 0 to 1."""

    def __init__(self) -> None:
        self._outcomes: deque[tuple[float, int, int]] = deque()
        self._inherent = 0.0
        self._trial: tuple[float, float] | None = None  # ends, loss before
        self._at: float | None = None
        self._tolerance = 1.0
        self.loss = 0.0

    @property
    def is_high(self) -> bool:
        """More is lost than the line loses by itself: no time to ask for more."""
        return self.loss > self._inherent + 0.8 * self._tolerance

    def add(self, lost: int, total: int, now: float) -> None:
        """Of so many packets so many were reported lost."""
        self._outcomes.append((now, lost, total))
        while now - self._outcomes[0][0] > WINDOW_S:
            self._outcomes.popleft()
        count = sum(total for _, _, total in self._outcomes)
        loss = sum(lost for _, lost, _ in self._outcomes) / count if count >= LEAST_PACKETS else 0.0
        self.set(loss, now, max(1, count))

    def set(self, loss: float, now: float, count: int = REPORTED_PACKETS) -> None:
        """The loss as the other side reports it."""
        self.loss = loss
        self._tolerance = TOLERANCE + SPREAD / math.sqrt(count)
        if self._at is not None:
            self._inherent *= FORGET_PER_S ** min(1.0, now - self._at)
        self._at = now

    def bound(self, bit_rate: float, now: float) -> float | None:
        """The rate to fall to from `bit_rate`, or None."""
        if self._trial is not None:
            if now < self._trial[0]:
                return None
            if self.loss >= STAYED * self._trial[1]:
                self._inherent = min(INHERENT_MAX, max(self._inherent, self.loss))
            self._trial = None
        if self.loss <= self._inherent + self._tolerance:
            return None
        self._trial = (now + TRIAL_S, self.loss)
        return bit_rate * (1 - CUT_SHARE * self.loss)
