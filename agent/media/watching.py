"""What the room's camera sees during a call, once a second, in numbers and marks; no picture is kept.

Of one picture a second every eighth pixel of every eighth line is looked at, and remembered until the next second,
to tell a picture that stands still: a living sensor never gives the same twice.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.media.device import RawPicture
from agent.media.pixels import planes

EVERY_S = 1.0
STEP_PIXELS = 8
UNIFORM = 6.0
"""Spread of luma, as standard deviation: a hand or a lid leaves less, the barest wall with its light more."""
DARK_LUMA = 42.0
BRIGHT_LUMA, BRIGHT_SHARE = 215, 0.1
"""A window in the picture: so much of it as bright as can be."""
SHADOW_LUMA = 75.0
"""Mean of where somebody sits; a face that is lit is above 90."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look; at: seconds of time.monotonic(). still: nothing has changed since the one before."""

    at: float
    still: bool
    covered: bool
    dark: bool
    backlit: bool


class Watching:
    """A camera thread's sink that looks at one picture a second; some 0.1 ms each."""

    def __init__(self) -> None:
        self.seen: Seen | None = None
        self._before: NDArray[np.uint8] | None = None
        self._next = 0.0

    def take(self, picture: RawPicture) -> None:
        """A picture of the camera's; on the camera's thread."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + EVERY_S
        luma = planes(picture.frame)[0][::STEP_PIXELS, ::STEP_PIXELS].copy()
        still = self._before is not None and np.array_equal(luma, self._before)
        self._before = luma
        self.seen = Seen(now, still, *_marks(luma))


def _marks(luma: NDArray[np.uint8]) -> tuple[bool, bool, bool]:
    """Whether the lens is covered, the room dark, the light behind who sits there."""
    height, width = luma.shape
    covered = float(luma.std()) < UNIFORM
    sits = luma[height // 3 :, width // 3 : width * 2 // 3]
    window = np.count_nonzero(luma >= BRIGHT_LUMA) >= BRIGHT_SHARE * luma.size
    return covered, float(luma.mean()) < DARK_LUMA, bool(window) and float(sits.mean()) < SHADOW_LUMA
