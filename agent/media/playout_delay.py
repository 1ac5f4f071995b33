"""How long a receiver should hold pictures on a line that loses packets. Pure: times come in as arguments.

A receiver shows a picture as soon as it can, and stands still while a packet is asked for again. Held back by
the time that a repeat takes, it moves evenly, and the repeat is in time. It learns this by itself too slowly:
we know the loss and the round trip, and say it (WebRTC's playout-delay extension).
"""

from __future__ import annotations

LEAST_LOSS = 0.004
NOTICED_MS = 45  # a gap is seen when the next packet comes: at the end of a picture, with the next picture
STEP_MS, MAX_MS = 20, 240
CALM_S = 8.0  # for so long less is needed, before less is asked for: a change is seen as a jerk


class PlayoutDelay:
    """The delay for one stream, in ms."""

    def __init__(self) -> None:
        self.delay_ms = 0
        self._enough_since: float | None = None

    def update(self, loss: float, round_trip_s: float, now: float) -> int:
        """Take in the share of packets lost lately (0 to 1) and the round trip without queues (seconds)."""
        wanted = 0
        if loss >= LEAST_LOSS:
            wanted = min(MAX_MS, round((round_trip_s * 1000 + NOTICED_MS) / STEP_MS) * STEP_MS)
        if wanted >= self.delay_ms:
            self.delay_ms, self._enough_since = wanted, None
        elif self._enough_since is None:
            self._enough_since = now
        elif now - self._enough_since >= CALM_S:
            self.delay_ms, self._enough_since = wanted, None
        return self.delay_ms
