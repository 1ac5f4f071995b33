"""Pictures in numbers: what is there, what is not, and that no number is a picture."""

from __future__ import annotations

import numpy as np
import pytest

from agent.media.picture_look import NOTHING_SEEN, look, moved, sharpness, small
from agent.media.pixels import planes
from agent.media.scene import Scene
from agent.media.usual_view import CELLS, STEPS, agreement, view
from agent.probes.camera_verdict import BLURRED

ROOM = planes(Scene(1280, 720).draw(0.0, 0.0))[0].copy()
RANDOM = np.random.default_rng(7)


def lit(luma, *, gain=1.0, noise=2.0):
    """The same room in another light, through a sensor with noise."""
    light = (luma.astype(np.float32) - 16) * gain + 16 + RANDOM.normal(0, noise, luma.shape)
    return np.clip(light, 16, 235).astype(np.uint8)


def blurred(luma, by):
    kernel = np.ones(by) / by
    smooth = luma.astype(np.float32)
    for _ in range(2):
        smooth = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), 1, smooth)
    return smooth.astype(np.uint8)


def turned(luma, by):
    return np.ascontiguousarray(np.roll(luma, by, axis=1))


@pytest.mark.parametrize("gain", [0.15, 0.5, 1.3])
def test_a_room_has_structure_in_any_light_and_a_covered_lens_has_none(gain):
    assert look(lit(ROOM, gain=gain, noise=5)).structure > 8
    for grey in (16, 60, 180):
        assert look(lit(np.full_like(ROOM, grey), noise=5)).structure < 2
    hand = np.full_like(ROOM, 60) + np.linspace(0, 120, ROOM.shape[1]).astype(np.uint8)[None, :]
    assert look(lit(hand, noise=5)).structure < NOTHING_SEEN  # light falls in from one side


def test_sharpness_does_not_hang_on_light_or_noise_and_falls_with_the_focus():
    assert sharpness(lit(ROOM, gain=0.4, noise=4)) > 0.8
    assert sharpness(lit(blurred(ROOM, 30))) < BLURRED
    assert sharpness(np.full_like(ROOM, 90)) is None


def test_light_is_told_in_luma_and_in_shares():
    dark, bright = look(lit(ROOM, gain=0.1)), look(lit(ROOM, gain=3.0))
    assert dark.light < 40 and dark.dark > 0.2 and bright.bright > 0.5
    window = ROOM.copy()
    window[:, 320:960] = 30
    assert look(window).behind > 60 > look(ROOM).behind


def test_a_change_of_the_whole_light_is_no_movement_and_a_person_who_sits_down_is():
    person = ROOM.copy()
    person[300:, 500:780] = 60
    assert moved(small(ROOM), small(lit(ROOM, gain=1.05))) < 0.01
    assert moved(small(ROOM), small(person)) > 0.05


def test_the_usual_view_is_known_again_in_other_light_and_with_a_person_and_not_when_turned():
    usual = view(small(ROOM))
    person = ROOM.copy()
    person[300:, 560:760] = 80
    assert agreement(usual, view(small(lit(ROOM, gain=0.4, noise=5)))) > 0.8
    assert agreement(usual, view(small(person))) > 0.7
    assert agreement(usual, view(small(turned(ROOM, 500)))) < 0.62
    assert agreement(usual, [0] * len(usual)) == 0.0


def test_no_picture_can_be_made_of_the_usual_view():
    """64 small whole numbers; what they say of light is nothing, and many rooms have the same ones."""
    numbers = view(small(ROOM))
    assert len(numbers) == 2 * CELLS[0] * CELLS[1] == 64
    assert all(isinstance(number, int) and abs(number) <= STEPS for number in numbers)
    negative = (251 - ROOM.astype(np.int16)).astype(np.uint8)
    assert agreement(numbers, view(small(negative))) > 0.99  # a negative has the same ones
    half_as_clear = (128 + (ROOM.astype(np.int16) - 128) // 2).astype(np.uint8)
    assert agreement(numbers, view(small(half_as_clear))) > 0.95
    guess = np.kron(np.hypot(*np.asarray(numbers, float).reshape(*CELLS, 2).T).T, np.ones((180, 160)))
    assert abs(np.corrcoef(guess.ravel(), ROOM.astype(float).ravel())[0, 1]) < 0.5
