"""Rooms as a camera sees them, well and not: real and drawn pictures in varied light, noise and company.

A picture is a luma plane as float32, 16 to 235. Faults are made as lens and sensor make them: blur and
cover before the sensor's noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from agent.media.pixels import BLACK_LUMA, WHITE_LUMA, Plane, fitted, planes
from agent.media.scene import Scene

Luma = NDArray[np.float32]
WIDTH, HEIGHT = 1280, 720
FILM_STEP_PICTURES = 30
"""Pictures of one film that are this far apart count as two rooms."""
FAULTS = (
    "camera_frozen",
    "camera_covered",
    "camera_dark",
    "camera_bright",
    "camera_blurred",
    "camera_turned",
)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a camera sees for a second: picture(n) is the n-th of it."""

    picture: Callable[[int], Plane]


def rooms(films: list[Path]) -> Iterator[Luma]:
    """The drawn room, and pictures of each film, some as wide as they are and some filling the picture."""
    yield planes(Scene(WIDTH, HEIGHT).draw(0.0, 0.0))[0].astype(np.float32)
    for film in films:
        with av.open(str(film)) as container:
            for number, frame in enumerate(container.decode(video=0)):
                if number % FILM_STEP_PICTURES == FILM_STEP_PICTURES // 2:
                    fits = fitted(frame, WIDTH, HEIGHT)
                    yield planes(fits)[0].astype(np.float32)


def in_light(room: Luma, random: np.random.Generator) -> Luma:
    """Another hour: exposure, gamma, contrast, and light from one side."""
    share = np.clip((room - BLACK_LUMA) / (WHITE_LUMA - BLACK_LUMA), 0, 1) ** random.uniform(0.75, 1.35)
    side = np.linspace(*random.uniform(0.75, 1.0, 2), WIDTH, dtype=np.float32)
    share = share * side * random.uniform(0.9, 1.1)
    # A camera's own control brings the mean to its middle, or as near as its gain reaches.
    wanted = random.uniform(0.30, 0.58)
    share = share * np.clip(wanted / max(float(share.mean()), 0.01), 0.6, 3.0)
    # Highlights are rolled off, as every camera does.
    share = np.where(share > 0.8, 0.8 + 0.2 * np.tanh((share - 0.8) / 0.2), share)
    return (BLACK_LUMA + share * (WHITE_LUMA - BLACK_LUMA)).astype(np.float32)


def with_person(room: Luma, random: np.random.Generator, at: float) -> Luma:
    """Somebody in the chair: head and shoulders, as large as a person is who sits before a screen."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    centre, top = WIDTH * at, HEIGHT * random.uniform(0.25, 0.4)
    head, body = HEIGHT * random.uniform(0.1, 0.15), HEIGHT * random.uniform(0.25, 0.35)
    shirt, skin, hair = random.uniform(30, 190), random.uniform(60, 180), random.uniform(25, 150)
    out = room.copy()
    out[((x - centre) / body) ** 2 + ((y - HEIGHT) / (HEIGHT - top - head)) ** 2 < 1] = shirt
    out[((x - centre) / head) ** 2 + ((y - top) / (head * 1.3)) ** 2 < 1] = skin
    out[((x - centre) / head) ** 2 + ((y - top + head / 2) / head) ** 2 < 0.7] = hair
    return out


def sensed(
    room: Luma, random: np.random.Generator, noise: float, other: Luma | None = None, stands: bool = False
) -> Sight:
    """Through a sensor with noise of so much luma; other: what is seen in the second half. stands: no new
    picture comes."""
    grain = random.standard_normal((HEIGHT, WIDTH), np.float32) * np.float32(noise)
    shifts = random.integers(0, min(HEIGHT, WIDTH), (64, 2))
    first = _plane(room + grain)

    def picture(number: int) -> Plane:
        if stands:
            return first
        seen = room if other is None or number < 18 else other
        return _plane(seen + np.roll(grain, shifts[number % 64], (0, 1)))

    return Sight(picture)


def out_of_focus(room: Luma, sigma: float) -> Luma:
    """Pixels; three boxes are as good as a bell."""
    width = max(1, round(sigma * 2)) | 1
    out = room.astype(np.float32)
    for _ in range(3):
        for _axis in range(2):
            padded = np.pad(out, ((width // 2 + 1, width // 2), (0, 0)), mode="edge")
            sums = np.cumsum(padded - padded.mean(), axis=0, dtype=np.float32)
            out = np.ascontiguousarray(((sums[width:] - sums[:-width]) / width + padded.mean()).T)
    return out


def covered(room: Luma, random: np.random.Generator) -> Luma:
    """A cap, a hand, a sticker or a wall of cardboard: dark or light, some light at one side or through it."""
    y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j].astype(np.float32)  # type: ignore[misc]
    kind = random.choice(["cap", "hand", "sticker", "wall"])
    if kind == "cap":
        return np.full_like(room, BLACK_LUMA + random.uniform(0, 4))
    grey = random.uniform(30, 150) if kind == "hand" else random.uniform(40, 210)
    slope, angle = random.uniform(0, 45), random.uniform(0, 2 * np.pi)
    out = grey + slope * (x * np.cos(angle) + y * np.sin(angle)) - random.uniform(0, 20) * (x * x + y * y)
    if kind == "sticker":
        out = out + random.uniform(0, 0.25) * (out_of_focus(room, 120) - room.mean())
    return np.clip(out, BLACK_LUMA, WHITE_LUMA).astype(np.float32)


def dark(room: Luma, random: np.random.Generator) -> Luma:
    """Nobody put the lamp on: a tenth of the light, after all the gain that the camera has."""
    return (BLACK_LUMA + (room - BLACK_LUMA) * random.uniform(0.06, 0.25)).astype(np.float32)


def bright(room: Luma, random: np.random.Generator) -> Luma:
    """The sun in the room."""
    return np.clip(BLACK_LUMA + (room - BLACK_LUMA) * random.uniform(2.6, 5), 16, 235).astype(np.float32)


def turned(room: Luma, other: Luma, random: np.random.Generator) -> Luma:
    """A third of the picture to three fifths to one side, or up; what comes into sight is another room's."""
    by = random.uniform(0.33, 0.6) * random.choice([-1, 1])
    axis = int(random.integers(0, 2))
    length = (HEIGHT, WIDTH)[axis]
    shift = round(by * length)
    out = np.roll(room, shift, axis)
    came = np.arange(length) < shift if shift > 0 else np.arange(length) >= length + shift
    if axis == 0:
        out[came] = other[came]
    else:
        out[:, came] = other[:, came]
    return out


def _plane(luma: Luma) -> Plane:
    return np.clip(luma, BLACK_LUMA, WHITE_LUMA).astype(np.uint8)
