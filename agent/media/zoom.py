"""Which part of a camera's picture is shown, as shares of the whole, and as pixels of the sensor. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CameraName = Literal["main", "hand"]
SIDE_MIN = 1 / 8  # of the whole: an eighth of 1920 pixels are 240, and beyond that nothing is to be seen
WHOLE = 0.995  # from this share of a side on it is the whole picture


@dataclass(frozen=True, slots=True)
class Zoom:
    """A part of the picture: its left, top, width and height, 0 to 1 of the whole."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def clamped(cls, x: float, y: float, width: float, height: float) -> Zoom | None:
        """The nearest part that there is: of the whole picture's shape, within it, and not too small.

        None: the whole picture. The longer of the asked sides counts, so that nothing asked for is cut off.
        """
        side = min(1.0, max(SIDE_MIN, width, height))
        if side >= WHOLE:
            return None
        # About the same middle, as far as the edges allow.
        left = min(max(0.0, x + width / 2 - side / 2), 1 - side)
        top = min(max(0.0, y + height / 2 - side / 2), 1 - side)
        return cls(left, top, side, side)

    def pixels(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Left, top, width and height in a picture of this size: even, since chroma has half the lines."""
        across, down = _even(self.width * width), _even(self.height * height)
        left = min(_even(self.x * width), width - across)
        top = min(_even(self.y * height), height - down)
        return left, top, across, down


@dataclass(frozen=True, slots=True)
class CameraView:
    """What is shown: by which camera, which part of its picture (None: the whole), of a sensor of this size."""

    camera: CameraName = "main"
    zoom: Zoom | None = None
    has_hand: bool = False
    sensor: tuple[int, int] = (0, 0)


def _even(value: float) -> int:
    return max(2, round(value / 2) * 2) if value >= 1 else 0
