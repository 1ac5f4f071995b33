"""Speech-like sound made by code: voiced syllables with moving formants, hissing consonants, and pauses.

Made once at start and then played in a loop, so that it costs nothing while it plays. It is no language: it
only has speech's level, rhythm and spectrum, for level meters, encoders and tests.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agent.media.device import Samples

SAMPLE_RATE_HZ = 48_000
SPEECH_LEVEL_DBFS = -23.0  # while speaking; the middle of what a well-set microphone gives
FULL_SCALE = 32768.0
HARMONICS = 24
# First and second formant in Hz and their band width, for vowels like those of "a, e, i, o, u".
VOWELS = ((730, 1090), (530, 1840), (270, 2290), (570, 840), (300, 870))
FORMANT_WIDTH_HZ = 140.0

Wave = NDArray[np.float64]


@lru_cache(maxsize=1)
def speech_loop(duration_s: float = 4.0, seed: int = 7) -> Samples:
    """duration_s of speech-like sound, the same for the same seed. Its ends are silent, so that it loops
    unheard."""
    random = np.random.default_rng(seed)
    total = int(duration_s * SAMPLE_RATE_HZ)
    wave = np.zeros(total)
    place, syllables_left = int(0.1 * SAMPLE_RATE_HZ), 4
    while True:
        consonant = _hiss(random, 0.05)
        vowel = _vowel(random, float(random.uniform(0.12, 0.24)))
        syllable = np.concatenate([consonant, vowel])
        if place + len(syllable) >= total:
            break
        wave[place : place + len(syllable)] = syllable
        syllables_left -= 1
        pause_s = 0.03 if syllables_left else float(random.uniform(0.3, 0.6))
        syllables_left = syllables_left or int(random.integers(3, 8))
        place += len(syllable) + int(pause_s * SAMPLE_RATE_HZ)
    spoken = wave[wave != 0]
    wave *= FULL_SCALE * 10 ** (SPEECH_LEVEL_DBFS / 20) / np.sqrt(np.mean(spoken**2))
    samples = np.clip(wave, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    samples.flags.writeable = False  # it is shared by all who ask again
    return samples


def tone(frequency_hz: float, level_dbfs: float, first_sample: int, count: int) -> Wave:
    """A steady sine by which tests recognise a source; its phase follows first_sample, so that pieces
    join."""
    amplitude = FULL_SCALE * 10 ** (level_dbfs / 20) * np.sqrt(2)  # level is that of the mean square
    phase = 2 * np.pi * frequency_hz / SAMPLE_RATE_HZ
    return np.asarray(amplitude * np.sin(phase * np.arange(first_sample, first_sample + count)))


def _vowel(random: np.random.Generator, duration_s: float) -> Wave:
    count = int(duration_s * SAMPLE_RATE_HZ)
    pitch_hz = np.linspace(random.uniform(110, 150), random.uniform(95, 130), count)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    start, end = random.choice(np.array(VOWELS), 2, replace=False)
    glide = np.linspace(0.0, 1.0, count)[:, None]
    formants_hz = start * (1 - glide) + end * glide
    wave = np.zeros(count)
    for harmonic in range(1, HARMONICS + 1):
        distance = (harmonic * pitch_hz[:, None] - formants_hz) / FORMANT_WIDTH_HZ
        strength = (np.array([1.0, 0.5]) / (1 + distance**2)).sum(axis=1) + 0.02
        wave += strength * np.sin(harmonic * phase)
    swell = np.sin(np.pi * np.linspace(0, 1, count)) ** 0.5
    return np.asarray(wave / np.sqrt(np.mean(wave**2)) * swell)


def _hiss(random: np.random.Generator, duration_s: float) -> Wave:
    noise = np.diff(random.standard_normal(int(duration_s * SAMPLE_RATE_HZ) + 1))
    return np.asarray(noise * 0.15 * np.hanning(len(noise)))
