"""A calm room drawn by code: a clock with milliseconds and a swinging lamp, so that a frozen picture is seen.

Drawn straight into yuv420p with arrays: no colour conversion, no picture library, next to no processor time.
"""

from __future__ import annotations

import math
import time
from typing import Literal

import numpy as np
from av import VideoFrame

from agent.media.pixels import Plane, blank, planes

# Which of the seven segments (top, upper left, upper right, middle, lower left, lower right, bottom) a digit
# lights.
SEGMENTS = (
    "1110111",
    "0010010",
    "1011101",
    "1011011",
    "0111010",
    "1101011",
    "1101111",
    "1010010",
    "1111111",
    "1111011",
)
SWING_PERIOD_S = 4.0
INK_LUMA, CHART_LUMA = 40, 215
LAMP_LUMA, LAMP_BLUE, LAMP_RED = 210, 90, 150


CHART_LINES = 480
"""Fine lines on the wall, as many as fit half the height: a sensor of 1440 lines sees them, a picture of 720
sees grey."""
Motif = Literal["room", "hand"]


class Scene:
    """The room, or what a camera held in the hand sees of an arm. draw() paints the whole of it into a frame."""

    def __init__(self, width: int, height: int, motif: Motif = "room") -> None:
        self.width, self.height = width, height
        self._background = blank(width, height)
        if motif == "room":
            self._paint_room()
        else:
            self._paint_arm()
        self._paint_chart()
        self._digit_height = height // 10 // 2 * 2

    def draw(self, unix_s: float, elapsed_s: float) -> VideoFrame:
        """A new frame: the clock shows unix_s as local time, the lamp swings with elapsed_s."""
        frame = VideoFrame(self.width, self.height, "yuv420p")
        for target, source in zip(planes(frame), planes(self._background), strict=True):
            target[:] = source
        self._draw_lamp(frame, elapsed_s)
        local = time.localtime(unix_s)
        self._draw_text(planes(frame)[0], time.strftime("%H:%M:%S", local) + f".{int(unix_s % 1 * 1000):03d}")
        return frame

    def _paint_room(self) -> None:
        luma, blue, red = planes(self._background)
        height, width = luma.shape
        luma[:] = np.linspace(150, 185, height).astype(np.uint8)[:, None]  # a wall in soft light
        floor = int(height * 0.78)
        luma[floor:] = 105
        blue[floor // 2 :], red[floor // 2 :] = 112, 140
        window = (
            slice(height // 6 // 2 * 2, height // 2 // 2 * 2),
            slice(width // 12 // 2 * 2, width // 3 // 2 * 2),
        )
        luma[window] = 215
        halved = tuple(slice(part.start // 2, part.stop // 2) for part in window)
        blue[halved], red[halved] = 145, 120
        board = (slice(height // 6, int(height * 0.36)), slice(int(width * 0.44), int(width * 0.96)))
        luma[board] = 225

    def _paint_arm(self) -> None:
        luma, blue, red = planes(self._background)
        height, width = luma.shape
        luma[:] = np.linspace(165, 135, height).astype(np.uint8)[:, None]
        blue[:], red[:] = 112, 148  # skin
        for index, (plane, value) in enumerate(zip((luma, blue, red), (85, 120, 140), strict=True)):
            part = 1 if index == 0 else 2
            _disc(plane, width * 3 // 10 // part, height * 6 // 10 // part, height // 14 // part, value)

    def _paint_chart(self) -> None:
        """As a lens would show it: lines where there are pixels enough for them, and else their mean."""
        luma = planes(self._background)[0]
        box = luma[int(self.height * 0.62) : int(self.height * 0.74), self.width // 12 : self.width // 4]
        period = self.height // CHART_LINES
        box[:] = (INK_LUMA + CHART_LUMA) // 2
        if period >= 2:
            lit = np.arange(box.shape[1]) % period < period // 2
            box[:] = np.where(lit, CHART_LUMA, INK_LUMA).astype(np.uint8)[None, :]

    def _draw_lamp(self, frame: VideoFrame, elapsed_s: float) -> None:
        swing = math.sin(2 * math.pi * elapsed_s / SWING_PERIOD_S)
        radius = self.height // 24 // 2 * 2
        x = int(self.width * (0.6 + 0.12 * swing)) // 2 * 2
        y = int(self.height * 0.6) // 2 * 2
        for index, (plane, value) in enumerate(
            zip(planes(frame), (LAMP_LUMA, LAMP_BLUE, LAMP_RED), strict=True)
        ):
            part = 1 if index == 0 else 2
            _disc(plane, x // part, y // part, radius // part, value)

    def _draw_text(self, luma: Plane, text: str) -> None:
        size = self._digit_height
        x, y = int(self.width * 0.47), int(self.height * 0.2)
        for character in text:
            if character.isdigit():
                _draw_digit(luma, x, y, size, int(character))
                x += int(size * 0.75)
            else:
                dot = max(2, size // 8)
                for place in (0.3, 0.7) if character == ":" else (0.9,):
                    luma[y + int(size * place) : y + int(size * place) + dot, x : x + dot] = INK_LUMA
                x += int(size * 0.3)


def _draw_digit(luma: Plane, x: int, y: int, size: int, digit: int) -> None:
    stroke, width, half = max(2, size // 8), size // 2, size // 2
    boxes = (
        (x, y, width, stroke),
        (x, y, stroke, half),
        (x + width - stroke, y, stroke, half),
        (x, y + half - stroke // 2, width, stroke),
        (x, y + half, stroke, half),
        (x + width - stroke, y + half, stroke, half),
        (x, y + size - stroke, width, stroke),
    )
    for lit, (left, top, across, down) in zip(SEGMENTS[digit], boxes, strict=True):
        if lit == "1":
            luma[top : top + down, left : left + across] = INK_LUMA


def _disc(plane: Plane, x: int, y: int, radius: int, value: int) -> None:
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    inside = rows * rows + columns * columns <= radius * radius
    plane[y - radius : y + radius + 1, x - radius : x + radius + 1][inside] = value
