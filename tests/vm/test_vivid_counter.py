from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.vm.vivid_counter import GLYPHS, LEFT, PART, TOP, Reading, bitmap, read_counter

WIDTH, HEIGHT = 640, 360


def picture(text: str) -> np.ndarray:
    """A picture of grey bars with the line, as the camera draws it."""
    made = np.repeat(np.linspace(190, 20, 8), WIDTH // 8)[None, :].repeat(HEIGHT, 0)
    made[TOP : TOP + 16, 16 : LEFT + 8 * len(text)] = 16
    for at, character in enumerate(text):
        if character in GLYPHS:
            made[TOP : TOP + 16, LEFT + 8 * at : LEFT + 8 * at + 8] += 219 * bitmap(character)
    return made.astype(np.float32)


def through(made: np.ndarray, width: int, noise: float) -> list[int]:
    """Made smaller on the way, enlarged by the page, with an encoder's noise; the part that is read."""
    small = cv2.resize(made, (width, width * HEIGHT // WIDTH), interpolation=cv2.INTER_AREA)
    back = cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    noisy = back + np.random.default_rng(1).normal(0, noise, back.shape)
    left, top, right, bottom = PART
    return [int(level) for level in np.clip(noisy, 0, 255)[top:bottom, left:right].ravel()]


@pytest.mark.parametrize(("width", "noise"), [(640, 0), (640, 12), (480, 10), (320, 5)])
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("00:00:00:004 0", Reading(4, 0)),
        ("00:01:02:345 678", Reading(62_345, 678)),
        ("12:59:39:999 1234567", Reading(46_779_999, 1_234_567)),
    ],
)
def test_the_counter_is_read_whatever_it_went_through(
    text: str, meant: Reading, width: int, noise: float
) -> None:
    assert read_counter(through(picture(text), width, noise)) == meant


def test_every_digit_is_told_from_the_others() -> None:
    for digit in "0123456789":
        text = f"00:00:00:000 {digit * 4}"
        assert read_counter(through(picture(text), 480, 10)) == Reading(0, int(digit * 4))


@pytest.mark.parametrize("text", ["", "640x360, input", "00:00:00:004", "::::::::: 9"])
def test_what_is_no_counter_is_none(text: str) -> None:
    assert read_counter(through(picture(text), 640, 0)) is None


def test_noise_alone_is_none() -> None:
    levels = np.random.default_rng(2).integers(0, 256, 16 * 176)
    assert read_counter([int(level) for level in levels]) is None
