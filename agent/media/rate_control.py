"""Additive increase, multiplicative decrease around what the line was seen to carry. Pure.

After draft-ietf-rmcat-gcc-02 section 5.5: far from the last known capacity the estimate grows by a share,
near it slowly; a queue that grows takes it below what arrives.
"""

from __future__ import annotations

import math

BACKOFF = 0.85
DECREASE_INTERVAL_S = 0.2
DECREASES_APART_S = 3.0  # closer ones are one fall, and the rate before it is what the line carried

# Far from what is known of the line:
GROWTH_PER_S, GROWTH_MAX_PER_S = 1.08, 1.3
BOLDER_AFTER_S, BOLDER_PER_S = 4.0, 0.03  # the longer nothing stood in the way, the faster
APPLICATION_LIMIT = 1.5  # never believe more than this times what was really carried

# Back towards what the line carried before it fell, when it is quiet again:
REGAIN_PER_S, REGAIN_AFTER_S, REGAIN_SHARE = 1.35, 1.5, 0.7

# Near what the line carried when its queue grew last: hardly at all, since each overshoot is a queue, and
# receivers hold all that follows back by the worst queue that they have seen.
NEAR_GROWTH_PER_S, NEAR_GROWTH_MIN = 0.015, 2_000  # of the rate, and in bit/s
NEAR_BOLDER_AFTER_S, NEAR_BOLDER_PER_S = 15.0, 0.004
BRINK, BRINK_SHARE = 0.9, 0.4  # beyond this share of it, this much slower still
NEAR_LIMIT = (
    1.15  # beyond the brink; before it APPLICATION_LIMIT: an encoder may put out less than it is asked for
)
NEAR_SHARE = 0.5  # from this share of it on, it is what the line carries

# Where the spacing of packets says that there is much more room:
ROOMY = 1.5  # times what we send,
BOLD_AFTER_S, BOLD_PER_S = 1.5, 1.5
BOLD_SHARE = 0.8  # up to this share of what the line seems to carry,
BOLD_PAUSE_S, BOLD_PAUSE_MAX_S = 2.0, 60.0  # not so soon after a fall, and later after each that it led to
BOLD_TRIAL_S = 2.0

CAPACITY_SMOOTHING = 0.1


class LinkCapacity:
    """Mean and spread of the rates at which a queue began to grow, bit/s."""

    def __init__(self) -> None:
        self.mean: float | None = None
        self._variance = 0.4

    def note(self, bit_rate: float) -> None:
        """The line's queue grew while it carried this."""
        kilobits = bit_rate / 1000
        if self.mean is None:
            self.mean = bit_rate
            return
        mean = self.mean / 1000
        mean += CAPACITY_SMOOTHING * (kilobits - mean)
        error = (mean - kilobits) ** 2 / max(mean, 1.0)
        self._variance = min(2.5, max(0.4, (1 - CAPACITY_SMOOTHING) * self._variance + error * 0.1))
        self.mean = mean * 1000

    def forget(self) -> None:
        self.mean = None

    def is_over(self, bit_rate: float) -> bool:
        """By more than three deviations."""
        return self.mean is not None and bit_rate > self.mean + self._spread

    def is_under(self, bit_rate: float) -> bool:
        return self.mean is not None and bit_rate < self.mean - self._spread

    @property
    def _spread(self) -> float:
        return 3 * math.sqrt(self._variance * (self.mean or 0.0) / 1000) * 1000


class RateControl:
    """The delay-based estimate, bit/s; bounds are its owner's."""

    def __init__(self, bit_rate: float) -> None:
        self.bit_rate = bit_rate
        self.capacity = LinkCapacity()
        self._decreased_at = -1e9
        self._before_decrease = 0.0
        self._bold_at, self._bold_from = -1e9, -1e9
        self._roomy_since = -1e9
        self._bold_pause_s = BOLD_PAUSE_S

    def increase(self, elapsed_s: float, carried: float | None, room: float | None, now: float) -> None:
        """Nothing stands in the way.

        carried: bit/s that arrive, above which we believe only so much. room: what the line seems to carry,
        from the spacing of packets.
        """
        if carried is not None and self.capacity.is_over(carried):
            self.capacity.forget()
        elapsed_s, quiet_s = min(elapsed_s, 1.0), min(60.0, now - self._decreased_at)
        if room is None or room < ROOMY * self.bit_rate:
            self._roomy_since = now
        if room is not None and now > max(self._bold_from, self._roomy_since + BOLD_AFTER_S):
            self._bold_at = now
            grown = min(self.bit_rate * BOLD_PER_S**elapsed_s, max(self.bit_rate, BOLD_SHARE * room))
        elif self._is_regaining(now):
            grown = self.bit_rate * REGAIN_PER_S**elapsed_s
        elif self.capacity.mean is not None:
            share = NEAR_GROWTH_PER_S + NEAR_BOLDER_PER_S * max(0.0, quiet_s - NEAR_BOLDER_AFTER_S)
            if self._is_at_brink:
                share *= BRINK_SHARE
            grown = self.bit_rate + max(NEAR_GROWTH_MIN, self.bit_rate * share) * elapsed_s
        else:
            bolder = BOLDER_PER_S * max(0.0, quiet_s - BOLDER_AFTER_S)
            grown = self.bit_rate * min(GROWTH_PER_S + bolder, GROWTH_MAX_PER_S) ** elapsed_s
        if carried is not None:
            limit = NEAR_LIMIT if self._is_at_brink else APPLICATION_LIMIT
            grown = min(grown, max(self.bit_rate, carried * limit))
        self.bit_rate = grown

    @property
    def _is_at_brink(self) -> bool:
        return self.capacity.mean is not None and self.bit_rate > BRINK * self.capacity.mean

    def is_near_capacity(self, room: float | None) -> bool:
        """Whether the estimate is at least half of what the line carried when its queue grew last.

        room: as in increase(); much of it says that it was not the line that was full.
        """
        if self.capacity.mean is None or (room is not None and room > ROOMY * self.bit_rate):
            return False
        return self.bit_rate > NEAR_SHARE * self.capacity.mean

    def _is_regaining(self, now: float) -> bool:
        quiet = now - self._decreased_at > REGAIN_AFTER_S
        return quiet and self.bit_rate < REGAIN_SHARE * self._before_decrease

    def _learn_boldness(self, now: float) -> None:
        """A fall soon after bold growth: the spacing of packets deceives on this line."""
        if now - self._bold_at < BOLD_TRIAL_S:
            self._bold_pause_s = min(BOLD_PAUSE_MAX_S, self._bold_pause_s * 2)
        self._bold_from = now + self._bold_pause_s

    def may_decrease(self, now: float) -> bool:
        return now - self._decreased_at >= DECREASE_INTERVAL_S

    def decrease(self, line: float | None, now: float) -> None:
        """A queue grows while the line carries `line` bit/s, if that is known."""
        if now - self._decreased_at > DECREASES_APART_S:
            self._before_decrease = self.bit_rate
        self._learn_boldness(now)
        self._decreased_at = now
        self.bit_rate = min(self.bit_rate, (self.bit_rate if line is None else line) * BACKOFF)
        if line is not None:
            if self.capacity.is_under(line):
                self.capacity.forget()
            self.capacity.note(line)
