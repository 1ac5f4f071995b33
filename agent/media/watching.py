"""What the room's camera sees during a call, once a second, in numbers and marks; no picture is kept.

Of one picture a second every eighth pixel of every eighth line is remembered until the next second, to tell a
picture that stands still: a living sensor never gives the same twice. What is covered or dark is what the
self-test takes for it (agent/probes/camera_verdict.py).
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agent.media.device import RawPicture
from agent.media.picture_look import DARK, NOTHING_SEEN, Grid, look, small
from agent.media.pixels import planes

EVERY_S = 1.0
LEAST_LINES = 120
STILL_STEP, LOOK_STEP = 8, 2
"""Of the picture's lines and columns, to compare with the last and to look at."""
WINDOW_SHARE = 1 / 20
"""White blocks in a dark picture are a window, and the room is not what is dark."""
BEHIND_LUMA = 90.0
"""How much lighter the border is than the middle; a lit room has some 50 (agent/media/picture_look.py)."""
SHADOW_LUMA = 90.0
"""The lightest quarter of where a head is; a face that is lit is above 110, before whatever wall."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look; at: seconds of time.monotonic(). still: nothing has changed since the one before."""

    at: float
    still: bool
    covered: bool
    dark: bool
    backlit: bool


class Watching:
    """A camera thread's sink that looks at one picture a second; some 3 ms each."""

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
        luma = planes(picture.frame)[0]
        if luma.shape[0] < LEAST_LINES:
            return  # nothing can be told of so small a picture
        few = luma[::STILL_STEP, ::STILL_STEP].copy()
        still = self._before is not None and np.array_equal(few, self._before)
        self._before = few
        grid = small(luma[::LOOK_STEP, ::LOOK_STEP])
        of_it = look(few, grid)
        covered = of_it.structure < NOTHING_SEEN
        dark = of_it.light < DARK and of_it.bright < WINDOW_SHARE
        self.seen = Seen(now, still, covered, dark, of_it.behind > BEHIND_LUMA and _in_shadow(grid))


def _in_shadow(grid: Grid) -> bool:
    """Whether it is dark where the head is of one who sits before the camera."""
    rows, columns = grid.shape
    head = grid[rows // 4 : rows * 2 // 3, columns // 3 : columns - columns // 3]
    return float(np.quantile(head, 0.75)) < SHADOW_LUMA
