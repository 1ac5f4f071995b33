"""Speech-like sound has speech's level and pauses; levels and tones measure what they say."""

from __future__ import annotations

import numpy as np
import pytest

from agent.media.microphone import FRAME_SAMPLES, SILENCE_DBFS, level_dbfs
from agent.media.speech import SAMPLE_RATE_HZ, speech_loop, tone


def test_speech_has_the_level_of_speech_and_pauses_and_loops_in_silence() -> None:
    sound = speech_loop()
    count = len(sound) // FRAME_SAMPLES
    levels = [level_dbfs(part) for part in np.split(sound[: count * FRAME_SAMPLES], count)]
    spoken = [level for level in levels if level > -45]
    assert -26 <= 10 * np.log10(np.mean([10 ** (level / 10) for level in spoken])) <= -20
    assert 0.1 < sum(level == SILENCE_DBFS for level in levels) / count < 0.5
    assert sound[0] == sound[-1] == 0
    assert speech_loop() is sound  # made once


def test_levels_are_in_dbfs() -> None:
    assert level_dbfs(np.zeros(960, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.full(960, -32768, np.int16)) == pytest.approx(0.0)
    assert level_dbfs(tone(1000, -20, 0, 960).astype(np.int16)) == pytest.approx(-20, abs=0.05)


def test_a_tone_runs_on_from_piece_to_piece() -> None:
    whole = tone(440, -26, 0, 1920)
    assert np.allclose(np.concatenate([tone(440, -26, 0, 960), tone(440, -26, 960, 960)]), whole)
    spectrum = np.abs(np.fft.rfft(tone(1000, -26, 0, SAMPLE_RATE_HZ)))
    assert int(spectrum.argmax()) == 1000
