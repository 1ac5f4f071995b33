"""What the room's microphone gives during a call, second by second, in four numbers; no sound is kept.

Of what is captured while the microphone is off only its level is taken, so that somebody who talks all the same
can be told; the sound itself is dropped as ever.
"""

from __future__ import annotations

from dataclasses import dataclass

from agent.media.device import Samples
from agent.media.sound_look import AT_FULL_SCALE

FRAMES = 50  # of 20 ms
NOTHING_DBFS = -84.0
"""Two steps of 16 bits, as mean: no microphone gives so little, however quiet the room."""
TALK_DBFS = -45.0
"""A voice at a table's distance is louder by 10 dB and more; a quiet room is below by as much."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One second. Shares are of its 20 ms: with nothing at all in them, at full scale, as loud as a voice."""

    at: float
    muted: bool
    nothing: float
    clipped: float
    loud: float


class Listening:
    """Folds 20 ms after 20 ms; some 5 µs each. `heard` is the last whole second, None before the first."""

    def __init__(self) -> None:
        self.heard: Heard | None = None
        self._muted = False
        self._clear()

    def add(self, samples: Samples, level: float, at: float, *, muted: bool) -> None:
        """20 ms as captured, and their level in dBFS; at: seconds of time.monotonic()."""
        if muted != self._muted:
            self._muted, self.heard = muted, None
            self._clear()
        self._frames += 1
        self._nothing += level < NOTHING_DBFS or int(samples.min()) == int(samples.max())
        self._loud += level > TALK_DBFS
        if not muted:
            self._clipped += max(-int(samples.min()), int(samples.max())) >= AT_FULL_SCALE
        if self._frames == FRAMES:
            self.heard = Heard(at, muted, self._nothing / FRAMES, self._clipped / FRAMES, self._loud / FRAMES)
            self._clear()

    def _clear(self) -> None:
        self._frames = self._nothing = self._clipped = self._loud = 0
