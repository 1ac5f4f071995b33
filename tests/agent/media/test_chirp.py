"""The chirp is found again: level, delay and how dull the way was, also where somebody speaks."""

from __future__ import annotations

import numpy as np
import pytest

from agent.media.chirp import CHIRP_S, CHIRPS, LEVEL_DBFS, RATE_HZ, chirp, chirps, echo, last_chirp
from agent.media.sound_look import FULL_SCALE
from agent.media.speech import speech_loop
from tests.bench.echo.rooms import ROOMS, response

START = 4801
COUNT = len(chirps()) + RATE_HZ


def played():
    wave = np.zeros(COUNT)
    wave[START : START + len(chirps())] = chirps()
    return wave * FULL_SCALE


def through(room, gain_db):
    size = 2 * COUNT
    wave = np.fft.irfft(np.fft.rfft(played(), size) * np.fft.rfft(response(room), size), size)[:COUNT]
    return wave * 10 ** (gain_db / 20)


def noise(dbfs, seed=1):
    return np.random.default_rng(seed).standard_normal(COUNT) * FULL_SCALE * 10 ** (dbfs / 20)


def test_it_is_as_loud_as_somebody_who_speaks_and_begins_and_ends_softly():
    one = chirp()
    assert len(one) == round(CHIRP_S * RATE_HZ)
    assert 20 * np.log10(np.sqrt(np.mean(one**2))) == pytest.approx(LEVEL_DBFS, abs=1)
    assert np.max(np.abs(one[:48])) < 0.001
    assert np.max(np.abs(one[-48:])) < 0.001


@pytest.mark.parametrize("gain_db", [-40.0, -5.0])
@pytest.mark.parametrize("room", ROOMS[:4], ids=lambda room: room.name)
def test_level_and_delay_are_those_of_the_room(room, gain_db):
    found = echo(through(room, gain_db) + noise(-60), played())
    assert found.is_found
    assert found.is_measured
    assert found.gain_db == pytest.approx(gain_db, abs=2)
    assert found.delay_ms == pytest.approx(room.delay_s * 1000, abs=0.2)
    assert abs(found.treble_db) < 2


def test_speech_above_it_neither_hides_nor_makes_it():
    speech = np.resize(speech_loop(), COUNT)
    found = echo(through(ROOMS[1], -20) + speech, played())
    assert found.is_found
    assert (found.gain_db, found.delay_ms) == (pytest.approx(-20, abs=3), pytest.approx(30, abs=0.2))
    assert not echo(speech, played()).is_found
    assert not echo(noise(-30), played()).is_found


def test_what_stands_before_the_microphone_is_heard_in_the_treble():
    clear = through(ROOMS[1], -10)
    hz = np.fft.rfftfreq(COUNT, 1 / RATE_HZ)
    dull = np.fft.irfft(np.fft.rfft(clear) / (1 + (hz / 1000) ** 2), COUNT)
    assert echo(dull + noise(-70), played()).treble_db < echo(clear + noise(-70), played()).treble_db - 10


def test_of_nothing_played_or_nothing_heard_nothing_is_found():
    silence = np.zeros(COUNT, np.int16)
    assert not echo(silence, played()).is_found
    assert not echo(noise(-40), silence).is_found


def test_the_last_one_is_told_from_the_others():
    start = last_chirp(played())
    assert start == pytest.approx(START + (CHIRPS - 1) * len(chirps()) // CHIRPS, abs=48)
    first_only = played()
    heard = first_only.copy()
    heard[start - 480 :] = 0  # a canceller that has learnt from those before
    assert not echo((heard + noise(-60))[start:], played()[start:]).is_found
