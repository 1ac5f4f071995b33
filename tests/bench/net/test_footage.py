from __future__ import annotations

import numpy as np
from av import VideoFrame

from agent.media.clock_pattern import ROWS_IN_HEIGHT, read_clock
from agent.media.pixels import planes
from tests.bench.film import AUDIO_RATE_HZ, FRAME_RATE
from tests.bench.net.footage import (
    FILM_S,
    TONE_AT_PICTURE,
    TONE_EVERY_PICTURES,
    bottom_rows,
    film_sound,
    with_number,
)

PICTURES = 132


def test_the_number_stands_along_the_bottom_and_the_rest_is_untouched() -> None:
    grey = VideoFrame.from_ndarray(np.full((1080, 1280), 100, np.uint8), format="yuv420p")
    luma = planes(with_number(grey, 131))[0]
    rows = bottom_rows(720)
    strip = np.vstack([luma[-rows:], np.zeros((rows * (ROWS_IN_HEIGHT - 1), 1280), np.uint8)])
    assert read_clock(strip) == 131
    assert (luma[:-rows] == 100).all()


def test_tones_begin_with_their_pictures_and_nothing_else_is_loud() -> None:
    sound = film_sound(PICTURES)
    assert len(sound) * FRAME_RATE == PICTURES * AUDIO_RATE_HZ
    loud = np.flatnonzero(np.abs(sound) > 0.45 * 32767)
    begins = loud[np.flatnonzero(np.diff(loud, prepend=-AUDIO_RATE_HZ) > AUDIO_RATE_HZ // 10)]
    pictures = [begin * FRAME_RATE // AUDIO_RATE_HZ for begin in begins.tolist()]
    assert pictures == list(range(TONE_AT_PICTURE, PICTURES, TONE_EVERY_PICTURES))


def test_rounds_fit_each_other() -> None:
    assert PICTURES % TONE_EVERY_PICTURES == 0
    assert FILM_S * FRAME_RATE % PICTURES == 0
