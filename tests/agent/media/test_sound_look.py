"""Sound in numbers: each figure against sound made to have it."""

from __future__ import annotations

import numpy as np
import pytest

from agent.media.sound_look import FLOOR_DBFS, FULL_SCALE, RATE_HZ, Hearing, look
from agent.media.speech import speech_loop, tone

SECONDS = 1.5
COUNT = int(SECONDS * RATE_HZ)


def noise(level_dbfs, seed=1, colour=12):
    """As ventilation is: more below than above."""
    white = np.random.default_rng(seed).standard_normal(COUNT + colour)
    wave = np.convolve(white, np.ones(colour) / colour, "valid")[:COUNT]
    return wave / np.sqrt(np.mean(wave**2)) * FULL_SCALE * 10 ** (level_dbfs / 20)


def hum(level_dbfs, mains=50):
    parts = [tone(mains * number, level_dbfs - 4 * (number - 1), 0, COUNT) for number in (1, 2, 3, 5)]
    return np.sum(parts, axis=0)


def samples(*waves):
    return np.clip(np.round(np.sum(waves, axis=0)), -32768, 32767).astype(np.int16)


def test_levels_of_a_steady_tone():
    seen = look(samples(tone(1000, -20, 0, COUNT)))
    assert (seen.seconds, seen.clipped, seen.silent) == (SECONDS, 0, 0)
    assert seen.level_dbfs == pytest.approx(-20, abs=0.1)
    assert seen.peak_dbfs == pytest.approx(-17, abs=0.1)
    assert seen.noise_dbfs == pytest.approx(-20, abs=0.1)


def test_the_noise_under_speech_is_that_of_its_pauses():
    speech = speech_loop()[:COUNT]
    seen = look(samples(speech, noise(-60)))
    assert seen.noise_dbfs == pytest.approx(-60, abs=2)
    assert seen.level_dbfs > -32


@pytest.mark.parametrize("mains", [50, 60])
def test_hum_is_found_by_its_family_also_under_speech(mains):
    alone = look(samples(hum(-40, mains), noise(-60)))
    assert (alone.hum_hz, alone.hum_dbfs) == (mains, pytest.approx(-38, abs=1.5))
    assert alone.hum_db > 15
    spoken = look(samples(hum(-30, mains), speech_loop()[:COUNT], noise(-60)))
    assert (spoken.hum_hz, spoken.hum_dbfs) == (mains, pytest.approx(-28, abs=3))


@pytest.mark.parametrize(
    "sound", [noise(-40), noise(-40, colour=200), speech_loop()[:COUNT], tone(1000, -30, 0, COUNT)]
)
def test_what_does_not_hum_is_not_said_to(sound):
    assert look(samples(sound, noise(-65))).hum_db < 0


def test_clipping_is_counted_and_how_much_of_the_time_it_is_there():
    loud = samples(8 * speech_loop()[:COUNT].astype(float))
    seen = look(loud)
    assert seen.clipped == pytest.approx(np.mean(np.abs(loud.astype(int)) >= 32_700))
    assert seen.clipped_for > 0.3
    once = samples(noise(-50))
    once[5000:5050] = 32_767
    assert look(once).clipped_for == pytest.approx(1 / 75)


def test_one_and_the_same_number_is_silence_and_a_constant_part_is_told_apart():
    zeros = look(np.zeros(COUNT, np.int16))
    assert zeros.is_digital_silence
    assert (zeros.level_dbfs, zeros.dc) == (FLOOR_DBFS, 0.0)
    stuck = look(np.full(COUNT, -1638, np.int16))
    assert stuck.is_digital_silence
    assert stuck.dc == pytest.approx(-0.05, abs=0.001)
    shifted = look(samples(noise(-50), 1638.0 * np.ones(COUNT)))
    assert not shifted.is_digital_silence
    assert (shifted.level_dbfs, shifted.dc) == (pytest.approx(-50, abs=0.3), pytest.approx(0.05, abs=0.001))


def test_folded_in_by_pieces_of_any_length_it_is_the_same():
    sound = samples(speech_loop()[:COUNT], noise(-55), hum(-45))
    hearing = Hearing()
    for piece in np.split(sound, [100, 960, 1920, 5000, 40_000]):
        hearing.add(piece)
    assert hearing.look() == look(sound)
    hearing.clear()
    assert hearing.look().seconds == 0.0
    assert hearing.look().is_digital_silence
