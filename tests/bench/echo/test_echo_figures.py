"""The bench's judgement on sounds whose figures are known: an echo taken away by so much, a voice that is kept."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.echo.figures import Script, delay, figures, is_steady
from tests.bench.echo.rooms import RATE_HZ, ROOMS, Wave, at_level, read_wave, response, write_wave

SCRIPT = Script((0.5, 3.5), 1.5, (3.5, 4.5), (4.7, 5.7), 6.2)
CHANCE = np.random.default_rng(7)


def spoken(*spans: tuple[float, float]) -> Wave:
    """Noise in syllables, alike in every span."""
    track = np.zeros(round(SCRIPT.length_s * RATE_HZ))
    words = np.random.default_rng(11).standard_normal(4 * RATE_HZ)
    words *= np.sin(2 * np.pi * 2 * np.arange(len(words)) / RATE_HZ) ** 2
    for start, end in spans:
        length = round((end - start) * RATE_HZ)
        track[round(start * RATE_HZ) :][:length] += words[:length]
    return track


def test_an_echo_that_is_taken_away_and_a_voice_that_is_halved_are_measured_as_such() -> None:
    echo = at_level(spoken((0.5, 4.5)), -30.0)
    near = at_level(np.roll(spoken(SCRIPT.both, SCRIPT.near_alone), 0), -28.0)
    noise = CHANCE.standard_normal(len(echo)) * 1e-4
    both = np.zeros(len(echo))
    start, end = (round(at * RATE_HZ) for at in SCRIPT.both)
    both[start:end] = near[start:end]
    microphone = echo + near + noise
    left = np.where(np.arange(len(echo)) < 1.0 * RATE_HZ, 1.0, 10 ** (-25 / 20)) * echo
    cleaned = np.roll(left + near - both + both / 2 + noise, 1440)  # 30 ms later
    found = figures(microphone, np.concatenate([cleaned, np.zeros(1440)]), near, SCRIPT)
    assert found.erle_db == pytest.approx(25, abs=0.6)
    assert found.first_second_db < 5
    assert found.converged_s == pytest.approx(0.5, abs=0.15)
    assert found.near_gain_db == pytest.approx(0, abs=0.5)
    assert found.near_kept_db == pytest.approx(-6, abs=1.5)
    assert found.noise_change_db == pytest.approx(0, abs=0.5)


def test_a_gain_on_everything_is_no_echo_left() -> None:
    echo = at_level(spoken((0.5, 4.5)), -40.0)
    near = at_level(spoken(SCRIPT.both, SCRIPT.near_alone), -40.0)
    found = figures(echo + near, 2 * (echo + near), near, SCRIPT)
    assert found.erle_db == pytest.approx(-6, abs=0.1)
    assert found.over_speech_db == pytest.approx(0, abs=0.5)


def test_a_run_that_lost_sound_on_the_way_is_not_judged() -> None:
    script = Script((0.5, 5.5), 1.0, (5.5, 5.8), (5.8, 6.0), 6.2)
    echo = CHANCE.standard_normal(round(6.2 * RATE_HZ))
    late = np.concatenate([np.zeros(480), echo])
    lost = np.concatenate([late[: 3 * RATE_HZ], late[3 * RATE_HZ - 256 :]])
    assert is_steady(echo, late, script)
    assert not is_steady(echo, lost, script)
    assert not is_steady(echo, late[: 3 * RATE_HZ], script)
    assert delay(echo, late) == 480


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.name))
def test_a_room_answers_after_its_delay_and_decays(room) -> None:
    wave = response(room)
    first = int(np.flatnonzero(wave)[0])
    assert first == round(room.delay_s * RATE_HZ)
    assert float(np.linalg.norm(wave)) == pytest.approx(1.0)
    half = first + round(room.reverberation_s * RATE_HZ / 2)
    early, late = wave[first:half], wave[half:]
    assert 10 * np.log10(np.sum(early**2) / np.sum(late**2)) > 20


def test_what_is_written_is_read_again(tmp_path) -> None:
    left, right = np.linspace(-1, 1, 100), np.zeros(100)
    write_wave(tmp_path / "two.wav", left, right)
    found = read_wave(tmp_path / "two.wav")
    assert np.allclose(found, [left, right], atol=1e-4)
