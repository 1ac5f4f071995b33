"""A drawn room in which somebody holds up a QR code, as a picture and as a film with sound."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import segno
from av import VideoFrame
from numpy.typing import NDArray

from agent.media.pixels import planes
from agent.media.scene import Scene

Luma = NDArray[np.uint8]
SCALE, BORDER = 8, 3
DARK, LIGHT = 25, 230
SOUND_HZ = 48_000


@dataclass(frozen=True)
class Held:
    """How a code is held: its side in pixels, place of its middle (0 to 1), turned and tilted by degrees.

    blur: the lens' spread in pixels; noise: of luma; light: 1 as drawn, less is darker.
    """

    side: float = 280
    at: tuple[float, float] = (0.5, 0.55)
    turned: float = 0
    tilted: float = 0
    blur: float = 0.8
    noise: float = 4
    light: float = 0.9


def link(token: str) -> str:
    """As the invitation's QR code holds it."""
    return f"https://video.region.example/visit#{token}"


def room_with(text: str | None, held: Held = Held(), size: tuple[int, int] = (1280, 720)) -> VideoFrame:
    """A picture of the drawn room, with a code in front of it or without one."""
    frame = Scene(*size).draw(1_800_000_000.0, 1.0)
    luma = planes(frame)[0]
    if text is not None:
        luma[:] = _photographed(luma, _code(text), held)
    return frame


def make_film(
    path: Path, text: str | None, held: Held = Held(), *, empty_s: float = 1.0, held_s: float = 3.0
) -> None:
    """A film with sound: the empty room, and then a hand that is not quite still. Replaces path at once."""
    rate = 10
    new = path.with_name(f"new-{path.name}")
    rng = np.random.default_rng(7)
    with av.open(str(new), "w") as film:
        video = film.add_stream("libx264", rate=rate, options={"preset": "ultrafast", "crf": "20"})
        video.width, video.height, video.pix_fmt = 1280, 720, "yuv420p"
        sound = film.add_stream("aac", rate=SOUND_HZ, layout="mono")
        count = round((empty_s + held_s) * rate)
        for index in range(count):
            is_held = text is not None and index >= empty_s * rate
            sway = 6 * np.sin(index / 3)
            here = Held(
                held.side, (held.at[0] + sway / 1280, held.at[1]), held.turned + sway / 4, held.tilted
            )
            frame = room_with(text if is_held else None, here)
            frame.pts, frame.time_base = index, Fraction(1, rate)
            film.mux(video.encode(frame))
        film.mux(video.encode(None))
        for start in range(0, count * SOUND_HZ // rate, 1024):
            hiss = rng.normal(0, 60, (1, 1024)).astype(np.int16)
            piece = av.AudioFrame.from_ndarray(hiss, format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = SOUND_HZ, start, Fraction(1, SOUND_HZ)
            film.mux(sound.encode(piece))
        film.mux(sound.encode(None))
    new.replace(path)


def _code(text: str) -> Luma:
    rows = segno.make(text, error="m").matrix_iter(scale=SCALE, border=BORDER)
    return np.array([[DARK if dark else LIGHT for dark in row] for row in rows], np.uint8)


def _photographed(luma: Luma, code: Luma, held: Held) -> Luma:
    height, width = luma.shape
    half, edge = held.side / 2, code.shape[0]
    corners = np.array([[-half, -half], [half, -half], [half, half], [-half, half]])
    tilt, turn = np.radians(held.tilted), np.radians(held.turned)
    corners[:, 0] *= np.cos(tilt)
    corners[1:3, 1] *= 1 - 0.25 * np.sin(tilt)  # the far side is smaller
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    corners += np.array([held.at[0] * width, held.at[1] * height])
    from_code = np.array([[0, 0], [edge, 0], [edge, edge], [0, edge]], np.float32)
    change = cv2.getPerspectiveTransform(from_code, corners.astype(np.float32))
    paper = cv2.warpPerspective(code, change, (width, height), flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full_like(code, 255), change, (width, height))
    picture = np.where(mask > 128, paper, luma).astype(np.float32)
    if held.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), held.blur)
    noise = np.random.default_rng(5).normal(0, held.noise, picture.shape)
    return np.clip(picture * held.light + noise, 0, 255).astype(np.uint8)
