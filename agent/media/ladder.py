"""What to encode for a line: frame rate and size give way before quality. Pure; times come in."""

from __future__ import annotations

from dataclasses import dataclass

from agent.media.source import EncodingTarget

MIN_VIDEO_BIT_RATE = 80_000
UPGRADE_MARGIN = 1.2  # a larger picture costs a keyframe: only when there is room,
UPGRADE_AFTER_S = 3.0  # and has been for this long
DOWNGRADE_AFTER_S = 0.8  # a dip is over sooner than the keyframe of a smaller picture has paid off,
DOWNGRADE_AT_ONCE = 0.75  # unless it is this deep


@dataclass(frozen=True, slots=True)
class Step:
    """A size in pixels and a rate in frames/s, and the least bit/s at which they look well."""

    least_bit_rate: int
    width: int
    height: int
    frame_rate: float


# From libx264 superfast: below these rates a talking head at the next larger size breaks into blocks.
STEPS = (
    Step(800_000, 1280, 720, 30.0),
    Step(450_000, 960, 540, 30.0),
    Step(260_000, 640, 360, 30.0),
    Step(180_000, 640, 360, 20.0),
    Step(130_000, 480, 270, 15.0),
    Step(0, 320, 180, 12.0),
)


class Ladder:
    """Chooses the step for one encoding, with hysteresis both in rate and in time."""

    def __init__(self, width_max: int = 1280, frame_rate_max: float = 30.0) -> None:
        self._width_max, self._frame_rate_max = width_max, frame_rate_max
        self._index: int | None = None
        self._wants_up_since: float | None = None
        self._wants_down_since: float | None = None

    def target(self, bit_rate: float, now: float) -> EncodingTarget:
        """What to encode at `bit_rate` (the picture's alone, bit/s), from `now` on (seconds)."""
        bit_rate = max(MIN_VIDEO_BIT_RATE, bit_rate)
        fitting = _highest(bit_rate)
        if self._index is None:
            self._index = fitting
        roomy = _highest(bit_rate / UPGRADE_MARGIN)
        if fitting > self._index:
            deep = bit_rate < DOWNGRADE_AT_ONCE * STEPS[self._index].least_bit_rate
            since = self._wants_down_since = now if self._wants_down_since is None else self._wants_down_since
            if deep or now - since >= DOWNGRADE_AFTER_S:
                self._index, self._wants_down_since = fitting, None
        else:
            self._wants_down_since = None
        if roomy < self._index:
            since = self._wants_up_since = now if self._wants_up_since is None else self._wants_up_since
            if now - since >= UPGRADE_AFTER_S:
                self._index, self._wants_up_since = roomy, None
        else:
            self._wants_up_since = None
        step = STEPS[self._index]
        width = min(step.width, self._width_max)
        height = step.height * width // step.width & ~1
        return EncodingTarget(int(bit_rate), min(step.frame_rate, self._frame_rate_max), width, height)


def _highest(bit_rate: float) -> int:
    return next(index for index, step in enumerate(STEPS) if bit_rate >= step.least_bit_rate)
